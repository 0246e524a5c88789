//! The registry as a push, a deployment and a running task see it.

mod settings;

use bytes::Bytes;
use serde_json::{Value, json};

use super::store::digest_of;
use super::{ResolvedImage, resolve_image};
use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::wire::{Api, ApiError, ApiRequest};

const NOW: Millis = Millis(1_000_000);
const HOST: &str = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn call(account: &mut Account, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.handle(NOW, &ApiRequest::of(Api::Ecr, operation, params))
}

fn with_repository(mutability: &str) -> Account {
    let mut account = Account::new(Settings::default());
    let params = json!({ "repositoryName": "app", "imageTagMutability": mutability });
    call(&mut account, "CreateRepository", params).unwrap();
    account
}

/// Pushes an image whose only layer is `layer`; gives its digest.
fn push(account: &mut Account, tag: &str, layer: &str) -> String {
    let config = json!({ "architecture": "amd64", "os": "linux", "layer": layer }).to_string();
    let mut descriptors = Vec::new();
    for content in [config, layer.to_owned()] {
        let digest = digest_of(content.as_bytes());
        descriptors.push(json!({ "digest": digest, "size": content.len() }));
        account.ecr.put_blob("app", &digest, Bytes::from(content)).unwrap();
    }
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptors[0], "layers": [descriptors[1]] });
    account.ecr.put_manifest(NOW, "app", tag, MANIFEST, Bytes::from(manifest.to_string())).unwrap()
}

#[test]
fn a_repository_is_created_once_and_named_in_full() {
    let mut account = with_repository("IMMUTABLE");
    let reply = call(&mut account, "DescribeRepositories", json!({ "repositoryNames": ["app"] })).unwrap();
    assert_eq!(reply["repositories"][0]["repositoryUri"], format!("{HOST}/app"));
    assert_eq!(reply["repositories"][0]["imageTagMutability"], "IMMUTABLE");
    assert_eq!(reply["repositories"][0]["createdAt"], 1000.0);
    let cases = [
        (
            "CreateRepository",
            json!({ "repositoryName": "app" }),
            "RepositoryAlreadyExistsException",
            "The repository with name 'app' already exists in the registry with id '123456789012'",
        ),
        (
            "DescribeRepositories",
            json!({ "repositoryNames": ["none"] }),
            "RepositoryNotFoundException",
            "The repository with name 'none' does not exist in the registry with id '123456789012'",
        ),
        (
            "DescribeImages",
            json!({ "repositoryName": "app", "registryId": "999999999999" }),
            "RepositoryNotFoundException",
            "The repository with name 'app' does not exist in the registry with id '999999999999'",
        ),
    ];
    for (operation, params, code, message) in cases {
        assert_eq!(call(&mut account, operation, params).unwrap_err(), ApiError::new(code, message));
    }
    for name in ["App", "a", "app/", "a..b", "-app", "app_", "a b"] {
        let error = call(&mut account, "CreateRepository", json!({ "repositoryName": name })).unwrap_err();
        assert_eq!(error.code, "InvalidParameterException", "{name}");
    }
    for name in ["ielts/backend", "a.b-c_d/e2"] {
        call(&mut account, "CreateRepository", json!({ "repositoryName": name })).unwrap();
    }
}

#[test]
fn a_pushed_image_is_described_by_tag_and_by_digest() {
    let mut account = with_repository("MUTABLE");
    let digest = push(&mut account, "v1", "layer");
    push(&mut account, "latest", "layer");
    for id in [
        json!({ "imageTag": "v1" }),
        json!({ "imageDigest": digest }),
        json!({ "imageTag": "v1", "imageDigest": digest }),
    ] {
        let params = json!({ "repositoryName": "app", "imageIds": [id] });
        let reply = call(&mut account, "DescribeImages", params).unwrap();
        let detail = &reply["imageDetails"][0];
        assert_eq!(
            (&detail["imageDigest"], &detail["imageTags"]),
            (&json!(digest), &json!(["latest", "v1"]))
        );
        assert_eq!(detail["imageManifestMediaType"], MANIFEST);
        assert!(detail["imageSizeInBytes"].as_u64().unwrap() > 5);
    }
    let missing = json!({ "repositoryName": "app", "imageIds": [{ "imageTag": "x" }] });
    assert_eq!(
        call(&mut account, "DescribeImages", missing).unwrap_err(),
        ApiError::new(
            "ImageNotFoundException",
            "The image with imageId {imageDigest:'null', imageTag:'x'} does not exist within the repository with name 'app' in the registry with id '123456789012'"
        )
    );
}

