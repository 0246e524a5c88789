//! Refusals as RFC 9457 problem details, naming each field that is wrong.

use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

const MEDIA_TYPE: &str = "application/problem+json";

/// One mistake in a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The member of the body.
    pub(crate) field: String,
    /// What is wrong with it, to be read after its name.
    pub(crate) detail: &'static str,
}

/// `instance` is the path of the request. The type is `about:blank`: by RFC 9457 (4.2.1) the status then says it all.
pub(crate) fn problem(status: StatusCode, instance: &str, detail: &str) -> Response {
    answer(
        status,
        instance,
        "about:blank",
        status.canonical_reason().unwrap_or("Error"),
        detail,
        &[],
    )
}

/// The body was understood and is wrong in the places of `mistakes`, which are all there are.
pub(crate) fn wrong_fields(instance: &str, mistakes: &[Mistake]) -> Response {
    let detail: Vec<String> = mistakes
        .iter()
        .map(|mistake| format!("{} {}", mistake.field, mistake.detail))
        .collect();
    let errors: Vec<Value> = mistakes
        .iter()
        .map(|mistake| json!({ "field": mistake.field, "detail": mistake.detail }))
        .collect();
    let kind = "tag:ielts.local,2026:problems/wrong-bands";
    answer(
        StatusCode::UNPROCESSABLE_ENTITY,
        instance,
        kind,
        "The bands are not valid",
        &detail.join("; "),
        &errors,
    )
}

fn answer(
    status: StatusCode,
    instance: &str,
    kind: &str,
    title: &str,
    detail: &str,
    errors: &[Value],
) -> Response {
    let mut body = json!({
        "type": kind,
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "instance": instance,
    });
    if !errors.is_empty() {
        body["errors"] = errors.into();
    }
    chassis::json(status, MEDIA_TYPE, &body)
}

pub(crate) fn too_slow(path: &str) -> Response {
    problem(
        StatusCode::REQUEST_TIMEOUT,
        path,
        "the request did not arrive in time",
    )
}

pub(crate) async fn no_such_path(uri: Uri) -> Response {
    problem(
        StatusCode::NOT_FOUND,
        uri.path(),
        "nothing is served at this path",
    )
}

pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Response {
    let detail = format!("this path does not take {method}; the Allow header lists what it takes");
    problem(StatusCode::METHOD_NOT_ALLOWED, uri.path(), &detail)
}
