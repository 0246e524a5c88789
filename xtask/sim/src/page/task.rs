//! Tasks: one line each, and a page of their own with the end of a log.

use askama::Template;
use serde_json::{Value, json};

use super::read::{Item, items, mood, short, text, when};
use super::service::pages;
use super::{Ask, Frame, SCRIPT, STYLE};
use crate::wire::Api;

/// Lines of a log that a page begins with.
const TAIL: usize = 200;

/// A task in a list.
pub(super) struct Line {
    pub(super) cluster: String,
    pub(super) id: String,
    pub(super) status: String,
    pub(super) mood: &'static str,
    pub(super) health: String,
    pub(super) health_mood: &'static str,
    pub(super) revision: String,
    pub(super) address: String,
    pub(super) zone: String,
    /// When it was made, or stopped.
    pub(super) at: String,
    pub(super) why: String,
}

#[derive(Template)]
#[template(path = "task.html")]
struct Page<'a> {
    frame: &'a Frame,
    style: &'static str,
    script: &'static str,
    task: Line,
    /// The service's name; empty for a task of RunTask.
    service: String,
    life: Vec<Item>,
    containers: Vec<Item>,
    log: Option<Shown>,
    /// The other containers that log.
    others: Vec<String>,
}

struct Shown {
    container: String,
    lines: Vec<String>,
    /// Where the script goes on.
    follow: String,
}

/// Where a container's log is.
pub(crate) struct LogTail {
    group: String,
    stream: String,
}

fn line(cluster: &str, task: &Value) -> Line {
    let (status, health) = (text(&task["lastStatus"]), text(&task["healthStatus"]));
    let attached = task["attachments"].as_array().into_iter().flatten();
    let mut details = attached.filter_map(|it| it["details"].as_array()).flatten();
    let address = details.find(|it| it["name"] == "privateIPv4Address").map(|it| text(&it["value"]));
    let stopped = &task["stoppedAt"];
    let ended = task["containers"].as_array().into_iter().flatten().filter_map(|it| {
        let code = it["exitCode"].as_i64()?;
        Some(format!("{} exited with {code}. {}", text(&it["name"]), text(&it["reason"])))
    });
    let why = [text(&task["stopCode"]), text(&task["stoppedReason"])];
    let why = why.into_iter().filter(|part| !part.is_empty());
    Line {
        cluster: cluster.to_owned(),
        id: short(&task["taskArn"]),
        mood: mood(&status),
        status,
        health_mood: mood(&health),
        health,
        revision: short(&task["taskDefinitionArn"]),
        address: address.unwrap_or_default(),
        zone: text(&task["availabilityZone"]),
        at: when(if stopped.is_null() { &task["createdAt"] } else { stopped }),
        why: why.chain(ended).collect::<Vec<_>>().join(" · "),
    }
}

fn described(ask: &Ask<'_>, cluster: &str, ids: &[String]) -> Vec<Value> {
    let batches = ids.chunks(100);
    let replies = batches
        .filter_map(|batch| ask(Api::Ecs, "DescribeTasks", json!({ "cluster": cluster, "tasks": batch })));
    replies
        .flat_map(|mut reply| reply["tasks"].as_array_mut().map(std::mem::take).unwrap_or_default())
        .collect()
}

/// The tasks of a list, newest first.
pub(super) fn lines(ask: &Ask<'_>, cluster: &str, asked: Value) -> Vec<Line> {
    let ids = pages(ask, "ListTasks", asked, "taskArns");
    described(ask, cluster, &ids).iter().rev().map(|task| line(cluster, task)).collect()
}

/// Tasks that belong to no service.
pub(super) fn alone(ask: &Ask<'_>, cluster: &str) -> Vec<Line> {
    let of = |status: &str| {
        pages(ask, "ListTasks", json!({ "cluster": cluster, "desiredStatus": status }), "taskArns")
    };
    let ids: Vec<String> = of("RUNNING").into_iter().chain(of("STOPPED")).collect();
    let tasks = described(ask, cluster, &ids);
    let alone = tasks.iter().filter(|task| !text(&task["group"]).starts_with("service:"));
    alone.map(|task| line(cluster, task)).collect()
}

