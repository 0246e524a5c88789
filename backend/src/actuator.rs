//! `/actuator/…` in the shape of Spring Boot Actuator, with the answering service's name and version
//! beside the status.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use chassis::{Lifecycle, Settings};
use serde_json::{Value, json};

use crate::SERVICE;

/// What Actuator itself sends; any JSON reader takes it.
const MEDIA_TYPE: &str = "application/vnd.spring-boot.actuator.v3+json";

const UP: &str = "UP";

pub(crate) fn router(settings: &Settings, lifecycle: &Lifecycle) -> Router {
    let info =
        json!({ "name": SERVICE.name, "version": SERVICE.version, "commit": settings.commit });
    let (whole, readiness) = (lifecycle.clone(), lifecycle.clone());
    Router::new()
        .route("/actuator/health", get(|| async move { health(&whole) }))
        .route(
            "/actuator/health/liveness",
            get(|| async { answer(UP, SERVICE.health(UP)) }),
        )
        .route(
            "/actuator/health/readiness",
            get(|| async move {
                let status = readiness_of(&readiness);
                answer(status, SERVICE.health(status))
            }),
        )
        .route(
            "/actuator/info",
            get(|| async move { chassis::json(StatusCode::OK, MEDIA_TYPE, &info) }),
        )
}

/// As in Spring Boot, the whole is as bad as the worst of its components.
fn health(lifecycle: &Lifecycle) -> Response {
    let readiness = readiness_of(lifecycle);
    let mut body = SERVICE.health(readiness);
    body["components"] =
        json!({ "livenessState": { "status": UP }, "readinessState": { "status": readiness } });
    body["groups"] = json!(["liveness", "readiness"]);
    answer(readiness, body)
}

fn readiness_of(lifecycle: &Lifecycle) -> &'static str {
    if lifecycle.is_draining() {
        "OUT_OF_SERVICE"
    } else {
        UP
    }
}

fn answer(status: &str, body: Value) -> Response {
    let code = if status == UP {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    chassis::json(code, MEDIA_TYPE, &body)
}
