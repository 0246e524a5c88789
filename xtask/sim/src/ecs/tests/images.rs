//! Which image a task really runs.

use bytes::Bytes;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::wire::Api;

const REGISTRY: &str = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com";

/// Pushes an image of this architecture under a tag; gives its digest.
fn push(lab: &mut Lab, tag: &str, architecture: &str, content: &str) -> String {
    let config = json!({ "architecture": architecture, "os": "linux", "config": { "Env": [content] } });
    let config = Bytes::from(config.to_string());
    let digest = sha256(&config);
    let size = config.len();
    lab.account.ecr.put_blob("web", &digest, config).unwrap();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": size },
        "layers": [],
    });
    let content = Bytes::from(manifest.to_string());
    let digest = sha256(&content);
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    lab.account.ecr.put_manifest(lab.now, "web", tag, media_type, content).unwrap();
    digest
}

fn sha256(content: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let hex: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.api(Api::Ecr, "CreateRepository", json!({ "repositoryName": "web" })).unwrap();
    lab
}

fn digests(lab: &mut Lab) -> Vec<Value> {
    lab.tasks("RUNNING").iter().map(|task| task["containers"][0]["imageDigest"].clone()).collect()
}

#[test]
fn a_tag_that_moves_changes_nothing_until_the_next_deployment() {
    // ECS guide, deployment-circuit-breaker.
    let mut lab = lab();
    let first = push(&mut lab, "live", "amd64", "first");
    lab.register("web", json!({ "image": format!("{REGISTRY}/web:live") }));
    lab.running(json!({}));
    assert_eq!(digests(&mut lab), [json!(first), json!(first)]);
    let second = push(&mut lab, "live", "amd64", "second");
    assert_ne!(first, second);
    lab.update(json!({ "desiredCount": 3 }));
    lab.run_until(120, |lab| lab.service("web")["runningCount"] == 3);
    assert_eq!(digests(&mut lab), [json!(first), json!(first), json!(first)]);

    lab.update(json!({ "forceNewDeployment": true }));
    lab.run_until(400, |lab| lab.service_deployment()["status"] == "SUCCESSFUL");
    assert_eq!(digests(&mut lab), [json!(second), json!(second), json!(second)]);
    let arn = lab.service_deployment()["targetServiceRevision"]["arn"].clone();
    let reply = lab.ok("DescribeServiceRevisions", json!({ "serviceRevisionArns": [arn] }));
    assert_eq!(reply["serviceRevisions"][0]["containerImages"][0]["imageDigest"], *second);
}

#[test]
fn a_missing_tag_is_cannot_pull_and_the_old_release_serves_on() {
    let mut lab = lab();
    let good = push(&mut lab, "v1", "amd64", "good");
    lab.register("web", json!({ "image": format!("{REGISTRY}/web:v1") }));
    lab.running(json!({}));
    let arn = lab.register("web", json!({ "image": format!("{REGISTRY}/web:v2") }));
    lab.update(json!({ "taskDefinition": arn }));
    lab.run_until(120, |lab| !lab.tasks("STOPPED").is_empty());
    let stopped = lab.tasks("STOPPED")[0].clone();
    assert_eq!(stopped["stopCode"], "TaskFailedToStart");
    let reason = stopped["stoppedReason"].as_str().unwrap();
    assert!(reason.starts_with("CannotPullContainerError: "), "{reason}");
    assert_eq!(stopped["containers"][0]["reason"], *reason);
    assert_eq!(stopped["containers"][0]["exitCode"], Value::Null);
    let running = digests(&mut lab);
    assert!(running.iter().filter(|digest| **digest == *good).count() >= 2, "{running:?}");
}

#[test]
fn an_image_for_another_architecture_cannot_be_pulled() {
    let mut lab = lab();
    push(&mut lab, "arm", "arm64", "x");
    lab.register("web", json!({ "image": format!("{REGISTRY}/web:arm") }));
    lab.create(json!({}));
    lab.run_until(120, |lab| !lab.tasks("STOPPED").is_empty());
    let stopped = lab.tasks("STOPPED")[0].clone();
    let expected = "image Manifest does not contain descriptor matching platform 'linux/amd64'";
    assert!(stopped["stoppedReason"].as_str().unwrap().ends_with(expected), "{stopped}");
}

#[test]
fn runtime_platform_decides_which_architecture_is_wanted() {
    let mut lab = lab();
    push(&mut lab, "arm", "arm64", "x");
    let mut definition =
        super::lab::task_definition("web", json!({ "image": format!("{REGISTRY}/web:arm") }));
    definition["runtimePlatform"] = json!({ "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" });
    lab.ok("RegisterTaskDefinition", definition);
    lab.running(json!({}));
    assert_eq!(lab.tasks("RUNNING").len(), 2);
}