pub(super) fn show(ask: &Ask<'_>, frame: &Frame, cluster: &str, id: &str, query: &str) -> Option<String> {
    let task = described(ask, cluster, &[id.to_owned()]).pop()?;
    let logging = logging(ask, &task);
    let asked = chosen(query);
    let shown = logging.iter().find(|name| asked.as_ref() == Some(name)).or(logging.first());
    let log = shown.and_then(|container| {
        let tail = of(ask, &task, container)?;
        let (lines, token) = tail.read(ask, None)?;
        let follow: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("container", container)
            .append_pair("after", &token)
            .finish();
        Some(Shown {
            container: container.clone(),
            lines,
            follow: format!("/task/{cluster}/{id}/log?{follow}"),
        })
    });
    let others = logging.iter().filter(|name| shown != Some(name)).cloned().collect();
    let moments = [
        ("created", "createdAt"),
        ("pull started", "pullStartedAt"),
        ("pull stopped", "pullStoppedAt"),
        ("running", "startedAt"),
        ("stopping", "stoppingAt"),
        ("stopped", "stoppedAt"),
    ];
    let life = moments.into_iter().filter(|(_, member)| !task[*member].is_null());
    let moment = |(name, member): (&str, &str)| Item {
        name: name.to_owned(),
        state: String::new(),
        mood: "good",
        note: String::new(),
        at: when(&task[member]),
    };
    let page = Page {
        frame,
        style: STYLE,
        script: SCRIPT,
        task: line(cluster, &task),
        service: text(&task["group"]).strip_prefix("service:").unwrap_or_default().to_owned(),
        life: life.map(moment).collect(),
        containers: items(Some(&task), "containers", container),
        log,
        others,
    };
    page.render().ok()
}

fn container(it: &Value) -> Item {
    let status = text(&it["lastStatus"]);
    let exit = it["exitCode"].as_i64().map(|code| format!("exit code {code}"));
    let agent = it["managedAgents"].get(0).map(|agent| format!("exec agent {}", text(&agent["lastStatus"])));
    let health = Some(text(&it["healthStatus"])).filter(|health| health != "UNKNOWN");
    let notes = [health, exit, Some(text(&it["reason"])), agent, Some(text(&it["image"]))];
    Item {
        name: text(&it["name"]),
        mood: mood(&status),
        state: status,
        note: notes.into_iter().flatten().filter(|note| !note.is_empty()).collect::<Vec<_>>().join(" · "),
        at: String::new(),
    }
}

fn definitions(ask: &Ask<'_>, task: &Value) -> Vec<Value> {
    let asked = json!({ "taskDefinition": task["taskDefinitionArn"] });
    let reply = ask(Api::Ecs, "DescribeTaskDefinition", asked);
    let containers =
        reply.as_ref().and_then(|reply| reply["taskDefinition"]["containerDefinitions"].as_array());
    containers.cloned().unwrap_or_default()
}

/// The containers whose log is here.
fn logging(ask: &Ask<'_>, task: &Value) -> Vec<String> {
    let logs = definitions(ask, task).into_iter();
    logs.filter(|it| it["logConfiguration"]["logDriver"] == "awslogs").map(|it| text(&it["name"])).collect()
}

fn of(ask: &Ask<'_>, task: &Value, container: &str) -> Option<LogTail> {
    let definition = definitions(ask, task).into_iter().find(|it| it["name"] == container)?;
    let options = &definition["logConfiguration"]["options"];
    let prefix = options["awslogs-stream-prefix"].as_str()?;
    let stream = format!("{prefix}/{container}/{}", short(&task["taskArn"]));
    Some(LogTail { group: text(&options["awslogs-group"]), stream })
}

/// The container that a query names.
fn chosen(query: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "container")
        .map(|(_, it)| it.into_owned())
}

/// The log that `/task/CLUSTER/ID/log?container=NAME&after=TOKEN` follows, and the token.
pub(crate) fn tail(ask: &Ask<'_>, path: &str, query: &str) -> Option<(LogTail, Option<String>)> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["task", cluster, id, "log"] = parts.as_slice() else { return None };
    let task = described(ask, cluster, &[(*id).to_owned()]).pop()?;
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    Some((of(ask, &task, &chosen(query)?)?, token.map(|(_, token)| token.into_owned())))
}

impl LogTail {
    /// The lines after a token, or the last ones; and the token to go on with.
    pub(crate) fn read(&self, ask: &Ask<'_>, after: Option<&str>) -> Option<(Vec<String>, String)> {
        let mut asked = json!({ "logGroupName": self.group, "logStreamName": self.stream, "limit": TAIL });
        match after {
            Some(token) => asked["nextToken"] = json!(token),
            None => asked["startFromHead"] = json!(false),
        }
        let reply = ask(Api::Logs, "GetLogEvents", asked)?;
        let events = reply["events"].as_array()?;
        let lines = events.iter().map(|event| text(&event["message"])).collect();
        Some((lines, text(&reply["nextForwardToken"])))
    }
}
