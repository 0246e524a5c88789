//! ExecuteCommand: sessions in the containers of running tasks, until a client has opened and left them.

use serde::Deserialize;
use serde_json::json;

use super::model::{Agent, Container, ContainerState, Task, TaskStatus};
use crate::account::Account;
use crate::clock::Millis;
use crate::ecs::errors::{client, invalid};
use crate::ecs::params::short_name;
use crate::ecs::reference::cluster_arn;
use crate::ecs::state::{Due, active_cluster};
use crate::ecs::task_definition::ContainerSpec;
use crate::session;
use crate::wire::{ApiRequest, Outcome, params};
use crate::workload::{Exec, TaskId};

/// Sessions in one container at the same time.
const MOST_SESSIONS: usize = 2;

/// How long a session waits for the client that asked for it, in seconds.
const UNOPENED: u64 = 60;

/// Also while the agent starts, and when it has stopped.
const NOT_ENABLED: &str = "The execute command failed because execute command was not enabled when the task was run or the \
    execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.";

/// A session that was asked for.
#[derive(Debug)]
pub(in crate::ecs) struct Session {
    /// What the client opens the data channel with; it does so once.
    token: Option<String>,
    opened: bool,
    made_at: Millis,
    exec: Exec,
    command: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Execute {
    cluster: Option<String>,
    task: String,
    container: Option<String>,
    command: String,
    interactive: bool,
}

pub(in crate::ecs) fn execute(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Execute = params(request)?;
    let cluster = active_cluster(account, asked.cluster.as_deref())?;
    if !asked.interactive {
        return Err(invalid("Interactive is the only mode supported currently."));
    }
    let words = session::split(&asked.command);
    if words.is_empty() {
        return Err(invalid("command cannot be empty"));
    }
    let id = short_name(&asked.task);
    if !matches!(id.len(), 32 | 36) {
        return Err(invalid("task length should be one of [32,36]"));
    }
    let task = account.ecs.tasks.get(id).filter(|task| task.service.cluster == cluster);
    // Its text is not known beyond what the AWS CLI says itself.
    let task = task.ok_or_else(|| invalid("The task provided in the request was not found."))?;
    let named = asked.container.as_deref();
    let container = match (named, task.containers.as_slice()) {
        // Service Connect's proxy is a container too: with it ECS wants a name, also where the service has one container.
        (None, [only]) if task.proxy.is_none() => only,
        (None, _) => return Err(invalid("A container name is required for a task with several containers.")),
        // What the proxy answers is not known; it has no shell.
        (Some(name), _) if task.proxy.as_ref().is_some_and(|proxy| proxy.name == name) => {
            return Err(invalid(NOT_ENABLED));
        }
        (Some(name), all) => all
            .iter()
            .find(|container| container.name == name)
            .ok_or_else(|| invalid("The container provided in the request was not found in the task."))?,
    };
    if !takes_commands(task, container) {
        return Err(invalid(NOT_ENABLED));
    }
    let mut exec =
        Exec { session: String::new(), task: task.id.clone(), container: container.name.clone(), words };
    let (task_arn, container_arn) = (task.arn.clone(), container.arn.clone());
    account.ecs.sessions.retain(|_, it| it.opened || now.since(it.made_at) < UNOPENED * 1000);
    let here = |it: &&Session| it.exec.task == exec.task && it.exec.container == exec.container;
    if account.ecs.sessions.values().filter(here).count() >= MOST_SESSIONS {
        return Err(client(format!(
            "Unable to start new execute sessions because the maximum session limit of {MOST_SESSIONS} has been reached."
        )));
    }
    let session = format!("ecs-execute-command-{}", account.base.ids.hex(26));
    exec.session.clone_from(&session);
    let token = account.base.ids.hex(64);
    let reply = json!({
        "clusterArn": cluster_arn(account, &cluster),
        "containerArn": container_arn,
        "containerName": exec.container,
        "interactive": true,
        "taskArn": task_arn,
        "session": {
            "sessionId": session,
            "streamUrl": stream_url(account, &session),
            "tokenValue": token,
        },
    });
    let made = Session { token: Some(token), opened: false, made_at: now, exec, command: asked.command };
    account.ecs.sessions.insert(session, made);
    Ok(reply)
}

/// Where a session's data channel is.
pub(crate) fn stream_url(account: &Account, session: &str) -> String {
    format!("{}/v1/data-channel/{session}?role=publish_subscribe", account.base.settings.messages())
}

fn takes_commands(task: &Task, container: &Container) -> bool {
    task.status == TaskStatus::Running
        && task.desired_running
        && container.state == ContainerState::Running
        && matches!(container.agent, Agent::Running { .. })
}

/// A client opens a session: what it runs, and its command as it was given. A token opens one once, and soon.
pub(crate) fn open_session(
    account: &mut Account,
    now: Millis,
    session: &str,
    token: &str,
) -> Option<(Exec, String)> {
    let session = account.ecs.sessions.get_mut(session)?;
    session.token.take_if(|known| known == token && now.since(session.made_at) < UNOPENED * 1000)?;
    session.opened = true;
    Some((session.exec.clone(), session.command.clone()))
}

/// A new token for a session that a client has: its connection broke. None where there is no such session any more.
pub(crate) fn resume_session(account: &mut Account, now: Millis, session: &str) -> Option<String> {
    let session = account.ecs.sessions.get_mut(session).filter(|session| session.opened)?;
    let token = account.base.ids.hex(64);
    (session.token, session.made_at) = (Some(token.clone()), now);
    Some(token)
}

/// Whether a session is still one: it ends with its container.
pub(crate) fn has_session(account: &Account, session: &str) -> bool {
    account.ecs.sessions.contains_key(session)
}

/// A container has ended, and its sessions with it.
pub(super) fn close_sessions(account: &mut Account, id: &TaskId, container: &str) {
    account.ecs.sessions.retain(|_, it| it.exec.task != *id || it.exec.container != container);
}

pub(crate) fn close_session(account: &mut Account, session: &str) {
    account.ecs.sessions.remove(session);
}

/// The agent starts some seconds after its container.
pub(super) fn start_agent(account: &mut Account, now: Millis, id: &TaskId, container: &str) {
    if account.ecs.tasks.get(id).is_some_and(|task| task.execute_command) {
        let due = Due::AgentStarted { task: id.clone(), container: container.to_owned() };
        let at = now.plus_millis(account.base.settings.pace.exec_agent_ms);
        account.ecs.timers.push(account.base.moment(at), due);
    }
}

/// The agent runs, unless it cannot write where it has to.
pub(in crate::ecs) fn agent_started(account: &mut Account, now: Millis, id: &TaskId, name: &str) {
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    let definition = account.ecs.families.by_arn(&task.task_definition);
    let spec = definition.and_then(|definition| definition.spec.container(name));
    let carried = spec.is_none_or(ContainerSpec::carries_exec_agent);
    let Some(container) = task.container_mut(name) else { return };
    if container.state == ContainerState::Running {
        container.agent = if carried { Agent::Running { since: now } } else { Agent::Stopped };
    }
}
