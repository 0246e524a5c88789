//! Secrets of a container, as its task gets them at its start.

use serde_json::{Value, json};

use super::lab::Lab;
use crate::wire::Api;
use crate::workload::{Effect, TaskStart};

const ACCOUNT: &str = "ap-southeast-1:123456789012";

/// What the first task of a service with these secrets is started with; the reason when it is not.
fn first_task(lab: &mut Lab, secrets: Value) -> Result<Box<TaskStart>, String> {
    lab.register("web", json!({ "secrets": secrets }));
    lab.create(json!({ "desiredCount": 1 }));
    for _ in 0..600 {
        lab.now = lab.now.plus_secs(1);
        lab.account.advance(lab.now);
        for effect in lab.account.take_effects() {
            if let Effect::Start(start) = effect {
                return Ok(start);
            }
        }
        if let Some(task) = lab.tasks("STOPPED").first() {
            assert_eq!(task["stopCode"], "TaskFailedToStart");
            return Err(task["stoppedReason"].as_str().unwrap().to_owned());
        }
    }
    panic!("no task started, and none failed to");
}

fn put(lab: &mut Lab, name: &str, value: &str) {
    let members = json!({ "Name": name, "Value": value, "Type": "SecureString" });
    lab.api(Api::Ssm, "PutParameter", members).unwrap();
}

/// Makes a secret; gives its ARN.
fn create(lab: &mut Lab, name: &str, value: &str) -> String {
    let members = json!({ "Name": name, "SecretString": value });
    let made = lab.api(Api::SecretsManager, "CreateSecret", members).unwrap();
    made["ARN"].as_str().unwrap().to_owned()
}

#[test]
fn a_secret_reaches_its_container_from_wherever_it_is_kept() {
    let mut lab = Lab::new();
    put(&mut lab, "/ielts/one", "by name");
    put(&mut lab, "two", "by arn");
    let plain = create(&mut lab, "three", "the whole text");
    let object = create(&mut lab, "four", r#"{"user":"ada","port":5432}"#);
    let first = lab.api(Api::SecretsManager, "GetSecretValue", json!({ "SecretId": object })).unwrap();
    let first = first["VersionId"].as_str().unwrap();
    let newer = json!({ "SecretId": object, "SecretString": r#"{"user":"grace","port":5432}"# });
    lab.api(Api::SecretsManager, "PutSecretValue", newer).unwrap();
    let from = [
        ("ONE", "/ielts/one".to_owned(), "by name"),
        ("TWO", format!("arn:aws:ssm:{ACCOUNT}:parameter/two"), "by arn"),
        ("THREE", plain, "the whole text"),
        ("USER", format!("{object}:user::"), "grace"),
        ("PORT", format!("{object}:port::"), "5432"),
        ("FORMER", format!("{object}:user:AWSPREVIOUS:"), "ada"),
        ("FIRST", format!("{object}:user::{first}"), "ada"),
    ];
    let secrets: Vec<Value> =
        from.iter().map(|(name, from, _)| json!({ "name": name, "valueFrom": from })).collect();
    let start = first_task(&mut lab, json!(secrets)).unwrap();
    let got: Vec<_> = start.containers[0].variables().collect();
    let wanted: Vec<_> = from.iter().map(|(name, _, value)| (*name, *value)).collect();
    assert_eq!(got, wanted);
}

#[test]
fn a_secret_that_cannot_be_read_keeps_its_task_from_starting_and_is_named() {
    let elsewhere = format!("arn:aws:secretsmanager:{ACCOUNT}:secret:absent-AbCdEf");
    let head = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ";
    let once = "service call has been retried 1 time(s): ";
    let cases = [
        (
            "/ielts/absent".to_owned(),
            format!("unable to retrieve secrets from ssm: {once}invalid ssm parameters: /ielts/absent"),
        ),
        (
            elsewhere.clone(),
            format!(
                "unable to retrieve secret from asm: {once}failed to fetch secret {elsewhere} from secrets manager: \
                 ResourceNotFoundException: Secrets Manager can't find the specified secret."
            ),
        ),
        (
            "KEYED:absent::".to_owned(),
            format!(
                "unable to retrieve secret from asm: {once}retrieved secret from Secrets Manager did not contain json key \
                 absent"
            ),
        ),
        (
            "PLAIN:user::".to_owned(),
            format!(
                "unable to retrieve secret from asm: {once}secret PLAIN is not a JSON object, so that it has no key user"
            ),
        ),
    ];
    for (from, why) in cases {
        let mut lab = Lab::new();
        let (keyed, plain) =
            (create(&mut lab, "keyed", r#"{"user":"ada"}"#), create(&mut lab, "plain", "hunter2"));
        let fill = |text: &str| text.replace("KEYED", &keyed).replace("PLAIN", &plain);
        let reason = first_task(&mut lab, json!([{ "name": "X", "valueFrom": fill(&from) }])).unwrap_err();
        assert_eq!(reason, format!("{head}{}", fill(&why)));
    }
}

#[test]
fn nothing_that_is_printed_or_described_shows_a_secret() {
    let mut lab = Lab::new();
    put(&mut lab, "/ielts/one", "hunter2");
    let object = create(&mut lab, "two", r#"{"key":"hunter2"}"#);
    let secrets = json!([
        { "name": "ONE", "valueFrom": "/ielts/one" },
        { "name": "TWO", "valueFrom": format!("{object}:key::") },
    ]);
    let start = first_task(&mut lab, secrets).unwrap();
    assert!(start.containers[0].variables().all(|(_, value)| value == "hunter2"));
    for shown in [
        format!("{start:?}"),
        format!("{:?}", lab.account),
        format!("{:?}", lab.tasks("RUNNING")),
        lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "web" })).to_string(),
    ] {
        assert!(shown.contains("ONE") || shown.contains("taskArn"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_variable_that_is_plain_and_secret_at_once_is_refused() {
    let mut lab = Lab::new();
    let members = json!({
        "environment": [{ "name": "KEY", "value": "x" }],
        "secrets": [{ "name": "KEY", "valueFrom": "/ielts/key" }],
    });
    let refused = lab.refused("RegisterTaskDefinition", super::lab::task_definition("web", members));
    assert_eq!(
        refused,
        "ClientException: The secret name must be unique and not shared with any new or existing environment variables \
         set on the container, such as 'KEY'."
    );
}
