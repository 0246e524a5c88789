//! Classifies a registry's answer by its status, its error codes and its body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Deserialize;

/// Longest piece of a body that is shown to people, in characters.
const SHOWN_MAX: usize = 200;

/// `errors` of the distribution protocol.
#[derive(Default, Deserialize)]
struct Problems {
    errors: Vec<Problem>,
}

#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The first error code, such as `TAG_INVALID`; empty when the body is not of the protocol's shape.
pub(super) fn code(reply: &Response<Bytes>) -> String {
    problems(reply).into_iter().next().map(|problem| problem.code).unwrap_or_default()
}

/// What an answer says, for people: the protocol's errors when it has them, else what the body is instead.
pub(super) fn said(reply: &Response<Bytes>) -> String {
    let mut problems = problems(reply);
    // Without code and message the body itself says more.
    problems.retain(|problem| !problem.code.is_empty() || !problem.message.trim().is_empty());
    if !problems.is_empty() {
        let one = |problem: &Problem| match (problem.code.as_str(), problem.message.trim()) {
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        return problems.iter().map(one).collect::<Vec<_>>().join("; ");
    }
    let text = String::from_utf8_lossy(reply.body());
    let text = text.trim();
    if text.is_empty() {
        return "an empty body".to_owned();
    }
    let content_type =
        reply.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("text/html") || text.starts_with('<') {
        let title = between(text, "<title>", "</title>").unwrap_or_else(|| "no title".to_owned());
        return format!(
            "a web page ({title}) instead of a registry's answer: a proxy or another server responds"
        );
    }
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Whether the same request may succeed a little later.
pub(super) fn passes(reply: &Response<Bytes>) -> bool {
    matches!(
        reply.status(),
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    ) // Docker Hub's limit comes as this code, whatever the status.
    || code(reply) == "TOOMANYREQUESTS"
}

/// `Retry-After` in seconds; its other form, a date, is not used by registries.
pub(super) fn retry_after(reply: &Response<Bytes>) -> Option<Duration> {
    let seconds = reply.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The digest that the registry says it holds.
pub(super) fn content_digest(reply: &Response<Bytes>) -> Option<&str> {
    reply.headers().get("docker-content-digest")?.to_str().ok()
}

fn problems(reply: &Response<Bytes>) -> Vec<Problem> {
    serde_json::from_slice::<Problems>(reply.body()).unwrap_or_default().errors
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    let (inner, _) = rest.split_once(end)?;
    Some(inner.trim().chars().take(SHOWN_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, content_type: &str, body: &str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .header(CONTENT_TYPE, content_type)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn an_answer_is_reported_as_what_it_is() {
        let long = "é".repeat(300);
        let table = [
            (
                reply(
                    400,
                    "application/json",
                    r#"{"errors":[{"code":"TAG_INVALID","message":"immutable","detail":{}}]}"#,
                ),
                "TAG_INVALID: immutable",
            ),
            (
                reply(403, "application/json", r#"{"errors":[{"code":"DENIED"},{"message":"no"}]}"#),
                "DENIED; no",
            ),
            (
                reply(
                    502,
                    "text/html; charset=utf-8",
                    "<html><head><title> Bad Gateway </title></head></html>",
                ),
                "a web page (Bad Gateway) instead of a registry's answer: a proxy or another server responds",
            ),
            (
                reply(200, "application/octet-stream", "<!doctype html><p>hello"),
                "a web page (no title) instead of a registry's answer: a proxy or another server responds",
            ),
            (reply(404, "text/plain", " \n"), "an empty body"),
            (
                reply(400, "application/json", r#"{"errors":[{"detail":"x"}]}"#),
                r#"{"errors":[{"detail":"x"}]}"#,
            ),
            (reply(401, "text/plain; charset=utf-8", "Not Authorized\n"), "Not Authorized"),
            (reply(400, "application/json", r#"{"message":"x"}"#), r#"{"message":"x"}"#),
            (reply(500, "text/plain", &long), &format!("{}…", "é".repeat(200))),
        ];
        for (reply, expected) in table {
            assert_eq!(said(&reply), expected);
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_repeated() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(passes(&reply(status, "text/plain", "")), "{status}");
        }
        for status in [200, 400, 401, 403, 404, 405, 409, 416, 501] {
            assert!(!passes(&reply(status, "text/plain", "")), "{status}");
        }
        let throttled = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}"#;
        assert!(passes(&reply(400, "application/json", throttled)));
    }

    #[test]
    fn a_pause_that_the_registry_asks_for_is_read_in_seconds() {
        let with = |value: &str| {
            let mut reply = reply(429, "text/plain", "");
            reply.headers_mut().insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&reply)
        };
        assert_eq!(with("3"), Some(Duration::from_secs(3)));
        assert_eq!(with("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
