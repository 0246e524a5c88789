//! Parameter Store as its callers see it.

use serde_json::{Value, json};

use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::wire::{Api, ApiError, ApiRequest};

const NOW: Millis = Millis(1_700_000_000_000);

fn ask(account: &mut Account, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.handle(NOW, &ApiRequest::of(Api::Ssm, operation, params))
}

fn put(
    account: &mut Account,
    name: &str,
    value: &str,
    kind: &str,
    overwrite: bool,
) -> Result<Value, ApiError> {
    let members = json!({ "Name": name, "Value": value, "Type": kind, "Overwrite": overwrite });
    ask(account, "PutParameter", members)
}

fn code(outcome: Result<Value, ApiError>) -> &'static str {
    outcome.unwrap_err().code
}

#[test]
fn a_secure_string_is_readable_only_for_who_asks_for_its_text() {
    let mut account = Account::new(Settings::default());
    put(&mut account, "/ielts/key", "hunter2", "SecureString", false).unwrap();
    let closed = ask(&mut account, "GetParameter", json!({ "Name": "/ielts/key" })).unwrap();
    assert!(!closed.to_string().contains("hunter2"), "{closed}");
    let open = json!({ "Name": "/ielts/key", "WithDecryption": true });
    let open = ask(&mut account, "GetParameter", open).unwrap()["Parameter"].clone();
    assert_eq!(
        open,
        json!({
            "Name": "/ielts/key",
            "Type": "SecureString",
            "Value": "hunter2",
            "Version": 1,
            "LastModifiedDate": 1_700_000_000.0,
            "ARN": "arn:aws:ssm:ap-southeast-1:123456789012:parameter/ielts/key",
            "DataType": "text",
        })
    );
}

#[test]
fn a_value_is_replaced_only_when_asked_and_the_former_version_stays() {
    let mut account = Account::new(Settings::default());
    put(&mut account, "flat", "one", "String", false).unwrap();
    assert_eq!(code(put(&mut account, "flat", "two", "String", false)), "ParameterAlreadyExists");
    assert_eq!(
        code(put(&mut account, "flat", "two", "SecureString", true)),
        "HierarchyTypeMismatchException"
    );
    assert_eq!(put(&mut account, "flat", "two", "String", true).unwrap()["Version"], 2);
    for (name, value) in [
        ("flat", "two"),
        ("flat:1", "one"),
        ("arn:aws:ssm:ap-southeast-1:123456789012:parameter/flat", "two"),
        ("arn:aws:ssm:ap-southeast-1:123456789012:parameter/flat:2", "two"),
    ] {
        let got = ask(&mut account, "GetParameter", json!({ "Name": name })).unwrap();
        assert_eq!(got["Parameter"]["Value"], value, "{name}");
    }
    let ninth = ask(&mut account, "GetParameter", json!({ "Name": "flat:9" }));
    assert_eq!(code(ninth), "ParameterVersionNotFound");
}

#[test]
fn several_are_read_at_once_and_those_that_are_not_there_are_named() {
    let mut account = Account::new(Settings::default());
    put(&mut account, "/a/b", "x", "String", false).unwrap();
    let foreign = "arn:aws:ssm:eu-west-1:123456789012:parameter/a/b";
    let got = ask(&mut account, "GetParameters", json!({ "Names": ["/a/b", "/a/c", foreign] })).unwrap();
    assert_eq!(got["Parameters"][0]["Value"], "x");
    assert_eq!(got["InvalidParameters"], json!(["/a/c", foreign]));
    let eleven: Vec<String> = (0..11).map(|n| format!("/a/{n}")).collect();
    assert_eq!(code(ask(&mut account, "GetParameters", json!({ "Names": eleven }))), "ValidationException");
}

#[test]
fn what_is_deleted_is_gone() {
    let mut account = Account::new(Settings::default());
    put(&mut account, "/a/b", "x", "String", false).unwrap();
    ask(&mut account, "DeleteParameter", json!({ "Name": "/a/b" })).unwrap();
    for operation in ["DeleteParameter", "GetParameter"] {
        assert_eq!(code(ask(&mut account, operation, json!({ "Name": "/a/b" }))), "ParameterNotFound");
    }
}

