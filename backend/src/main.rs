//! The backend service: IELTS bands as a JSON API, and Spring Boot Actuator's health endpoints.
//!
//! It computes; it renders no page and keeps nothing.

mod actuator;
mod api;
mod bands;
mod problem;

use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use chassis::{Deadline, Lifecycle, Service, Settings, deadline};

const SERVICE: Service = Service {
    name: "backend",
    version: env!("CARGO_PKG_VERSION"),
    default_port: 8080,
    // Liveness and not the whole: a task that drains must not be replaced for it.
    probe_path: "/actuator/health/liveness",
    settings_help: "",
};

/// Four bands are below 100 bytes; the rest is room for spaces and mistakes.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Nothing here computes for long: what takes this time is a body that does not arrive. Below the 15 s
/// after which Service Connect's proxy gives a request up by default.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    chassis::run(&SERVICE, |settings, lifecycle| {
        Ok(router(settings, lifecycle))
    })
}

fn router(settings: &Settings, lifecycle: &Lifecycle) -> Router {
    let deadline_layer = Deadline {
        after: REQUEST_TIME_MAX,
        answer: problem::too_slow,
    };
    Router::new()
        .merge(api::router())
        .merge(actuator::router(settings, lifecycle))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(deadline_layer, deadline))
}

#[cfg(test)]
mod tests;
