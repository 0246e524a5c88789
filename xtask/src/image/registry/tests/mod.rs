//! Pushes to a registry that behaves, and to one that does not.

mod fake;

use std::sync::Mutex;
use std::time::Duration;

use deploy::model::{ImageDigest, Platform};

use self::fake::{Fake, Fault};
use super::*;
use crate::host::HttpError;
use crate::image::assemble::{Image, Recipe, assemble};
use crate::image::tag::Tag;

fn image(executable: &str) -> Image {
    let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned() };
    let executable = executable.as_bytes();
    assemble(&Recipe {
        package: "app",
        version: "0.1.0",
        port: 8080,
        platform: &platform,
        tmp: false,
        executable,
    })
    .unwrap()
}

fn tag(name: &str) -> Tag {
    Tag { name: name.to_owned(), otherwise: None }
}

fn registry() -> Registry {
    Registry {
        base_url: "https://registry.example".to_owned(),
        repository: "app".to_owned(),
        credential: None,
    }
}

async fn push_to(fake: &Fake, image: &Image, tag: &Tag) -> (Result<PushReport, Error>, Vec<PushEvent>) {
    push_with(fake, &registry(), image, tag).await
}

async fn push_with(
    fake: &Fake,
    registry: &Registry,
    image: &Image,
    tag: &Tag,
) -> (Result<PushReport, Error>, Vec<PushEvent>) {
    let events = Mutex::new(Vec::new());
    let result = push(&fake.host(), registry, image, tag, &|event| events.lock().unwrap().push(event)).await;
    (result, events.into_inner().unwrap())
}

fn count(fake: &Fake, what: &str) -> usize {
    fake.state().log.iter().filter(|line| line.contains(what)).count()
}

fn writes(fake: &Fake) -> usize {
    fake.state().log.iter().filter(|line| !line.starts_with("HEAD")).count()
}

