//! A backend that is down, slow or talks nonsense: the page stays up, says so and keeps what was typed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::{FOUR_BANDS, alone, form, frontend, post_to, right, send};

#[tokio::test]
async fn a_backend_that_fails_or_talks_nonsense_gets_a_kind_page_that_keeps_the_bands() {
    type Answer = fn() -> Response;
    let cases: [(&str, Answer); 11] = [
        ("500", || StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        ("404", || StatusCode::NOT_FOUND.into_response()),
        ("redirect", || {
            axum::response::Redirect::temporary("/elsewhere").into_response()
        }),
        ("empty", || "".into_response()),
        ("html", || "<html>hello</html>".into_response()),
        ("no band", || "{}".into_response()),
        ("no number", || {
            r#"{"overall":"6.5","mean":6.25}"#.into_response()
        }),
        ("no half", || {
            r#"{"overall":6.3,"mean":6.25}"#.into_response()
        }),
        ("no band of the test", || {
            r#"{"overall":65,"mean":6.25}"#.into_response()
        }),
        ("endless", || {
            Body::from(vec![b' '; 10_000_000]).into_response()
        }),
        ("422 without a reason", || {
            (StatusCode::UNPROCESSABLE_ENTITY, r#"{"errors":[]}"#).into_response()
        }),
    ];
    for (case, answer) in cases {
        let page = post_to(move |_, _| answer()).await;
        assert_eq!(page.status, 503, "{case}");
        page.shows("Sorry, we cannot work out your band right now");
        page.shows("name=\"writing\" value=\"5.0\"");
    }
}

#[tokio::test]
async fn a_backend_that_refuses_connections_gets_the_kind_page() {
    alone(form(FOUR_BANDS))
        .await
        .shows("Sorry, we cannot work out your band right now");
}

#[tokio::test]
async fn a_backend_that_never_answers_is_given_up() {
    // Accepts by its backlog, and nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = send(frontend(&url, Duration::from_millis(100)), form(FOUR_BANDS)).await;
    assert_eq!(page.status, 503);
    page.shows("Sorry, we cannot work out your band right now");
}

#[tokio::test]
async fn a_task_that_goes_away_under_a_request_costs_a_repetition_and_not_the_page() {
    let page = post_to(|n, _| {
        if n == 0 {
            StatusCode::BAD_GATEWAY.into_response()
        } else {
            right()
        }
    })
    .await;
    assert_eq!(page.status, 200);
    // Twice is an outage: it is reported, and not retried further.
    let tried = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tried);
    let page = post_to(move |n, _| {
        seen.store(n + 1, Ordering::SeqCst);
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    })
    .await;
    assert_eq!((page.status, tried.load(Ordering::SeqCst)), (503, 2));
}

#[tokio::test]
async fn a_connection_closed_under_a_request_is_made_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        drop(listener.accept().await);
        let app = Router::new().fallback(async || right());
        axum::serve(listener, app).await
    });
    assert_eq!(
        send(frontend(&url, Duration::from_secs(5)), form(FOUR_BANDS))
            .await
            .status,
        200
    );
}
