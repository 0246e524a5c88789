//! The pages: what their templates get, and with which status they are sent.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::SERVICE;
use crate::assets::{ICON, STYLE};
use crate::backend::{Mistake, Overall};
use crate::form::{FIELDS, Form};

/// What has come of the form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It has not been sent yet.
    Nothing,
    Overall(Overall),
    Wrong(Vec<Mistake>),
    /// The backend cannot be reached, or what it says makes no sense.
    Unavailable,
}

impl Outcome {
    fn status(&self) -> StatusCode {
        match self {
            Self::Nothing | Self::Overall(_) => StatusCode::OK,
            Self::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Said first by a screen reader when the page has loaded, which is when a live region says nothing yet.
    fn title(&self) -> String {
        let name = "IELTS practice";
        match self {
            Self::Nothing => format!("{name}: your overall band"),
            Self::Overall(overall) => format!("Overall band {:.1} – {name}", overall.band),
            Self::Wrong(_) => format!("Please check your bands – {name}"),
            Self::Unavailable => format!("Not available right now – {name}"),
        }
    }
}

struct Frame {
    title: String,
    style: String,
    icon: String,
    version: &'static str,
}

impl Frame {
    fn new(title: String) -> Self {
        Self {
            title,
            style: STYLE.path(),
            icon: ICON.path(),
            version: SERVICE.version,
        }
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame,
    inputs: Vec<Input<'a>>,
    result: Option<Shown<'a>>,
    wrong: bool,
    unavailable: bool,
}

struct Input<'a> {
    id: &'static str,
    name: &'static str,
    hint: &'static str,
    typed: &'a str,
    mistake: Option<&'a str>,
}

struct Shown<'a> {
    band: String,
    mean: String,
    level: Option<&'a str>,
    rounding: &'static str,
}

impl<'a> Shown<'a> {
    fn new(overall: &'a Overall) -> Self {
        let rounding = if overall.band > overall.mean {
            "which rounds up to"
        } else if overall.band < overall.mean {
            "which rounds down to"
        } else {
            "which is already a band:"
        };
        let mean = format!("{:.3}", overall.mean);
        let mean = mean.trim_end_matches('0');
        let mean = if mean.ends_with('.') {
            format!("{mean}0")
        } else {
            mean.to_owned()
        };
        Self {
            band: format!("{:.1}", overall.band),
            mean,
            level: overall.level.as_deref(),
            rounding,
        }
    }
}

/// The page with the form, as it was typed, and its outcome.
pub(crate) fn home(form: &Form, outcome: &Outcome) -> Response {
    let mistakes: &[Mistake] = if let Outcome::Wrong(mistakes) = outcome {
        mistakes
    } else {
        &[]
    };
    let inputs = FIELDS
        .iter()
        .zip(&form.typed)
        .enumerate()
        .map(|(index, (field, typed))| Input {
            id: field.id,
            name: field.name,
            hint: field.hint,
            typed,
            mistake: mistakes
                .iter()
                .find(|mistake| mistake.field == index)
                .map(|mistake| mistake.detail.as_str()),
        });
    let page = Home {
        frame: Frame::new(outcome.title()),
        inputs: inputs.collect(),
        result: if let Outcome::Overall(overall) = outcome {
            Some(Shown::new(overall))
        } else {
            None
        },
        wrong: !mistakes.is_empty(),
        unavailable: *outcome == Outcome::Unavailable,
    };
    send(outcome.status(), &page)
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice {
    frame: Frame,
    heading: &'static str,
    text: &'static str,
}

/// A page for a request that has none of its own.
pub(crate) fn notice(status: StatusCode) -> Response {
    let (heading, text) = match status {
        StatusCode::NOT_FOUND => (
            "There is no such page",
            "The address may be mistyped, or the page is gone.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "That cannot be done here",
            "This address does not take that kind of request.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => (
            "That is too much",
            "Four bands are all that the form takes.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "That is not the form",
            "Please use the form to send your bands.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "That took too long",
            "Your request did not arrive in time. Please try again.",
        ),
        _ => ("That did not work", "Please go back and try again."),
    };
    send(
        status,
        &Notice {
            frame: Frame::new(format!("{heading} – IELTS practice")),
            heading,
            text,
        },
    )
}

fn send(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        // What a person typed belongs in no cache.
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page was not rendered");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The page could not be made. Please try again.\n",
            )
                .into_response()
        }
    }
}
