//! Namespaces as Service Connect needs them: made by an operation, found by name or ARN.

use serde_json::{Value, json};

use super::namespace;
use crate::account::Account;
use crate::base::Settings;
use crate::base::{Millis, Pace};
use crate::wire::{Api, ApiError, ApiRequest};

fn call(account: &mut Account, at: u64, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.advance(Millis(at));
    account.handle(Millis(at), &ApiRequest::of(Api::CloudMap, operation, params))
}

fn ielts() -> Value {
    json!({ "Name": "ielts.local", "CreatorRequestId": "r1", "Description": "d" })
}

#[test]
fn a_namespace_is_there_once_its_operation_has_succeeded_and_not_before() {
    let mut account = Account::new(Settings::default());
    let created = call(&mut account, 0, "CreateHttpNamespace", ielts()).unwrap();
    let operation = json!({ "OperationId": created["OperationId"] });
    let pending = call(&mut account, 4_999, "GetOperation", operation.clone()).unwrap();
    assert_eq!(pending["Operation"]["Status"], "PENDING");
    assert!(namespace(&account.cloudmap, "ielts.local").is_none());
    let done = call(&mut account, 5_000, "GetOperation", operation).unwrap();
    assert_eq!(done["Operation"]["Status"], "SUCCESS");
    let found = namespace(&account.cloudmap, "ielts.local").unwrap();
    assert_eq!(done["Operation"]["Targets"]["NAMESPACE"], found.id);
    assert_eq!(namespace(&account.cloudmap, &found.arn.clone()).unwrap().name, "ielts.local");
    assert!(namespace(&account.cloudmap, "Ielts.local").is_none(), "case counts");
    let id = found.id.clone();
    let got = call(&mut account, 5_000, "GetNamespace", json!({ "Id": id })).unwrap();
    assert_eq!(got["Namespace"]["Properties"]["HttpProperties"]["HttpName"], "ielts.local");
    assert_eq!(got["Namespace"]["Type"], "HTTP");
}

#[test]
fn where_someone_waits_the_operation_has_succeeded_by_the_next_call() {
    let mut account = Account::new(Settings { pace: Pace::local(), ..Settings::default() });
    call(&mut account, 7, "CreateHttpNamespace", ielts()).unwrap();
    let list = call(&mut account, 7, "ListNamespaces", json!({})).unwrap();
    assert_eq!(list["Namespaces"][0]["Name"], "ielts.local");
}

#[test]
fn a_retried_creation_gets_the_same_operation_and_a_second_one_is_refused() {
    let mut account = Account::new(Settings::default());
    let first = call(&mut account, 0, "CreateHttpNamespace", ielts()).unwrap();
    assert_eq!(call(&mut account, 1, "CreateHttpNamespace", ielts()).unwrap(), first);
    let other = json!({ "Name": "ielts.local", "CreatorRequestId": "r2" });
    let error = call(&mut account, 1, "CreateHttpNamespace", other.clone()).unwrap_err();
    assert_eq!(error.code, "DuplicateRequest");
    assert!(
        error.message.starts_with("Another operation of type CreateHttpNamespace and id "),
        "{}",
        error.message
    );
    assert_eq!(
        call(&mut account, 5_000, "CreateHttpNamespace", other).unwrap_err().code,
        "NamespaceAlreadyExists"
    );
}

#[test]
fn namespaces_are_listed_by_name_and_by_type() {
    let mut account = Account::new(Settings::default());
    let vpc = account.handle(Millis(0), &ApiRequest::form(Api::Ec2, "DescribeVpcs", "")).unwrap();
    let dns = json!({ "Name": "dns.local", "Vpc": vpc["vpcSet"][0]["vpcId"] });
    call(&mut account, 0, "CreateHttpNamespace", ielts()).unwrap();
    call(&mut account, 0, "CreatePrivateDnsNamespace", dns).unwrap();
    let mut names = |filters: Value| {
        let list = call(&mut account, 5_000, "ListNamespaces", json!({ "Filters": filters })).unwrap();
        let mut names: Vec<String> = list["Namespaces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own["Name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(json!([])), ["dns.local", "ielts.local"]);
    assert_eq!(names(json!([{ "Name": "TYPE", "Values": ["HTTP"], "Condition": "EQ" }])), ["ielts.local"]);
    assert_eq!(
        names(
            json!([{ "Name": "NAME", "Values": ["ielts.local"] }, { "Name": "TYPE", "Values": ["DNS_PRIVATE"] }])
        ),
        [""; 0]
    );
    assert_eq!(
        names(json!([{ "Name": "HTTP_NAME", "Values": ["dns"], "Condition": "BEGINS_WITH" }])),
        ["dns.local"]
    );
    let bad = json!({ "Filters": [{ "Name": "COLOUR", "Values": ["red"] }] });
    assert_eq!(call(&mut account, 5_000, "ListNamespaces", bad).unwrap_err().code, "InvalidInput");
}

#[test]
fn a_deleted_namespace_is_gone_after_its_operation() {
    let mut account = Account::new(Settings::default());
    call(&mut account, 0, "CreateHttpNamespace", ielts()).unwrap();
    account.advance(Millis(5_000));
    let id = json!({ "Id": namespace(&account.cloudmap, "ielts.local").unwrap().id });
    call(&mut account, 5_000, "DeleteNamespace", id.clone()).unwrap();
    assert_eq!(
        call(&mut account, 5_001, "DeleteNamespace", id.clone()).unwrap_err().code,
        "DuplicateRequest"
    );
    assert_eq!(call(&mut account, 10_000, "GetNamespace", id).unwrap_err().code, "NamespaceNotFound");
    assert!(namespace(&account.cloudmap, "ielts.local").is_none());
}

#[test]
fn what_cannot_be_is_refused() {
    let mut account = Account::new(Settings::default());
    let cases = [
        ("CreateHttpNamespace", json!({ "Name": "a b" }), "InvalidInput"),
        ("CreateHttpNamespace", json!({}), "InvalidInput"),
        ("CreatePrivateDnsNamespace", json!({ "Name": "x", "Vpc": "vpc-9" }), "InvalidInput"),
        ("GetOperation", json!({ "OperationId": "x" }), "OperationNotFound"),
        ("TagResource", json!({ "ResourceARN": "x", "Tags": [] }), "ResourceNotFoundException"),
        ("RegisterInstance", json!({}), "UnknownOperationException"),
    ];
    for (operation, params, code) in cases {
        assert_eq!(call(&mut account, 0, operation, params).unwrap_err().code, code, "{operation}");
    }
}

#[test]
fn tags_of_a_namespace_are_set_replaced_and_removed() {
    let mut account = Account::new(Settings::default());
    let tagged = json!({ "Name": "ielts.local", "Tags": [{ "Key": "k", "Value": "a" }] });
    call(&mut account, 0, "CreateHttpNamespace", tagged).unwrap();
    account.advance(Millis(5_000));
    let arn = namespace(&account.cloudmap, "ielts.local").unwrap().arn.clone();
    call(
        &mut account,
        5_000,
        "TagResource",
        json!({ "ResourceARN": arn, "Tags": [{ "Key": "k", "Value": "b" }] }),
    )
    .unwrap();
    let list = json!({ "ResourceARN": arn });
    let tags = call(&mut account, 5_000, "ListTagsForResource", list.clone()).unwrap();
    assert_eq!(tags["Tags"], json!([{ "Key": "k", "Value": "b" }]));
    call(&mut account, 5_000, "UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["k"] })).unwrap();
    assert_eq!(call(&mut account, 5_000, "ListTagsForResource", list).unwrap()["Tags"], json!([]));
}