#[test]
fn an_immutable_tag_cannot_be_moved_but_the_same_push_can_be_retried() {
    let mut account = with_repository("IMMUTABLE");
    let first = push(&mut account, "v1", "one");
    assert_eq!(push(&mut account, "v1", "one"), first);
    let other = push(&mut account, "v2", "two");
    let (_, _, content) = account.ecr.manifest("app", &other).unwrap();
    let error = account.ecr.put_manifest(NOW, "app", "v1", MANIFEST, content.clone()).unwrap_err();
    assert_eq!((error.status, error.code), (400, "TAG_INVALID"));
    assert_eq!(
        error.message,
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable."
    );
    let by_api = json!({ "repositoryName": "app", "imageTag": "v1", "imageManifest": String::from_utf8_lossy(&content) });
    assert_eq!(call(&mut account, "PutImage", by_api).unwrap_err().code, "ImageTagAlreadyExistsException");
    call(
        &mut account,
        "PutImageTagMutability",
        json!({ "repositoryName": "app", "imageTagMutability": "MUTABLE" }),
    )
    .unwrap();
    account.ecr.put_manifest(NOW, "app", "v1", MANIFEST, content).unwrap();
    assert_eq!(account.ecr.manifest("app", "v1").unwrap().0, other);
}

#[test]
fn exclusion_filters_turn_mutability_round_for_their_tags() {
    let filter = |pattern: &str| json!([{ "filterType": "WILDCARD", "filter": pattern }]);
    let set = |setting: &str, filters: Value| json!({ "repositoryName": "app", "imageTagMutability": setting, "imageTagMutabilityExclusionFilters": filters });
    let mut account = with_repository("MUTABLE");
    for (setting, tag, immutable) in [
        ("IMMUTABLE_WITH_EXCLUSION", "latest-1", false),
        ("IMMUTABLE_WITH_EXCLUSION", "v1", true),
        ("MUTABLE_WITH_EXCLUSION", "latest-1", true),
        ("MUTABLE_WITH_EXCLUSION", "v1", false),
    ] {
        call(&mut account, "PutImageTagMutability", set(setting, filter("latest*"))).unwrap();
        assert_eq!(
            account.ecr.repositories["app"].mutability.is_immutable(tag),
            immutable,
            "{setting} {tag}"
        );
    }
    for params in
        [set("IMMUTABLE", filter("x")), set("IMMUTABLE_WITH_EXCLUSION", json!([])), set("SOLID", json!([]))]
    {
        assert_eq!(
            call(&mut account, "PutImageTagMutability", params).unwrap_err().code,
            "InvalidParameterException"
        );
    }
}

#[test]
fn a_manifest_is_refused_while_anything_it_names_is_missing() {
    let mut account = with_repository("MUTABLE");
    let absent = digest_of(b"absent");
    let image = json!({ "config": { "digest": absent, "size": 1 }, "layers": [] }).to_string();
    let index = json!({ "manifests": [{ "digest": absent, "size": 1 }] }).to_string();
    let cases = [
        ("app", "v1", image.as_str(), 404, "MANIFEST_BLOB_UNKNOWN"),
        ("app", "v1", index.as_str(), 404, "MANIFEST_UNKNOWN"),
        ("app", "v1", "not json", 400, "MANIFEST_INVALID"),
        ("app", "v1", "{}", 400, "MANIFEST_INVALID"),
        ("app", absent.as_str(), index.as_str(), 400, "DIGEST_INVALID"),
        ("none", "v1", image.as_str(), 404, "NAME_UNKNOWN"),
    ];
    for (repository, reference, content, status, code) in cases {
        let content = Bytes::copy_from_slice(content.as_bytes());
        let error = account.ecr.put_manifest(NOW, repository, reference, "", content).unwrap_err();
        assert_eq!((error.status, error.code), (status, code), "{}", error.message);
    }
    let wrong = account.ecr.put_blob("app", &absent, Bytes::from_static(b"other")).unwrap_err();
    assert_eq!(wrong.code, "DIGEST_INVALID");
    assert!(account.ecr.blob("app", &absent).is_none());
    assert_eq!(account.ecr.put_blob("none", &absent, Bytes::new()).unwrap_err().code, "NAME_UNKNOWN");
}

