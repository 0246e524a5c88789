//! A page to look at what runs: read-only, made on the server, without anything from elsewhere.
//!
//! It is a client of the account like any other: all that it shows comes out of the APIs' own replies. Nothing is kept for it, so
//! that it costs nothing while nobody looks. Scripts are an extra: one follows a log.

mod read;
mod service;
mod task;

use askama::Template;
use serde_json::{Value, json};

use self::read::{Item, alarms, items, secrets, when};
use self::service::{Row, rows};
use crate::wire::Api;

pub(crate) use task::{LogTail, tail};

/// How the account is asked: the reply of a call that reads, or nothing where it is refused.
pub(crate) type Ask<'a> = dyn Fn(Api, &str, Value) -> Option<Value> + 'a;

/// What every page begins with.
pub(crate) struct Frame {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) endpoint: String,
    /// Where the load balancer's listeners answer.
    pub(crate) urls: Vec<String>,
    pub(crate) now: String,
}

pub(crate) const STYLE: &str = include_str!("../../templates/page.css");
pub(crate) const SCRIPT: &str = include_str!("../../templates/page.js");

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: &'a Frame,
    style: &'static str,
    services: Vec<Row>,
    /// Tasks that RunTask started, which belong to no service.
    alone: Vec<task::Line>,
    alarms: Vec<Item>,
    activities: Vec<Item>,
    secrets: Vec<Item>,
}

/// What a path shows; nothing where there is nothing.
pub(crate) fn show(ask: &Ask<'_>, frame: &Frame, path: &str, query: &str) -> Option<String> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        [""] => home(ask, frame),
        ["service", cluster, name] => service::show(ask, frame, cluster, name),
        ["task", cluster, id] => task::show(ask, frame, cluster, id, query),
        _ => None,
    }
}

/// Whether a path is one of the page's.
pub(crate) fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/service/") || path.starts_with("/task/")
}

fn home(ask: &Ask<'_>, frame: &Frame) -> Option<String> {
    let listed = ask(Api::Ecs, "ListClusters", json!({}))?;
    let clusters: Vec<String> = read::names(&listed["clusterArns"]);
    let page = Home {
        frame,
        style: STYLE,
        services: clusters.iter().flat_map(|cluster| rows(ask, cluster)).collect(),
        alone: clusters.iter().flat_map(|cluster| task::alone(ask, cluster)).collect(),
        alarms: alarms(ask),
        activities: activities(ask, None),
        secrets: secrets(ask),
    };
    page.render().ok()
}

/// What scaling did, newest first.
fn activities(ask: &Ask<'_>, resource: Option<&str>) -> Vec<Item> {
    let asked = match resource {
        Some(resource) => json!({ "ServiceNamespace": "ecs", "ResourceId": resource, "MaxResults": 20 }),
        None => json!({ "ServiceNamespace": "ecs", "MaxResults": 20 }),
    };
    let reply = ask(Api::Scaling, "DescribeScalingActivities", asked);
    items(reply.as_ref(), "ScalingActivities", |it| Item {
        name: read::text(&it["ResourceId"]),
        state: read::text(&it["StatusCode"]),
        mood: if it["StatusCode"] == "Failed" { "bad" } else { "good" },
        note: [read::text(&it["Description"]), read::text(&it["Cause"])].join(" "),
        at: when(&it["StartTime"]),
    })
}
