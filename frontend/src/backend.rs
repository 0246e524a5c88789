//! The call to the backend: bounded in time and size, repeated once where that is safe, and believed only where its
//! answer makes sense.

use std::error::Error;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use reqwest::retry::for_host;
use reqwest::{Client, ClientBuilder, Response, Url, redirect};
use serde_json::Value;

use crate::form::{FIELDS, Form};

/// Ties this request's log lines in both services to the load balancer's.
const TRACE_HEADER: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// A right answer is below 200 bytes and a list of mistakes below 1 KiB, save for what was typed wrong.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long a person is kept waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    /// The whole call with its repetition.
    pub(crate) total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            total: Duration::from_secs(3),
        }
    }
}

/// The backend's answer to four bands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overall {
    /// From 0 to 9, a whole or a half.
    pub(crate) band: f64,
    pub(crate) mean: f64,
    /// What a candidate of this band is called, if the backend says so.
    pub(crate) level: Option<String>,
}

/// What the backend finds wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Which field, as an index into [`FIELDS`].
    pub(crate) field: usize,
    /// To be read after the field's label.
    pub(crate) detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What the person can correct. Never empty.
    Wrong(Vec<Mistake>),
    /// The person cannot; the reason is for the log.
    Unavailable(String),
}

#[derive(Debug)]
pub(crate) struct Backend {
    client: Client,
    overall: Url,
    limits: Limits,
}

impl Backend {
    /// `builder` decides about proxies: reqwest's default takes `HTTP_PROXY` and `NO_PROXY` from the environment.
    ///
    /// # Errors
    /// Why `url` cannot be used, without showing it: it may hold a password.
    pub(crate) fn new(url: &str, limits: Limits, builder: ClientBuilder) -> Result<Self, String> {
        let mut overall = Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
        if overall.scheme() != "http" {
            return Err("must begin with http://, as Service Connect serves it".to_owned());
        }
        if !overall.username().is_empty() || overall.password().is_some() {
            return Err("must not hold a user or a password".to_owned());
        }
        if overall.query().is_some() || overall.fragment().is_some() {
            return Err("must end before any ? or #".to_owned());
        }
        let host = overall.host_str().unwrap_or_default().to_owned();
        overall
            .path_segments_mut()
            .map_err(|()| "has no path to add to".to_owned())?
            .pop_if_empty()
            .extend(["api", "bands", "overall"]);
        // To compute a band twice does no harm, so a connection that a stopping backend closed under the request, or a
        // proxy that still knew the old task, costs one repetition and not a page of regret.
        let retry = for_host(host)
            .max_retries_per_request(1)
            .classify_fn(|attempt| {
                let broken = attempt.error().is_some_and(|error| !is_timeout(error));
                if broken || attempt.status().is_some_and(is_passing) {
                    attempt.retryable()
                } else {
                    attempt.success()
                }
            });
        let client = builder
            .user_agent(concat!("frontend/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .redirect(redirect::Policy::none())
            .retry(retry)
            .build()
            .map_err(|error| format!("no HTTP client: {}", chain(&error)))?;
        Ok(Self {
            client,
            overall,
            limits,
        })
    }

    pub(crate) fn url(&self) -> &str {
        self.overall.as_str()
    }

    /// # Errors
    /// What is wrong with the bands, or that there is no answer to be had now.
    pub(crate) async fn overall(
        &self,
        form: &Form,
        incoming: &HeaderMap,
    ) -> Result<Overall, Failure> {
        let mut request = self
            .client
            .post(self.overall.clone())
            .timeout(self.limits.total)
            .header(header::CONTENT_TYPE, "application/json")
            .body(form.request().to_string());
        if let Some(trace) = incoming.get(TRACE_HEADER) {
            request = request.header(TRACE_HEADER, trace);
        }
        let call = async {
            let response = request.send().await.map_err(|error| chain(&error))?;
            let status = response.status();
            Ok::<_, String>((
                status,
                body(response)
                    .await
                    .map_err(|why| format!("HTTP {status}, and {why}"))?,
            ))
        };
        let (status, body) = call.await.map_err(Failure::Unavailable)?;
        let made = match status {
            StatusCode::OK => read_overall(&body).map(Ok),
            StatusCode::UNPROCESSABLE_ENTITY => read_mistakes(&body).map(Err),
            _ => None,
        };
        match made {
            Some(Ok(overall)) => Ok(overall),
            Some(Err(mistakes)) => Err(Failure::Wrong(mistakes)),
            None => Err(Failure::Unavailable(format!(
                "HTTP {status} with an answer that makes no sense here"
            ))),
        }
    }
}

/// What a proxy or a balancer says while tasks come and go.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(reqwest::Error::is_timeout)
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(format!("more than {ANSWER_BYTES_MAX} bytes"));
        }
    }
    Ok(bytes)
}

fn read_overall(body: &[u8]) -> Option<Overall> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let member = |name: &str| {
        body.get(name)?
            .as_f64()
            .filter(|number| (0.0..=9.0).contains(number))
    };
    let band = member("overall").filter(|band| (band * 2.0).fract() == 0.0)?;
    let level = body.get("level").and_then(Value::as_str).map(str::to_owned);
    Some(Overall {
        band,
        mean: member("mean")?,
        level,
    })
}

fn read_mistakes(body: &[u8]) -> Option<Vec<Mistake>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mistakes = body.get("errors")?.as_array()?.iter().filter_map(|error| {
        let field = FIELDS.iter().position(|field| error["field"] == field.id)?;
        Some(Mistake {
            field,
            detail: error["detail"].as_str()?.to_owned(),
        })
    });
    Some(mistakes.collect()).filter(|mistakes: &Vec<_>| !mistakes.is_empty())
}

/// The error with its causes, which reqwest's own text leaves out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
