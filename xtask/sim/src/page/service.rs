//! Services: one line each, and a page of their own.

use askama::Template;
use serde_json::{Value, json};

use super::read::{Item, items, mood, names, number, short, text, when};
use super::{Ask, Frame, STYLE, activities, task};
use crate::wire::Api;

/// Services that one call describes.
const BATCH: usize = 10;

/// Events that the page shows, and revisions.
const MOST: usize = 20;

/// A service in the list.
pub(super) struct Row {
    pub(super) cluster: String,
    pub(super) name: String,
    pub(super) status: Item,
    pub(super) running: u64,
    pub(super) pending: u64,
    pub(super) desired: u64,
    pub(super) deployments: Vec<Deployment>,
    /// Healthy and registered targets, such as `2/2 healthy`.
    pub(super) targets: String,
    pub(super) targets_mood: &'static str,
}

pub(super) struct Deployment {
    pub(super) status: String,
    pub(super) revision: String,
    pub(super) rollout: String,
    pub(super) mood: &'static str,
    pub(super) running: u64,
    pub(super) pending: u64,
    pub(super) desired: u64,
    pub(super) failed: u64,
    pub(super) note: String,
    pub(super) at: String,
}

#[derive(Template)]
#[template(path = "service.html")]
struct Page<'a> {
    frame: &'a Frame,
    style: &'static str,
    service: Row,
    tasks: Vec<task::Line>,
    stopped: Vec<task::Line>,
    targets: Vec<Item>,
    events: Vec<Item>,
    revisions: Vec<Item>,
    scaling: Vec<Item>,
    activities: Vec<Item>,
}

pub(super) fn rows(ask: &Ask<'_>, cluster: &str) -> Vec<Row> {
    let listed = pages(ask, "ListServices", json!({ "cluster": cluster }), "serviceArns");
    let described = listed.chunks(BATCH).filter_map(|batch| {
        ask(Api::Ecs, "DescribeServices", json!({ "cluster": cluster, "services": batch }))
    });
    let described: Vec<Value> = described.collect();
    let services = described.iter().filter_map(|reply| reply["services"].as_array()).flatten();
    services.map(|service| row(ask, cluster, service)).collect()
}

/// All names of a list that comes in pages.
pub(super) fn pages(ask: &Ask<'_>, operation: &str, mut asked: Value, member: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let Some(page) = ask(Api::Ecs, operation, asked.clone()) else { return all };
        all.extend(names(&page[member]));
        match &page["nextToken"] {
            Value::String(token) => asked["nextToken"] = json!(token),
            _ => return all,
        }
    }
}

fn row(ask: &Ask<'_>, cluster: &str, service: &Value) -> Row {
    let status = text(&service["status"]);
    let health: Vec<Item> = targets(ask, service);
    let healthy = health.iter().filter(|target| target.state == "healthy").count();
    let deployments = service["deployments"].as_array();
    Row {
        cluster: cluster.to_owned(),
        name: text(&service["serviceName"]),
        status: Item {
            name: String::new(),
            mood: mood(&status),
            state: status,
            note: String::new(),
            at: when(&service["createdAt"]),
        },
        running: number(&service["runningCount"]),
        pending: number(&service["pendingCount"]),
        desired: number(&service["desiredCount"]),
        deployments: deployments.into_iter().flatten().map(deployment).collect(),
        targets: if health.is_empty() {
            "–".to_owned()
        } else {
            format!("{healthy}/{} healthy", health.len())
        },
        targets_mood: if healthy == health.len() { "good" } else { "busy" },
    }
}

fn deployment(it: &Value) -> Deployment {
    let rollout = text(&it["rolloutState"]);
    Deployment {
        status: text(&it["status"]),
        revision: short(&it["taskDefinition"]),
        mood: mood(&rollout),
        rollout,
        running: number(&it["runningCount"]),
        pending: number(&it["pendingCount"]),
        desired: number(&it["desiredCount"]),
        failed: number(&it["failedTasks"]),
        note: text(&it["rolloutStateReason"]),
        at: when(&it["createdAt"]),
    }
}