#[test]
fn references_resolve_to_what_runs_or_to_the_reason_why_it_cannot() {
    let mut account = with_repository("MUTABLE");
    let digest = push(&mut account, "v1", "layer");
    push(&mut account, "latest", "layer");
    let found = ResolvedImage::Found {
        repository: "app".to_owned(),
        digest: digest.clone(),
        platforms: vec![("linux".to_owned(), "amd64".to_owned())],
    };
    for reference in ["app:v1", "app", &format!("app@{digest}"), &format!("app:gone@{digest}")] {
        assert_eq!(
            resolve_image(&account.base, &account.ecr, &format!("{HOST}/{reference}")),
            found,
            "{reference}"
        );
    }
    for reference in ["app:v2", "none:v1", &format!("app@{}", digest_of(b"x"))] {
        let image = format!("{HOST}/{reference}");
        let ResolvedImage::NotFound { reason } = resolve_image(&account.base, &account.ecr, &image) else {
            panic!("{image}")
        };
        assert!(reason.starts_with("CannotPullContainerError: ") && reason.contains(&image), "{reason}");
    }
    for image in ["nginx", "docker.io/library/nginx:1", &format!("{HOST}.evil/app:v1"), HOST] {
        assert_eq!(resolve_image(&account.base, &account.ecr, image), ResolvedImage::Foreign, "{image}");
    }
}

#[test]
fn an_index_names_the_platforms_of_its_images_and_holds_them() {
    let mut account = with_repository("MUTABLE");
    let child = push(&mut account, "child", "layer");
    let index = json!({ "schemaVersion": 2, "manifests": [
        { "digest": child, "size": 1, "platform": { "os": "linux", "architecture": "arm64" } },
        { "digest": child, "size": 1, "platform": { "os": "unknown", "architecture": "unknown" } },
    ] });
    let digest =
        account.ecr.put_manifest(NOW, "app", "multi", INDEX, Bytes::from(index.to_string())).unwrap();
    let ResolvedImage::Found { platforms, .. } =
        resolve_image(&account.base, &account.ecr, &format!("{HOST}/app:multi"))
    else {
        panic!()
    };
    assert_eq!(platforms, [("linux".to_owned(), "arm64".to_owned())], "the attestation is no platform");
    let delete = json!({ "repositoryName": "app", "imageIds": [{ "imageDigest": child }] });
    let reply = call(&mut account, "BatchDeleteImage", delete.clone()).unwrap();
    assert_eq!(reply["failures"][0]["failureCode"], "ImageReferencedByManifestList");
    let both =
        json!({ "repositoryName": "app", "imageIds": [{ "imageDigest": digest }, { "imageDigest": child }] });
    let reply = call(&mut account, "BatchDeleteImage", both).unwrap();
    assert_eq!(reply["imageIds"].as_array().unwrap().len(), 2);
    assert!(account.ecr.repositories["app"].blobs.is_empty(), "blobs go with the last image that has them");
}

#[test]
fn deleting_a_tag_keeps_the_image_while_another_tag_has_it() {
    let mut account = with_repository("MUTABLE");
    let digest = push(&mut account, "a", "layer");
    push(&mut account, "b", "layer");
    let delete = |tag: &str| json!({ "repositoryName": "app", "imageIds": [{ "imageTag": tag }] });
    call(&mut account, "BatchDeleteImage", delete("a")).unwrap();
    assert!(account.ecr.manifest("app", &digest).is_some());
    assert_eq!(
        call(&mut account, "DeleteRepository", json!({ "repositoryName": "app" })).unwrap_err().code,
        "RepositoryNotEmptyException"
    );
    call(&mut account, "BatchDeleteImage", delete("b")).unwrap();
    assert!(account.ecr.manifest("app", &digest).is_none());
    call(&mut account, "DeleteRepository", json!({ "repositoryName": "app" })).unwrap();
}

