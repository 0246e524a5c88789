//! The frontend service: one page with a form for four bands, rendered here, computed by the backend.
//!
//! It knows what a form and a page are, and leaves to the backend what a band is.

mod assets;
mod backend;
mod compress;
mod form;
mod headers;
mod page;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chassis::{Deadline, Service, Trouble, deadline};

use crate::backend::{Backend, Failure, Limits};
use crate::form::Form;
use crate::page::Outcome;

const SERVICE: Service = Service {
    name: "frontend",
    version: env!("CARGO_PKG_VERSION"),
    default_port: 3000,
    probe_path: "/api/health",
    settings_help: "  BACKEND_URL             where the backend is [default: http://backend.ielts.local:8080]\n  \
                     HTTP_PROXY, NO_PROXY    the proxy to reach it through, and what goes without one\n",
};

/// The Service Connect alias of the backend.
const BACKEND_URL: &str = "http://backend.ielts.local:8080";

/// Four short fields; the rest is room for mistakes, which come back in the page.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// More than the backend may take (`Limits`), so that its slowness is reported as such.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

fn main() -> ExitCode {
    chassis::run(&SERVICE, |_, _| {
        let url = chassis::variable("BACKEND_URL")?.unwrap_or_else(|| BACKEND_URL.to_owned());
        let backend = Backend::new(&url, Limits::default(), reqwest::Client::builder())
            .map_err(|why| Trouble::unseen("BACKEND_URL", why))?;
        tracing::info!(url = backend.url(), "the backend");
        Ok(router(backend))
    })
}

fn router(backend: Backend) -> Router {
    let deadline_layer = Deadline {
        after: REQUEST_TIME_MAX,
        answer: |_| page::notice(StatusCode::REQUEST_TIMEOUT),
    };
    Router::new()
        .route("/", get(home).post(overall))
        .route("/api/health", get(health))
        .merge(assets::router())
        .fallback(async || page::notice(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || page::notice(StatusCode::METHOD_NOT_ALLOWED))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(deadline_layer, deadline))
        .layer(map_response(headers::secure))
        .layer(from_fn(compress::gzip))
        .with_state(Arc::new(backend))
}

/// Its own health alone: a frontend that fell with the backend would take the page down with it.
async fn health() -> Response {
    chassis::json(StatusCode::OK, "application/json", &SERVICE.health("UP"))
}

/// The empty form, or the result of the one in the query: an address that can be shared and loaded again.
async fn home(
    State(backend): State<Arc<Backend>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match query.unwrap_or_default() {
        query if query.len() > BODY_BYTES_MAX => page::notice(StatusCode::URI_TOO_LONG),
        query => match Form::in_query(&query) {
            Some(form) => result(&backend, &form, &headers).await,
            None => page::home(&Form::default(), &Outcome::Nothing),
        },
    }
}

/// A page of an earlier release sends its form so.
async fn overall(
    State(backend): State<Arc<Backend>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !is_form(&headers) {
        return page::notice(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return page::notice(rejection.into_response().status()),
    };
    result(&backend, &Form::parse(&body), &headers).await
}

async fn result(backend: &Backend, form: &Form, headers: &HeaderMap) -> Response {
    let outcome = match backend.overall(form, headers).await {
        Ok(overall) => Outcome::Overall(overall),
        Err(Failure::Wrong(mistakes)) => Outcome::Wrong(mistakes),
        Err(Failure::Unavailable(why)) => {
            tracing::warn!(why, "the backend is not available");
            Outcome::Unavailable
        }
    };
    page::home(form, &outcome)
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    media_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(FORM_MEDIA_TYPE))
}

#[cfg(test)]
mod tests;