#[test]
fn what_aws_refuses_to_store_is_refused_here() {
    let mut account = Account::new(Settings::default());
    for name in ["a/b", "/aws/x", "ssm-key", "/a b", "/a//b", "arn:aws:ssm:eu-west-1:1:parameter/a", "/a:1"] {
        assert_eq!(code(put(&mut account, name, "x", "String", false)), "ValidationException", "{name}");
    }
    assert_eq!(code(put(&mut account, "/a", "", "String", false)), "ValidationException");
    assert_eq!(code(put(&mut account, "/a", &"x".repeat(4097), "String", false)), "ValidationException");
    let untyped = ask(&mut account, "PutParameter", json!({ "Name": "/a", "Value": "x" }));
    assert_eq!(code(untyped), "ValidationException");
}

#[test]
fn parameters_are_found_by_path_and_by_filter_a_page_at_a_time() {
    let mut account = Account::new(Settings::default());
    for (name, kind) in
        [("/app/db", "SecureString"), ("/app/mail/host", "String"), ("/other", "String"), ("flat", "String")]
    {
        put(&mut account, name, "value", kind, false).unwrap();
    }
    let names = |reply: Value| -> Vec<String> {
        let found = reply["Parameters"].as_array().unwrap().iter();
        found.map(|own| own["Name"].as_str().unwrap().to_owned()).collect()
    };
    let by_path =
        |account: &mut Account, members: Value| names(ask(account, "GetParametersByPath", members).unwrap());
    assert_eq!(by_path(&mut account, json!({ "Path": "/app" })), ["/app/db"]);
    assert_eq!(
        by_path(&mut account, json!({ "Path": "/app/", "Recursive": true })),
        ["/app/db", "/app/mail/host"]
    );
    assert_eq!(by_path(&mut account, json!({ "Path": "/" })), ["/other"]);
    let closed = ask(&mut account, "GetParametersByPath", json!({ "Path": "/app" })).unwrap();
    assert_ne!(closed["Parameters"][0]["Value"], "value");
    let described =
        |account: &mut Account, members: Value| names(ask(account, "DescribeParameters", members).unwrap());
    let filter = |key: &str, option: Option<&str>, value: &str| json!({ "ParameterFilters": [{ "Key": key, "Option": option, "Values": [value] }] });
    assert_eq!(described(&mut account, filter("Type", None, "SecureString")), ["/app/db"]);
    assert_eq!(
        described(&mut account, filter("Name", Some("Contains"), "a")),
        ["/app/db", "/app/mail/host", "flat"]
    );
    assert_eq!(
        described(&mut account, filter("Path", Some("Recursive"), "/app")),
        ["/app/db", "/app/mail/host"]
    );
    assert_eq!(
        described(&mut account, json!({ "Filters": [{ "Key": "Name", "Values": ["/app"] }] })).len(),
        2
    );
    let page = ask(&mut account, "DescribeParameters", json!({ "MaxResults": 3 })).unwrap();
    let rest = json!({ "MaxResults": 3, "NextToken": page["NextToken"] });
    assert_eq!(described(&mut account, rest), ["flat"]);
    assert_eq!(
        code(ask(&mut account, "DescribeParameters", filter("Colour", None, "red"))),
        "InvalidFilterKey"
    );
}

#[test]
fn tags_and_former_versions_of_a_parameter_are_shown() {
    let mut account = Account::new(Settings::default());
    put(&mut account, "/a", "one", "String", false).unwrap();
    put(&mut account, "/a", "two", "String", true).unwrap();
    let history = ask(&mut account, "GetParameterHistory", json!({ "Name": "/a" })).unwrap();
    assert_eq!(
        (&history["Parameters"][0]["Value"], &history["Parameters"][1]["Value"]),
        (&json!("one"), &json!("two"))
    );
    let named = |extra: Value| {
        let mut members = json!({ "ResourceType": "Parameter", "ResourceId": "/a" });
        members.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        members
    };
    let tags = json!([{ "Key": "app", "Value": "x" }]);
    ask(&mut account, "AddTagsToResource", named(json!({ "Tags": tags }))).unwrap();
    assert_eq!(ask(&mut account, "ListTagsForResource", named(json!({}))).unwrap()["TagList"], tags);
    ask(&mut account, "RemoveTagsFromResource", named(json!({ "TagKeys": ["app"] }))).unwrap();
    assert_eq!(ask(&mut account, "ListTagsForResource", named(json!({}))).unwrap()["TagList"], json!([]));
    let deleted = ask(&mut account, "DeleteParameters", json!({ "Names": ["/a", "/b"] })).unwrap();
    assert_eq!(
        (&deleted["DeletedParameters"], &deleted["InvalidParameters"]),
        (&json!(["/a"]), &json!(["/b"]))
    );
}
