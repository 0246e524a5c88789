//! Secrets Manager as its callers see it.

use serde_json::{Value, json};

use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::wire::{Api, ApiError, ApiRequest};

const NOW: Millis = Millis(1_700_000_000_000);

fn ask_at(account: &mut Account, now: Millis, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.advance(now);
    account.handle(now, &ApiRequest::of(Api::SecretsManager, operation, params))
}

fn ask(account: &mut Account, operation: &str, params: Value) -> Result<Value, ApiError> {
    ask_at(account, NOW, operation, params)
}

fn text(account: &mut Account, params: Value) -> String {
    ask(account, "GetSecretValue", params).unwrap()["SecretString"].as_str().unwrap().to_owned()
}

fn code(outcome: Result<Value, ApiError>) -> &'static str {
    outcome.unwrap_err().code
}

#[test]
fn a_new_value_is_current_and_the_former_one_stays_readable() {
    let mut account = Account::new(Settings::default());
    let made = json!({ "Name": "ielts/db", "SecretString": "one" });
    let made = ask(&mut account, "CreateSecret", made).unwrap();
    let arn = made["ARN"].as_str().unwrap().to_owned();
    let (without, suffix) = arn.rsplit_once('-').unwrap();
    assert_eq!(without, "arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:ielts/db");
    assert_eq!(suffix.len(), 6, "{arn}");
    let put = json!({ "SecretId": "ielts/db", "SecretString": "two" });
    let put = ask(&mut account, "PutSecretValue", put).unwrap();
    assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]));
    for id in ["ielts/db", &arn, without] {
        assert_eq!(text(&mut account, json!({ "SecretId": id })), "two", "{id}");
    }
    let previous = json!({ "SecretId": arn, "VersionStage": "AWSPREVIOUS" });
    assert_eq!(text(&mut account, previous), "one");
    let first = json!({ "SecretId": arn, "VersionId": made["VersionId"] });
    assert_eq!(text(&mut account, first), "one");
    let neither = json!({ "SecretId": arn, "VersionId": made["VersionId"], "VersionStage": "AWSCURRENT" });
    assert_eq!(code(ask(&mut account, "GetSecretValue", neither)), "InvalidRequestException");
}

#[test]
fn a_request_that_is_sent_twice_makes_one_version() {
    let mut account = Account::new(Settings::default());
    ask(&mut account, "CreateSecret", json!({ "Name": "a" })).unwrap();
    let token = "0123456789abcdef0123456789abcdef";
    let put = |text: &str| json!({ "SecretId": "a", "SecretString": text, "ClientRequestToken": token });
    assert_eq!(ask(&mut account, "PutSecretValue", put("x")), ask(&mut account, "PutSecretValue", put("x")));
    assert_eq!(code(ask(&mut account, "PutSecretValue", put("y"))), "ResourceExistsException");
    assert_eq!(code(ask(&mut account, "CreateSecret", json!({ "Name": "a" }))), "ResourceExistsException");
}

#[test]
fn a_secret_without_a_value_or_of_another_name_is_not_found() {
    let mut account = Account::new(Settings::default());
    ask(&mut account, "CreateSecret", json!({ "Name": "empty" })).unwrap();
    let empty = ask(&mut account, "GetSecretValue", json!({ "SecretId": "empty" })).unwrap_err();
    let text = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    assert_eq!((empty.code, empty.message.as_str()), ("ResourceNotFoundException", text));
    let absent = ask(&mut account, "GetSecretValue", json!({ "SecretId": "absent" })).unwrap_err();
    assert_eq!(absent.message, "Secrets Manager can't find the specified secret.");
}

