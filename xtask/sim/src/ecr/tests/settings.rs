//! Lifecycle policies and tags of a repository.

use serde_json::{Value, json};

use super::{call, with_repository};

fn policy(rules: Value) -> Value {
    let text = json!({ "rules": rules }).to_string();
    json!({ "repositoryName": "app", "lifecyclePolicyText": format!("{text:120}") })
}

fn lifecycle_rule(priority: u32, selection: Value) -> Value {
    json!({ "rulePriority": priority, "description": "d", "selection": selection, "action": { "type": "expire" } })
}

#[test]
fn a_lifecycle_policy_is_kept_word_for_word() {
    let mut account = with_repository("MUTABLE");
    let none = call(&mut account, "GetLifecyclePolicy", json!({ "repositoryName": "app" })).unwrap_err();
    assert_eq!(none.code, "LifecyclePolicyNotFoundException");
    let keep = policy(json!([
        lifecycle_rule(
            1,
            json!({ "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7 })
        ),
        lifecycle_rule(
            2,
            json!({ "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 30 })
        ),
    ]));
    call(&mut account, "PutLifecyclePolicy", keep.clone()).unwrap();
    let reply = call(&mut account, "GetLifecyclePolicy", json!({ "repositoryName": "app" })).unwrap();
    assert_eq!(reply["lifecyclePolicyText"], keep["lifecyclePolicyText"]);
    call(&mut account, "DeleteLifecyclePolicy", json!({ "repositoryName": "app" })).unwrap();
    assert!(call(&mut account, "GetLifecyclePolicy", json!({ "repositoryName": "app" })).is_err());
}

#[test]
fn a_lifecycle_policy_that_ecr_would_refuse_is_refused() {
    let count =
        |status: &str| json!({ "tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 5 });
    let cases = [
        (json!([]), "at least one rule"),
        (
            json!([lifecycle_rule(1, count("any")), lifecycle_rule(1, count("untagged"))]),
            "must be positive and unique",
        ),
        (
            json!([lifecycle_rule(1, count("any")), lifecycle_rule(2, count("untagged"))]),
            "must have the lowest priority",
        ),
        (json!([lifecycle_rule(1, count("tagged"))]), "needs either tagPrefixList or tagPatternList"),
        (json!([lifecycle_rule(1, count("blue"))]), "tagStatus must be one of"),
        (
            json!([lifecycle_rule(
                1,
                json!({ "tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 5 })
            )]),
            "countUnit must be 'days'",
        ),
        (
            json!([lifecycle_rule(
                1,
                json!({ "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 0 })
            )]),
            "countNumber must be positive",
        ),
        (
            json!([{ "rulePriority": 1, "selection": count("any"), "action": { "type": "burn" } }]),
            "action type",
        ),
        (json!([{ "rulePriority": 1, "unknown": 1 }]), "unknown field"),
    ];
    let mut account = with_repository("MUTABLE");
    for (rules, part) in cases {
        let error = call(&mut account, "PutLifecyclePolicy", policy(rules)).unwrap_err();
        assert_eq!(error.code, "InvalidParameterException");
        assert!(
            error.message.contains("Lifecycle policy validation failure") && error.message.contains(part),
            "{}",
            error.message
        );
    }
    let short = json!({ "repositoryName": "app", "lifecyclePolicyText": "{}" });
    assert!(call(&mut account, "PutLifecyclePolicy", short).is_err());
}

#[test]
fn tags_of_a_repository_are_set_replaced_and_removed() {
    let mut account = with_repository("MUTABLE");
    let arn = "arn:aws:ecr:ap-southeast-1:123456789012:repository/app";
    for value in ["a", "b"] {
        call(
            &mut account,
            "TagResource",
            json!({ "resourceArn": arn, "tags": [{ "Key": "k", "Value": value }] }),
        )
        .unwrap();
    }
    let tags = call(&mut account, "ListTagsForResource", json!({ "resourceArn": arn })).unwrap();
    assert_eq!(tags["tags"], json!([{ "Key": "k", "Value": "b" }]));
    call(&mut account, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["k"] })).unwrap();
    let tags = call(&mut account, "ListTagsForResource", json!({ "resourceArn": arn })).unwrap();
    assert_eq!(tags["tags"], json!([]));
    let missing =
        call(&mut account, "ListTagsForResource", json!({ "resourceArn": format!("{arn}x") })).unwrap_err();
    assert_eq!(missing.code, "RepositoryNotFoundException");
}

#[test]
fn a_repository_s_policy_is_kept_as_it_was_given() {
    let mut account = with_repository("MUTABLE");
    let named = json!({ "repositoryName": "app" });
    let none = call(&mut account, "GetRepositoryPolicy", named.clone()).unwrap_err();
    assert_eq!(none.code, "RepositoryPolicyNotFoundException");
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let set = json!({ "repositoryName": "app", "policyText": policy });
    call(&mut account, "SetRepositoryPolicy", set).unwrap();
    assert_eq!(call(&mut account, "GetRepositoryPolicy", named.clone()).unwrap()["policyText"], policy);
    let bad = json!({ "repositoryName": "app", "policyText": "{}" });
    assert_eq!(call(&mut account, "SetRepositoryPolicy", bad).unwrap_err().code, "InvalidParameterException");
    call(&mut account, "DeleteRepositoryPolicy", named.clone()).unwrap();
    assert!(call(&mut account, "GetRepositoryPolicy", named).is_err());
}
