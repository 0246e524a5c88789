//! The page as a browser sees it, with a backend over loopback that answers as each test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::backend::{Backend, Limits};
use crate::{BODY_BYTES_MAX, FORM_MEDIA_TYPE};

const FOUR_BANDS: &str = "listening=6.5&reading=6.5&writing=5.0&speaking=7";

struct Page {
    status: u16,
    headers: HeaderMap,
    html: String,
}

impl Page {
    #[track_caller]
    fn shows(&self, part: &str) {
        assert!(
            self.html.contains(part),
            "{part:?} is not in:\n{}",
            self.html
        );
    }
}

fn frontend(backend_url: &str, total: Duration) -> Router {
    let limits = Limits {
        total,
        ..Limits::default()
    };
    // The tests' own machine may have a proxy.
    let client = reqwest::Client::builder().no_proxy();
    crate::router(Backend::new(backend_url, limits, client).unwrap())
}

async fn send(frontend: Router, request: Request) -> Page {
    let (parts, body) = frontend.oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    Page {
        status: parts.status.as_u16(),
        headers: parts.headers,
        html,
    }
}

fn form(body: impl Into<Body>) -> Request {
    Request::post("/")
        .header(header::CONTENT_TYPE, FORM_MEDIA_TYPE)
        .body(body.into())
        .unwrap()
}