#[test]
fn a_deleted_secret_is_closed_until_its_window_ends_or_gone_at_once() {
    let mut account = Account::new(Settings::default());
    let make = || json!({ "Name": "a", "SecretString": "x" });
    ask(&mut account, "CreateSecret", make()).unwrap();
    ask(&mut account, "DeleteSecret", json!({ "SecretId": "a", "RecoveryWindowInDays": 7 })).unwrap();
    for (operation, params) in [
        ("GetSecretValue", json!({ "SecretId": "a" })),
        ("PutSecretValue", json!({ "SecretId": "a", "SecretString": "y" })),
        ("CreateSecret", make()),
        ("DeleteSecret", json!({ "SecretId": "a" })),
    ] {
        assert_eq!(code(ask(&mut account, operation, params)), "InvalidRequestException", "{operation}");
    }
    ask_at(&mut account, NOW.plus_secs(7 * 86_400), "CreateSecret", make()).unwrap();
    ask(&mut account, "DeleteSecret", json!({ "SecretId": "a", "ForceDeleteWithoutRecovery": true }))
        .unwrap();
    ask(&mut account, "CreateSecret", make()).unwrap();
    let both = json!({ "SecretId": "a", "ForceDeleteWithoutRecovery": true, "RecoveryWindowInDays": 7 });
    assert_eq!(code(ask(&mut account, "DeleteSecret", both)), "InvalidParameterException");
}

#[test]
fn secrets_are_listed_and_described_without_their_values() {
    let mut account = Account::new(Settings::default());
    let first = json!({ "Name": "a/db", "SecretString": "hidden", "Description": "the database", "Tags": [{ "Key": "app", "Value": "a" }] });
    ask(&mut account, "CreateSecret", first).unwrap();
    let second = json!({ "Name": "b/mail", "SecretString": "hidden" });
    ask_at(&mut account, NOW.plus_secs(1), "CreateSecret", second).unwrap();
    let listed = ask(&mut account, "ListSecrets", json!({ "MaxResults": 1 })).unwrap();
    assert_eq!(listed["SecretList"][0]["Name"], "b/mail", "the newest first");
    let token = json!({ "MaxResults": 1, "NextToken": listed["NextToken"] });
    let page = ask(&mut account, "ListSecrets", token).unwrap();
    assert_eq!((&page["SecretList"][0]["Name"], &page["NextToken"]), (&json!("a/db"), &Value::Null));
    let filter = json!({ "Filters": [{ "Key": "tag-value", "Values": ["a"] }] });
    let filtered = ask(&mut account, "ListSecrets", filter).unwrap();
    assert_eq!(filtered["SecretList"].as_array().unwrap().len(), 1);
    let shown = ask(&mut account, "DescribeSecret", json!({ "SecretId": "a/db" })).unwrap();
    assert_eq!(shown["Description"], "the database");
    assert_eq!(shown["VersionIdsToStages"].as_object().unwrap().len(), 1);
    assert!(!format!("{listed}{page}{shown}").contains("hidden"));
    let update = json!({ "SecretId": "a/db", "SecretString": "new", "Description": "d" });
    ask(&mut account, "UpdateSecret", update).unwrap();
    assert_eq!(text(&mut account, json!({ "SecretId": "a/db" })), "new");
    let versions = ask(&mut account, "ListSecretVersionIds", json!({ "SecretId": "a/db" })).unwrap();
    assert_eq!(versions["Versions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_deletion_can_be_taken_back_until_its_window_ends() {
    let mut account = Account::new(Settings::default());
    ask(&mut account, "CreateSecret", json!({ "Name": "db", "SecretString": "one" })).unwrap();
    let delete = json!({ "SecretId": "db", "RecoveryWindowInDays": 7 });
    ask(&mut account, "DeleteSecret", delete.clone()).unwrap();
    assert_eq!(ask(&mut account, "ListSecrets", json!({})).unwrap()["SecretList"], json!([]));
    ask(&mut account, "RestoreSecret", json!({ "SecretId": "db" })).unwrap();
    let week = NOW.plus_secs(7 * 24 * 60 * 60);
    account.advance(week);
    assert_eq!(text(&mut account, json!({ "SecretId": "db" })), "one", "the first window is void");
    ask_at(&mut account, week, "DeleteSecret", delete).unwrap();
    account.advance(week.plus_secs(7 * 24 * 60 * 60));
    assert_eq!(
        code(ask(&mut account, "DescribeSecret", json!({ "SecretId": "db" }))),
        "ResourceNotFoundException"
    );
}