#[test]
fn batch_calls_report_what_is_missing_without_failing() {
    let mut account = with_repository("MUTABLE");
    let digest = push(&mut account, "v1", "layer");
    let params = json!({ "repositoryName": "app", "imageIds": [{ "imageTag": "v1" }, { "imageTag": "x" }, {}, { "imageDigest": "x" }] });
    let reply = call(&mut account, "BatchGetImage", params).unwrap();
    assert_eq!(reply["images"][0]["imageId"], json!({ "imageDigest": digest, "imageTag": "v1" }));
    assert!(reply["images"][0]["imageManifest"].as_str().unwrap().contains("layers"));
    let codes: Vec<&Value> =
        reply["failures"].as_array().unwrap().iter().map(|failure| &failure["failureCode"]).collect();
    assert_eq!(codes, ["ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest"]);
    let layers =
        json!({ "repositoryName": "app", "layerDigests": [digest_of(b"layer"), digest_of(b"no"), "x"] });
    let reply = call(&mut account, "BatchCheckLayerAvailability", layers).unwrap();
    assert_eq!(reply["layers"][0]["layerAvailability"], "AVAILABLE");
    assert_eq!(reply["layers"][1]["layerAvailability"], "UNAVAILABLE");
    assert_eq!(reply["failures"][0]["failureCode"], "InvalidLayerDigest");
}

#[test]
fn lists_can_be_limited_to_tagged_images_and_come_in_pages() {
    let mut account = with_repository("MUTABLE");
    for index in 0..4 {
        push(&mut account, "moving", &format!("layer {index}"));
    }
    let list = |filter: &str, token: Value| json!({ "repositoryName": "app", "filter": { "tagStatus": filter }, "maxResults": 2, "nextToken": token });
    let tagged = call(&mut account, "ListImages", list("TAGGED", Value::Null)).unwrap();
    assert_eq!(
        (tagged["imageIds"].as_array().unwrap().len(), &tagged["imageIds"][0]["imageTag"]),
        (1, &json!("moving"))
    );
    let first = call(&mut account, "ListImages", list("UNTAGGED", Value::Null)).unwrap();
    let second = call(&mut account, "ListImages", list("UNTAGGED", first["nextToken"].clone())).unwrap();
    assert_eq!(
        (first["imageIds"].as_array().unwrap().len(), second["imageIds"].as_array().unwrap().len()),
        (2, 1)
    );
    assert!(second["nextToken"].is_null());
}

#[test]
fn an_authorization_token_opens_the_registry_for_twelve_hours_and_is_never_printed() {
    use base64::Engine as _;
    let mut account = Account::new(Settings::default());
    let reply = call(&mut account, "GetAuthorizationToken", json!({})).unwrap();
    let data = &reply["authorizationData"][0];
    assert_eq!(data["proxyEndpoint"], format!("https://{HOST}"));
    assert_eq!(data["expiresAt"], 1000.0 + 43_200.0);
    let token = base64::engine::general_purpose::STANDARD
        .decode(data["authorizationToken"].as_str().unwrap())
        .unwrap();
    let token = String::from_utf8(token).unwrap();
    let password = token.strip_prefix("AWS:").unwrap();
    call(&mut account, "GetAuthorizationToken", json!({})).unwrap();
    assert!(account.ecr.check_password(NOW, "AWS", password), "an earlier token stays valid");
    assert!(account.ecr.check_password(NOW.plus_secs(43_199), "AWS", password));
    assert!(!account.ecr.check_password(NOW.plus_secs(43_200), "AWS", password));
    assert!(!account.ecr.check_password(NOW, "root", password));
    assert!(!account.ecr.check_password(NOW, "AWS", ""));
    assert!(!format!("{account:?}").contains(password));
}

#[test]
fn the_registry_on_loopback_is_named_with_http() {
    let settings = Settings { registry_host: "127.0.0.1:4566".to_owned(), ..Settings::default() };
    let mut account = Account::new(settings);
    let reply = call(&mut account, "GetAuthorizationToken", json!({})).unwrap();
    assert_eq!(reply["authorizationData"][0]["proxyEndpoint"], "http://127.0.0.1:4566");
}

#[test]
fn a_blob_of_many_repositories_is_kept_once() {
    let mut account = with_repository("MUTABLE");
    call(&mut account, "CreateRepository", json!({ "repositoryName": "other" })).unwrap();
    let content = vec![7; 1000];
    let digest = digest_of(&content);
    let mut put = |name| {
        account.ecr.put_blob(name, &digest, Bytes::from(content.clone())).unwrap();
        account.ecr.blob(name, &digest).unwrap().as_ptr()
    };
    assert_eq!(put("app"), put("other"));
}