#[tokio::test(start_paused = true)]
async fn a_new_image_is_there_whole_under_its_digest_and_its_tag() {
    let (fake, image) = (Fake::new(), image("one"));
    let (report, events) = push_to(&fake, &image, &tag("3f2a")).await;
    let report = report.unwrap();
    assert_eq!((report.uploaded_blobs, report.skipped, report.wrote), (3, 0, true));
    assert_eq!(report.uploaded_bytes, image.size() - image.manifest.len() as u64);
    let state = fake.state();
    assert_eq!(state.manifests[&image.digest.0], image.manifest);
    assert_eq!(state.tags["3f2a"], image.digest.0);
    for blob in image.blobs() {
        assert_eq!(&state.blobs[blob.digest()], blob.bytes());
    }
    assert_eq!(events.last(), Some(&PushEvent::Tagged { tag: "3f2a".to_owned() }));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_there_costs_two_requests_and_writes_nothing() {
    let (fake, image) = (Fake::new(), image("one"));
    push_to(&fake, &image, &tag("3f2a")).await.0.unwrap();
    fake.state().log.clear();
    let report = push_to(&fake, &image, &tag("3f2a")).await.0.unwrap();
    assert_eq!((report.uploaded_blobs, report.skipped, report.wrote), (0, 3, false));
    assert_eq!((count(&fake, "HEAD"), writes(&fake)), (2, 0));
    // Another commit with the same content is one more tag.
    let report = push_to(&fake, &image, &tag("b001")).await.0.unwrap();
    assert_eq!((report.uploaded_blobs, report.wrote, writes(&fake)), (0, true, 1));
}

#[tokio::test(start_paused = true)]
async fn only_blobs_that_are_missing_are_sent() {
    let fake = Fake::new();
    push_to(&fake, &image("one"), &tag("a")).await.0.unwrap();
    let report = push_to(&fake, &image("two"), &tag("b")).await.0.unwrap();
    assert_eq!((report.uploaded_blobs, report.skipped), (2, 1), "the base layer is there");
}

#[tokio::test(start_paused = true)]
async fn a_location_may_lead_anywhere_and_no_stranger_is_shown_the_credential() {
    for (location, trusted) in [
        ("https://registry.example/v2/app/blobs/uploads/{}?state=s%2B{}", vec!["registry.example"]),
        ("https://storage.example/uploads/{}?state=s%2B{}", vec!["registry.example"]),
        ("{}?state=s%2B{}", vec!["registry.example"]),
    ] {
        let fake = Fake::new();
        fake.state().location = location;
        let foreign = location.contains("storage");
        fake.state().authorization = (!foreign).then(|| "Basic QVdTOnB3".to_owned());
        let registry = Registry { credential: Some(Credential::of_header("Basic QVdTOnB3")), ..registry() };
        let result = push_with(&fake, &registry, &image("one"), &tag("a")).await.0;
        if foreign {
            // The fake refuses the credential that it does not expect; nothing reached the other host.
            assert!(matches!(result, Err(Error::Unauthorized { .. })), "{result:?}");
        } else {
            result.unwrap();
        }
        assert_eq!(Vec::from_iter(fake.state().trusted.clone()), trusted, "{location}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_gets_through_a_registry_that_stumbles() {
    let faults = [
        ("HEAD /v2/app/blobs/", Fault::Answer(500, "text/plain", "oops")),
        ("HEAD /v2/app/manifests/", Fault::Lost(HttpError::Refused)),
        ("POST", Fault::Answer(429, "application/json", r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#)),
        ("POST", Fault::ReplyLost),
        ("PUT /v2/app/blobs/uploads/", Fault::Lost(HttpError::Broken("reset".to_owned()))),
        ("PUT /v2/app/blobs/uploads/", Fault::ReplyLost),
        ("PUT /v2/app/blobs/uploads/", Fault::Answer(416, "text/plain", "")),
        ("PUT /v2/app/blobs/uploads/", Fault::Answer(404, "application/json", "{}")),
        ("PUT /v2/app/manifests/sha256", Fault::ReplyLost),
        ("PUT /v2/app/manifests/3f2a", Fault::Answer(503, "text/html", "<html>busy</html>")),
        ("PUT /v2/app/manifests/3f2a", Fault::ReplyLost),
    ];
    for (on, fault) in faults {
        let (fake, image) = (Fake::new(), image("one"));
        fake.fault(on, fault.clone());
        let (report, events) = push_to(&fake, &image, &tag("3f2a")).await;
        let report = report.unwrap();
        assert!(fake.state().faults.is_empty(), "{on} {fault:?} happened");
        assert_eq!((report.uploaded_blobs, report.skipped), (3, 0), "{on} {fault:?}");
        assert_eq!(fake.state().tags["3f2a"], image.digest.0, "{on} {fault:?}");
        let retried = events.iter().filter(|event| matches!(event, PushEvent::Retrying { .. })).count();
        assert_eq!(retried, 1, "{on} {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_blob_whose_reply_was_lost_is_not_sent_twice() {
    let fake = Fake::new();
    fake.fault("PUT /v2/app/blobs/uploads/", Fault::ReplyLost);
    push_to(&fake, &image("one"), &tag("a")).await.0.unwrap();
    assert_eq!(count(&fake, "PUT /v2/app/blobs/uploads/"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_broken_upload_starts_again_in_a_session_of_its_own() {
    let fake = Fake::new();
    fake.fault("PUT /v2/app/blobs/uploads/", Fault::Lost(HttpError::Broken("reset".to_owned())));
    push_to(&fake, &image("one"), &tag("a")).await.0.unwrap();
    let puts: Vec<String> =
        fake.state().log.iter().filter(|line| line.contains("PUT /v2/app/blobs")).cloned().collect();
    let distinct: std::collections::BTreeSet<&String> = puts.iter().collect();
    assert_eq!((puts.len(), distinct.len()), (4, 4), "{puts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_stays_away_is_given_up_with_the_reason() {
    let fake = Fake::new();
    for _ in 0..6 {
        fake.fault("HEAD /v2/app/manifests/sha256", Fault::Lost(HttpError::Refused));
    }
    let (result, events) = push_to(&fake, &image("one"), &tag("a")).await;
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "cannot reach registry.example: connection refused (6 attempts)");
    let waits = events.iter().filter_map(|event| match event {
        PushEvent::Retrying { wait, .. } => Some(*wait),
        _ => None,
    });
    let waited: Duration = waits.sum();
    assert!((Duration::from_secs(3)..Duration::from_secs(9)).contains(&waited), "{waited:?}");
    assert_eq!(writes(&fake), 0);
}

#[tokio::test(start_paused = true)]
async fn an_immutable_tag_is_no_error_when_it_holds_this_image() {
    let (fake, image) = (Fake::new(), image("one"));
    // It was set between our look and our own attempt, and the registry refuses even the same content.
    fake.fault("PUT /v2/app/manifests/3f2a", Fault::ReplyLost);
    fake.fault(
        "PUT /v2/app/manifests/3f2a",
        Fault::Answer(400, "application/json", r#"{"errors":[{"code":"TAG_INVALID"}]}"#),
    );
    let report = push_to(&fake, &image, &tag("3f2a")).await.0.unwrap();
    assert_eq!(report.tag, "3f2a");
    assert!(fake.state().faults.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_immutable_tag_of_another_image_is_named_with_its_digest_or_avoided() {
    let (fake, old, new) = (Fake::new(), image("one"), image("two"));
    push_to(&fake, &old, &tag("3f2a")).await.0.unwrap();
    let error = push_to(&fake, &new, &tag("3f2a")).await.0.unwrap_err();
    let text = error.to_string();
    let start =
        format!("tag 3f2a of repository app holds another image ({}) and cannot be moved", old.digest);
    assert!(text.starts_with(&start) && text.contains("TAG_INVALID"), "{text}");
    assert!(fake.state().manifests.contains_key(&new.digest.0), "the image itself is there");

    let with_another = Tag { name: "3f2a".to_owned(), otherwise: Some("3f2a-two".to_owned()) };
    let (report, events) = push_to(&fake, &new, &with_another).await;
    assert_eq!(report.unwrap().tag, "3f2a-two");
    let taken = PushEvent::TagTaken {
        tag: "3f2a".to_owned(),
        holds: ImageDigest(old.digest.0.clone()),
        instead: "3f2a-two".to_owned(),
    };
    assert!(events.contains(&taken), "{events:?}");
    assert_eq!(fake.state().tags["3f2a"], old.digest.0);
}

/// Such as one that a workflow pushed for several platforms, by the same commit.
#[tokio::test(start_paused = true)]
async fn an_immutable_tag_of_another_tool_s_index_does_not_hold_a_release_up() {
    let (fake, image) = (Fake::new(), image("one"));
    fake.state().manifests.insert("sha256:index".to_owned(), r#"{"manifests":[]}"#.into());
    fake.state().tags.insert("3f2a".to_owned(), "sha256:index".to_owned());
    let with_another = Tag { name: "3f2a".to_owned(), otherwise: Some("3f2a-one".to_owned()) };
    let (report, events) = push_to(&fake, &image, &with_another).await;
    assert_eq!(report.unwrap().tag, "3f2a-one");
    let taken = PushEvent::TagTaken {
        tag: "3f2a".to_owned(),
        holds: ImageDigest("sha256:index".to_owned()),
        instead: "3f2a-one".to_owned(),
    };
    assert!(events.contains(&taken), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mutable_tag_is_moved() {
    let (fake, old, new) = (Fake::new(), image("one"), image("two"));
    fake.state().immutable = false;
    push_to(&fake, &old, &tag("latest")).await.0.unwrap();
    push_to(&fake, &new, &tag("latest")).await.0.unwrap();
    assert_eq!(fake.state().tags["latest"], new.digest.0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_is_refused_at_once_and_in_a_sentence() {
    let page = "<html><head><title>Sign in</title></head></html>";
    let denied = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#;
    let table = [
        ("HEAD", Fault::Answer(200, "text/html", ""), "an empty body"),
        ("POST", Fault::Answer(200, "text/html", page), "a web page (Sign in)"),
        ("POST", Fault::Answer(403, "application/json", denied), "Your authorization token has expired"),
        ("POST", Fault::Answer(202, "text/plain", ""), "no Location to upload to"),
        ("HEAD /v2/app/blobs", Fault::Answer(405, "text/plain", ""), "answered HEAD /v2/app/blobs/sha256:"),
        ("PUT /v2/app/blobs", Fault::Answer(413, "text/plain", "too large"), "with 413: too large"),
        ("PUT /v2/app/manifests/sha", Fault::Answer(400, "application/json", "{}"), "with 400: {}"),
        ("PUT /v2/app/manifests/3f2a", Fault::Answer(400, "text/plain", ""), "with 400: an empty body"),
        (
            "HEAD",
            Fault::Lost(HttpError::Tls("unknown issuer".to_owned())),
            "cannot reach registry.example: TLS: unknown issuer",
        ),
    ];
    for (on, fault, expected) in table {
        let fake = Fake::new();
        fake.fault(on, fault);
        let (result, events) = push_to(&fake, &image("one"), &tag("3f2a")).await;
        let text = result.unwrap_err().to_string();
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(!events.iter().any(|event| matches!(event, PushEvent::Retrying { .. })), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_password_missing_repository_and_changed_content_have_names() {
    let fake = Fake::new();
    fake.state().authorization = Some("Basic right".to_owned());
    let registry = Registry { credential: Some(Credential::of_header("Basic wrong")), ..registry() };
    let error = push_with(&fake, &registry, &image("one"), &tag("a")).await.0.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(!format!("{error:?} {error} {registry:?}").contains("wrong"), "the credential is never shown");

    let fake = Fake::new();
    fake.state().missing = true;
    let error = push_to(&fake, &image("one"), &tag("a")).await.0.unwrap_err();
    assert!(error.to_string().starts_with("registry.example has no repository app: NAME_UNKNOWN"), "{error}");

    let fake = Fake::new();
    fake.state().lies = true;
    let error = push_to(&fake, &image("one"), &tag("a")).await.0.unwrap_err();
    assert!(matches!(error, Error::Corrupted { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_password_goes_over_plain_http_to_another_machine() {
    let fake = Fake::new();
    for (base_url, credential, ok) in [
        ("http://registry.example", true, false),
        ("http://registry.example", false, true),
        ("http://127.0.0.1:4566", true, true),
    ] {
        let credential = credential.then(|| Credential::of_header("Basic QVdTOnB3"));
        fake.state().authorization = credential.is_some().then(|| "Basic QVdTOnB3".to_owned());
        let registry = Registry { base_url: base_url.to_owned(), credential, ..registry() };
        let result = push_with(&fake, &registry, &image("one"), &tag("a")).await.0;
        assert_eq!(result.is_ok(), ok, "{base_url}");
        assert_eq!(matches!(result, Err(Error::Exposed { .. })), !ok, "{base_url}");
    }
}

#[test]
fn a_push_can_be_moved_to_another_thread() {
    fn send(_: impl Send) {}
    let (fake, image, tag) = (Fake::new(), image("one"), tag("a"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _guard = runtime.enter();
    send(push(&fake.host(), &registry(), &image, &tag, &|_| {}));
}