fn get(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Nobody listens there, so a page that needs the backend would not come.
async fn alone(request: Request) -> Page {
    send(
        frontend("http://127.0.0.1:1", Duration::from_secs(5)),
        request,
    )
    .await
}

/// A backend that answers its n-th request (from 0) with `answer(n, what was sent)`; gives its URL.
async fn fake<F>(answer: F) -> String
where
    F: Fn(usize, Value) -> Response + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let app = Router::new().fallback(async move |request: Request| {
        assert_eq!(
            (request.method().as_str(), request.uri().path()),
            ("POST", "/api/bands/overall")
        );
        assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
        let trace = request
            .headers()
            .get("x-amzn-trace-id")
            .map(|id| id.to_str().unwrap().to_owned());
        let mut sent: Value =
            serde_json::from_slice(&to_bytes(request.into_body(), usize::MAX).await.unwrap())
                .unwrap();
        if let Some(trace) = trace {
            sent["trace"] = trace.into();
        }
        answer(count.fetch_add(1, Ordering::SeqCst), sent)
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn post_to(answer: impl Fn(usize, Value) -> Response + Send + Sync + 'static) -> Page {
    send(
        frontend(&fake(answer).await, Duration::from_secs(5)),
        form(FOUR_BANDS),
    )
    .await
}

fn right() -> Response {
    chassis::json(
        StatusCode::OK,
        "application/json",
        &json!({ "overall": 6.5, "mean": 6.25, "level": "Competent user" }),
    )
}

#[tokio::test]
async fn the_page_and_its_health_are_there_without_a_backend() {
    let page = alone(get("/")).await;
    assert_eq!(page.status, 200);
    for id in ["listening", "reading", "writing", "speaking"] {
        page.shows(&format!("<label for=\"{id}\">"));
        page.shows(&format!("<input id=\"{id}\" name=\"{id}\" value=\"\""));
    }
    let health = alone(get("/api/health")).await;
    let expected =
        json!({ "status": "UP", "service": "frontend", "version": env!("CARGO_PKG_VERSION") });
    assert_eq!(
        (
            health.status,
            serde_json::from_str::<Value>(&health.html).unwrap()
        ),
        (200, expected)
    );
}

#[tokio::test]
async fn four_bands_are_sent_on_and_the_overall_band_is_shown() {
    let page = post_to(|_, sent| {
        assert_eq!(
            sent,
            json!({ "listening": 6.5, "reading": 6.5, "writing": 5.0, "speaking": 7.0 })
        );
        right()
    })
    .await;
    assert_eq!(page.status, 200);
    page.shows("<title>Overall band 6.5 ");
    page.shows(">6.5</output>");
    page.shows("The mean of your four bands is <b>6.25</b>, which rounds up to <b>6.5</b>.");
    page.shows("Competent user");
    page.shows("name=\"writing\" value=\"5.0\"");
}

#[tokio::test]
async fn a_result_has_an_address_that_shows_it_again() {
    let page = alone(get("/")).await;
    page.shows("method=\"get\" action=\"/\"");
    let url = fake(|_, sent| {
        assert_eq!(
            sent,
            json!({ "listening": 6.5, "reading": 6.5, "writing": 5.0, "speaking": 7.0 })
        );
        right()
    })
    .await;
    for _ in 0..2 {
        let asked = get(&format!("/?utm_source=a&{FOUR_BANDS}"));
        let page = send(frontend(&url, Duration::from_secs(5)), asked).await;
        assert_eq!(page.status, 200);
        page.shows(">6.5</output>");
        page.shows("name=\"writing\" value=\"5.0\"");
    }
    // Parameters of somebody else are not the form; an empty one is.
    assert_eq!(alone(get("/?utm_source=a")).await.status, 200);
    let empty = "/?listening=&reading=&writing=&speaking=";
    assert_eq!(alone(get(empty)).await.status, 503, "it is asked about");
}

#[tokio::test]
async fn a_browser_that_does_not_read_the_page_finds_the_icon() {
    let icon = alone(get("/favicon.ico")).await;
    assert_eq!(
        (icon.status, &icon.headers[header::CONTENT_TYPE]),
        (200, &"image/svg+xml".parse().unwrap())
    );
}

#[tokio::test]
async fn the_explanation_follows_the_rounding() {
    for (overall, mean, explanation) in [
        (6.0, 6.125, "<b>6.125</b>, which rounds down to <b>6.0</b>"),
        (7.0, 6.75, "<b>6.75</b>, which rounds up to <b>7.0</b>"),
        (6.0, 6.0, "<b>6.0</b>, which is already a band: <b>6.0</b>"),
        (0.0, 0.0, "<b>0.0</b>, which is already a band: <b>0.0</b>"),
    ] {
        let answer = move |_, _| {
            axum::response::Html(json!({ "overall": overall, "mean": mean }).to_string())
                .into_response()
        };
        post_to(answer).await.shows(explanation);
    }
}

#[tokio::test]
async fn the_load_balancers_trace_id_reaches_the_backend() {
    let url = fake(|_, sent| {
        if sent["trace"] == "Root=1-abc" {
            right()
        } else {
            StatusCode::IM_A_TEAPOT.into_response()
        }
    })
    .await;
    let mut request = form(FOUR_BANDS);
    request
        .headers_mut()
        .insert("x-amzn-trace-id", "Root=1-abc".parse().unwrap());
    assert_eq!(
        send(frontend(&url, Duration::from_secs(5)), request)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn wrong_bands_are_named_beside_their_fields_and_kept() {
    let url = fake(|_, sent| {
        assert_eq!(sent, json!({ "listening": "<b>", "speaking": 6.3 }));
        let errors = json!([
            { "field": "listening", "detail": "must be a <number>" },
            { "field": "reading", "detail": "is missing" },
            { "field": "unheard-of", "detail": "is not a skill" },
        ]);
        chassis::json(
            StatusCode::UNPROCESSABLE_ENTITY,
            "application/problem+json",
            &json!({ "errors": errors }),
        )
    })
    .await;
    let page = send(
        frontend(&url, Duration::from_secs(5)),
        form("listening=%3Cb%3E&speaking=6,3"),
    )
    .await;
    assert_eq!(page.status, 422);
    page.shows("<title>Please check your bands");
    page.shows("<a href=\"#reading\">Reading is missing</a>");
    page.shows("id=\"reading-mistake\">Reading is missing<");
    page.shows(
        "aria-describedby=\"reading-mistake reading-hint bands-note\" aria-invalid=\"true\"",
    );
    page.shows("value=\"6,3\"");
    for raw in ["<b>", "<number>", "unheard-of"] {
        assert!(!page.html.contains(raw), "{raw}");
    }
}

#[tokio::test]
async fn whatever_is_answered_carries_the_security_headers() {
    for (path, status) in [
        ("/", 200),
        ("/nope", 404),
        ("/api/health", 200),
        ("/actuator/health", 404),
    ] {
        let page = alone(get(path)).await;
        assert_eq!(page.status, status, "{path}");
        let policy = page.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        // The policy would block both, and with them the page's look.
        assert!(
            !page.html.contains("style=") && !page.html.contains("<script"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_that_are_not_the_form_get_a_page_too() {
    let delete = Request::delete("/").body(Body::empty()).unwrap();
    let text = Request::post("/").body(Body::from(FOUR_BANDS)).unwrap();
    let large = form("x".repeat(BODY_BYTES_MAX + 1));
    for (request, status) in [
        (delete, 405),
        (text, 415),
        (large, 413),
        (get("/nope"), 404),
        (
            get(&format!("/?listening={}", "x".repeat(BODY_BYTES_MAX))),
            414,
        ),
    ] {
        let page = alone(request).await;
        assert_eq!(page.status, status);
        page.shows("<a class=\"button\" href=\"/\">");
    }
}

#[tokio::test]
async fn a_page_of_the_other_release_keeps_its_style_during_a_rolling_deployment() {
    let page = alone(get("/")).await;
    let current = page
        .html
        .split('"')
        .find(|part| part.ends_with("/style.css"))
        .unwrap();
    for (path, cache) in [
        (current, "public, max-age=31536000, immutable"),
        ("/assets/0123/style.css", "no-store"),
    ] {
        let style = alone(get(path)).await;
        assert_eq!(
            (style.status, &style.headers[header::CACHE_CONTROL]),
            (200, &cache.parse().unwrap()),
            "{path}"
        );
        assert_eq!(
            style.headers[header::CONTENT_TYPE],
            "text/css; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn a_wrong_backend_url_is_refused_and_not_repeated_aloud() {
    for (url, reason) in [
        ("backend:8080", "must begin with http://"),
        ("https://backend.ielts.local", "must begin with http://"),
        (
            "http://user:canary@backend",
            "must not hold a user or a password",
        ),
        ("http://user:canary@:80", "not a URL"),
        ("http://backend/?x=canary", "must end before any ? or #"),
        ("", "not a URL"),
    ] {
        let why = Backend::new(url, Limits::default(), reqwest::Client::builder()).unwrap_err();
        assert!(
            why.contains(reason) && !why.contains("canary"),
            "{url}: {why}"
        );
    }
    for (url, target) in [
        (
            "http://backend.ielts.local:8080",
            "http://backend.ielts.local:8080/api/bands/overall",
        ),
        (
            "http://gateway/ielts/",
            "http://gateway/ielts/api/bands/overall",
        ),
    ] {
        let backend = Backend::new(url, Limits::default(), reqwest::Client::builder()).unwrap();
        assert_eq!(backend.url(), target);
    }
}

mod compress;
mod outage;