/// The targets of all its target groups.
fn targets(ask: &Ask<'_>, service: &Value) -> Vec<Item> {
    let groups = service["loadBalancers"].as_array().into_iter().flatten();
    let health = groups.filter_map(|group| {
        ask(Api::Elb, "DescribeTargetHealth", json!({ "TargetGroupArn": group["targetGroupArn"] }))
    });
    let of_group = |reply: Value| {
        items(Some(&reply), "TargetHealthDescriptions", |it| {
            let state = text(&it["TargetHealth"]["State"]);
            let why = [&it["TargetHealth"]["Reason"], &it["TargetHealth"]["Description"]];
            Item {
                name: format!("{}:{}", text(&it["Target"]["Id"]), text(&it["Target"]["Port"])),
                mood: mood(&state),
                state,
                note: why.map(text).join(" ").trim().to_owned(),
                at: String::new(),
            }
        })
    };
    health.flat_map(of_group).collect()
}

pub(super) fn show(ask: &Ask<'_>, frame: &Frame, cluster: &str, name: &str) -> Option<String> {
    let described = ask(Api::Ecs, "DescribeServices", json!({ "cluster": cluster, "services": [name] }))?;
    let service = described["services"].get(0)?;
    let family = short(&service["taskDefinition"]).split(':').next().unwrap_or_default().to_owned();
    let resource = format!("service/{cluster}/{name}");
    let tasks = |status: &str| {
        let asked = json!({ "cluster": cluster, "serviceName": name, "desiredStatus": status });
        task::lines(ask, cluster, asked)
    };
    let events = items(Some(service), "events", |it| Item {
        name: String::new(),
        state: String::new(),
        mood: "good",
        note: text(&it["message"]),
        at: when(&it["createdAt"]),
    });
    let page = Page {
        frame,
        style: STYLE,
        service: row(ask, cluster, service),
        tasks: tasks("RUNNING"),
        stopped: tasks("STOPPED"),
        targets: targets(ask, service),
        events: events.into_iter().take(MOST).collect(),
        revisions: revisions(ask, &family),
        scaling: scaling(ask, &resource),
        activities: activities(ask, Some(&resource)),
    };
    page.render().ok()
}

/// The newest revisions of a family, with their tags: who deploys leaves there which release they belong to.
fn revisions(ask: &Ask<'_>, family: &str) -> Vec<Item> {
    let asked = json!({ "familyPrefix": family, "sort": "DESC", "maxResults": MOST });
    let listed = ask(Api::Ecs, "ListTaskDefinitions", asked);
    let arns = listed.as_ref().map(|listed| names(&listed["taskDefinitionArns"])).unwrap_or_default();
    let described = arns.iter().filter_map(|arn| {
        ask(Api::Ecs, "DescribeTaskDefinition", json!({ "taskDefinition": arn, "include": ["TAGS"] }))
    });
    let revision = |it: Value| {
        let tags = it["tags"].as_array().into_iter().flatten();
        let tags: Vec<String> =
            tags.map(|tag| format!("{}={}", text(&tag["key"]), text(&tag["value"]))).collect();
        let status = text(&it["taskDefinition"]["status"]);
        Item {
            name: short(&it["taskDefinition"]["taskDefinitionArn"]),
            mood: mood(&status),
            state: status,
            note: tags.join(" "),
            at: when(&it["taskDefinition"]["registeredAt"]),
        }
    };
    described.map(revision).collect()
}

/// The bounds of its desired count, and the policies that move it.
fn scaling(ask: &Ask<'_>, resource: &str) -> Vec<Item> {
    let asked = json!({ "ServiceNamespace": "ecs", "ResourceIds": [resource] });
    let bounds = ask(Api::Scaling, "DescribeScalableTargets", asked);
    let bounds = items(bounds.as_ref(), "ScalableTargets", |it| Item {
        name: "bounds".to_owned(),
        state: format!("{} to {}", text(&it["MinCapacity"]), text(&it["MaxCapacity"])),
        mood: "good",
        note: String::new(),
        at: when(&it["CreationTime"]),
    });
    let asked = json!({ "ServiceNamespace": "ecs", "ResourceId": resource });
    let policies = ask(Api::Scaling, "DescribeScalingPolicies", asked);
    let policies = items(policies.as_ref(), "ScalingPolicies", |it| {
        let tracking = &it["TargetTrackingScalingPolicyConfiguration"];
        let metric = text(&tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]);
        Item {
            name: text(&it["PolicyName"]),
            state: text(&it["PolicyType"]),
            mood: "good",
            note: format!("{metric} at {}", text(&tracking["TargetValue"])),
            at: when(&it["CreationTime"]),
        }
    });
    bounds.into_iter().chain(policies).collect()
}
