//! `/api/…`: the skills of the test, and the overall band of four.
//!
//! A body is read by hand and not into a struct, so that one answer names all of its mistakes.
//! Nothing is served at `/api/health`: that path is the frontend's, and an answer from here would look like one.

use std::fmt;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::bands::{Band, Overall, Skill};
use crate::problem::{Mistake, problem, wrong_fields};

const MEDIA_TYPE: &str = "application/json";

pub(crate) fn router() -> Router {
    Router::new()
        .route("/api/skills", get(skills))
        .route("/api/bands/overall", post(overall))
}

async fn skills() -> Response {
    let skills = Skill::ALL
        .map(|skill| json!({ "id": skill.id(), "name": skill.name(), "description": skill.description() }));
    chassis::json(StatusCode::OK, MEDIA_TYPE, &json!({ "skills": skills }))
}

async fn overall(uri: Uri, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let instance = uri.path();
    if !is_json(&headers) {
        let detail = "the Content-Type must be application/json";
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, instance, detail);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let status = rejection.into_response().status();
            let detail = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than 16 KiB",
                _ => "the body did not arrive whole",
            };
            return problem(status, instance, detail);
        }
    };
    let members: Members = match serde_json::from_slice(&body) {
        Ok(members) => members,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                instance,
                &format!("the body is not what it must be: {error}"),
            );
        }
    };
    match bands(&members) {
        Ok(bands) => chassis::json(StatusCode::OK, MEDIA_TYPE, &result(bands)),
        Err(mistakes) => wrong_fields(instance, &mistakes),
    }
}

fn result(bands: [Band; 4]) -> Value {
    let overall = Overall::of(bands);
    json!({
        "overall": overall.band.value(),
        "mean": overall.mean(),
        "rounding": overall.rounding(),
        "level": overall.band.level(),
    })
}

/// A JSON object's members in their order, with those that come twice.
struct Members(Vec<(String, Value)>);

fn bands(members: &Members) -> Result<[Band; 4], Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let bands = Skill::ALL.map(|skill| {
        let mut given = members
            .0
            .iter()
            .filter(|(name, _)| name == skill.id())
            .map(|(_, value)| value);
        let band = match (given.next(), given.next()) {
            (None, _) => Err("is missing"),
            (Some(_), Some(_)) => Err("is there more than once"),
            (Some(value), None) => Band::from_json(value),
        };
        band.map_err(|detail| {
            mistakes.push(Mistake {
                field: skill.id().to_owned(),
                detail,
            })
        })
        .ok()
    });
    let unknown = members
        .0
        .iter()
        .filter(|(name, _)| Skill::ALL.iter().all(|skill| skill.id() != name));
    mistakes.extend(unknown.map(|(name, _)| Mistake {
        field: name.clone(),
        detail: "is not a skill",
    }));
    match bands {
        [
            Some(listening),
            Some(reading),
            Some(writing),
            Some(speaking),
        ] if mistakes.is_empty() => Ok([listening, reading, writing, speaking]),
        _ => Err(mistakes),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    media_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object of four bands")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
