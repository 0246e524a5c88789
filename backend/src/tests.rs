//! The router as a client sees it, without a socket.

use std::convert::Infallible;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, header};
use chassis::{Lifecycle, Settings};
use futures_util::stream::pending;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::router;

struct Answer {
    status: u16,
    media_type: String,
    allow: String,
    body: Value,
}

async fn send(lifecycle: &Lifecycle, request: Request<Body>) -> Answer {
    let settings = Settings::read(
        &|name| Ok((name == "APP_COMMIT").then(|| "abc1234".to_owned())),
        8080,
    )
    .unwrap();
    let response = router(&settings, lifecycle).oneshot(request).await.unwrap();
    let header_of = |name| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let (status, media_type, allow) = (
        response.status().as_u16(),
        header_of(header::CONTENT_TYPE),
        header_of(header::ALLOW),
    );
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer {
        status,
        media_type,
        allow,
        body: serde_json::from_slice(&bytes).unwrap(),
    }
}

async fn get(path: &str) -> Answer {
    send(
        &Lifecycle::new(),
        Request::get(path).body(Body::empty()).unwrap(),
    )
    .await
}

async fn post(media_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/api/bands/overall").header(header::CONTENT_TYPE, media_type);
    send(&Lifecycle::new(), request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn four_bands_make_one() {
    for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let answer = post(
            media_type,
            r#"{"listening":6.5,"reading":6.5,"writing":5.0,"speaking":7}"#,
        )
        .await;
        assert_eq!(
            (answer.status, answer.media_type.as_str()),
            (200, "application/json")
        );
        let expected =
            json!({ "overall": 6.5, "mean": 6.25, "rounding": "up", "level": "Competent user" });
        assert_eq!(answer.body, expected);
    }
}

#[tokio::test]
async fn the_four_skills_are_listed_in_the_order_of_the_report_form() {
    let answer = get("/api/skills").await;
    let names: Vec<&str> = answer.body["skills"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|skill| skill["name"].as_str())
        .collect();
    assert_eq!(
        (answer.status, names.as_slice()),
        (
            200,
            ["Listening", "Reading", "Writing", "Speaking"].as_slice()
        )
    );
}

#[tokio::test]
async fn a_body_of_wrong_bands_hears_of_all_its_mistakes_at_once() {
    for (body, errors) in [
        (
            json!({}),
            vec![
                "listening is missing",
                "reading is missing",
                "writing is missing",
                "speaking is missing",
            ],
        ),
        (
            json!({ "listening": "7", "reading": 9.5, "writing": 6.3, "speking": 7 }),
            vec![
                "listening must be a number",
                "reading must be from 0 to 9",
                "writing must be a whole or a half band, such as 6 or 6.5",
                "speaking is missing",
                "speking is not a skill",
            ],
        ),
        (
            json!({ "listening": 7, "reading": 7, "writing": 7, "speaking": null }),
            vec!["speaking must be a number"],
        ),
    ] {
        let answer = post("application/json", body.to_string()).await;
        assert_eq!(
            (answer.status, answer.media_type.as_str()),
            (422, "application/problem+json")
        );
        assert_eq!(answer.body["detail"], errors.join("; "));
        assert_eq!(answer.body["status"], 422);
        assert_eq!(answer.body["instance"], "/api/bands/overall");
        let listed = answer.body["errors"].as_array().unwrap().iter();
        let listed: Vec<String> = listed
            .map(|e| {
                format!(
                    "{} {}",
                    e["field"].as_str().unwrap(),
                    e["detail"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(listed, errors);
    }
}

#[tokio::test]
async fn a_field_given_twice_is_refused_and_not_silently_the_last_one() {
    let body = r#"{"listening":1,"listening":9,"reading":7,"writing":7,"speaking":7}"#;
    let answer = post("application/json", body).await;
    assert_eq!(
        (answer.status, answer.body["detail"].as_str().unwrap()),
        (422, "listening is there more than once")
    );
}

#[tokio::test]
async fn what_is_no_json_object_is_a_400_that_says_where() {
    for (body, part) in [
        ("", "EOF while parsing"),
        ("{", "EOF while parsing"),
        ("{\"listening\":NaN}", "line 1 column 14"),
        ("{\"listening\":1e999}", "number out of range"),
        ("[6,6,6,6]", "expected a JSON object of four bands"),
        ("{} {}", "trailing characters"),
    ] {
        let answer = post("application/json", body).await;
        assert_eq!(
            (answer.status, answer.media_type.as_str()),
            (400, "application/problem+json"),
            "{body}"
        );
        assert!(
            answer.body["detail"].as_str().unwrap().contains(part),
            "{body}: {}",
            answer.body
        );
    }
    assert_eq!(
        post("application/json", "[".repeat(10_000)).await.status,
        400
    );
    assert_eq!(
        post("application/json", vec![b'{', b'"', 0xff, b'"'])
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn another_content_type_is_a_415() {
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        assert_eq!(post(media_type, "{}").await.status, 415, "{media_type}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_a_413() {
    let answer = post("application/json", vec![b' '; super::BODY_BYTES_MAX + 1]).await;
    assert_eq!(
        (answer.status, answer.media_type.as_str()),
        (413, "application/problem+json")
    );
    assert_eq!(answer.body["detail"], "the body is larger than 16 KiB");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_arrives_is_a_408_and_holds_no_task() {
    let endless = Body::from_stream(pending::<Result<Bytes, Infallible>>());
    let answer = post("application/json", endless).await;
    assert_eq!(
        (answer.status, answer.media_type.as_str()),
        (408, "application/problem+json")
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    // The public /api/health is the frontend's: an answer from the backend would hide a wrong listener rule.
    for path in [
        "/",
        "/api/health",
        "/api/bands",
        "/actuator",
        "/actuator/health/",
    ] {
        let answer = get(path).await;
        assert_eq!(
            (answer.status, answer.media_type.as_str()),
            (404, "application/problem+json"),
            "{path}"
        );
        assert_eq!(answer.body["instance"], path);
    }
    let answer = get("/api/bands/overall").await;
    assert_eq!((answer.status, answer.allow.as_str()), (405, "POST"));
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("does not take GET")
    );
}

#[tokio::test]
async fn health_says_who_answered() {
    for path in [
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
    ] {
        let answer = get(path).await;
        assert_eq!(
            (answer.status, answer.media_type.contains("json")),
            (200, true),
            "{path}"
        );
        for (member, value) in [
            ("status", "UP"),
            ("service", "backend"),
            ("version", env!("CARGO_PKG_VERSION")),
        ] {
            assert_eq!(answer.body[member], value, "{path}");
        }
    }
}

#[tokio::test]
async fn draining_is_out_of_service_but_alive() {
    let lifecycle = Lifecycle::new();
    lifecycle.drain();
    for (path, status, word) in [
        ("/actuator/health/readiness", 503, "OUT_OF_SERVICE"),
        ("/actuator/health", 503, "OUT_OF_SERVICE"),
        ("/actuator/health/liveness", 200, "UP"),
    ] {
        let answer = send(&lifecycle, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status, answer.body["status"].as_str().unwrap()),
            (status, word),
            "{path}"
        );
        assert_eq!(answer.body["service"], "backend");
    }
}

#[tokio::test]
async fn info_names_the_deployed_commit() {
    let answer = get("/actuator/info").await;
    let expected =
        json!({ "name": "backend", "version": env!("CARGO_PKG_VERSION"), "commit": "abc1234" });
    assert_eq!((answer.status, answer.body), (200, expected));
}
