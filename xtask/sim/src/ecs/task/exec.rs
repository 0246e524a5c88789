//! ExecuteCommand: sessions in the containers of running tasks, until a client has opened and left them.

use serde::Deserialize;
use serde_json::json;

use super::model::{Agent, Container, ContainerState, Task, TaskStatus};
use super::session::{Session, UNOPENED};
use crate::clock::Millis;
use crate::ecs::errors::{client, invalid};
use crate::ecs::params::short_name;
use crate::ecs::reference::cluster_arn;
use crate::ecs::region::Region;
use crate::ecs::sessions::stream_url;
use crate::ecs::state::Due;
use crate::ecs::task_definition::spec::ContainerSpec;
use crate::session;
use crate::wire::{ApiRequest, Outcome, params};
use crate::workload::{Exec, TaskId};

/// Sessions in one container at the same time.
const MOST_SESSIONS: usize = 2;

/// Also while the agent starts, and when it has stopped.
const NOT_ENABLED: &str = "The execute command failed because execute command was not enabled when the task was run or the \
    execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Execute {
    cluster: Option<String>,
    task: String,
    container: Option<String>,
    command: String,
    interactive: bool,
}

pub(in crate::ecs) fn execute(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Execute = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
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
    let task = region.ecs.tasks.get(id).filter(|task| task.service.cluster == cluster);
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
    region.ecs.sessions.retain(|_, it| it.opened || now.since(it.made_at) < UNOPENED * 1000);
    let here = |it: &&Session| it.exec.task == exec.task && it.exec.container == exec.container;
    if region.ecs.sessions.values().filter(here).count() >= MOST_SESSIONS {
        return Err(client(format!(
            "Unable to start new execute sessions because the maximum session limit of {MOST_SESSIONS} has been reached."
        )));
    }
    let session = format!("ecs-execute-command-{}", region.base.ids.hex(26));
    exec.session.clone_from(&session);
    let token = region.base.ids.hex(64);
    let reply = json!({
        "clusterArn": cluster_arn(region.base, &cluster),
        "containerArn": container_arn,
        "containerName": exec.container,
        "interactive": true,
        "taskArn": task_arn,
        "session": {
            "sessionId": session,
            "streamUrl": stream_url(region.base, &session),
            "tokenValue": token,
        },
    });
    let made = Session { token: Some(token), opened: false, made_at: now, exec, command: asked.command };
    region.ecs.sessions.insert(session, made);
    Ok(reply)
}

fn takes_commands(task: &Task, container: &Container) -> bool {
    task.status == TaskStatus::Running
        && task.desired_running
        && container.state == ContainerState::Running
        && matches!(container.agent, Agent::Running { .. })
}

/// The agent starts some seconds after its container.
pub(super) fn start_agent(region: &mut Region<'_>, now: Millis, id: &TaskId, container: &str) {
    if region.ecs.tasks.get(id).is_some_and(|task| task.execute_command) {
        let due = Due::AgentStarted { task: id.clone(), container: container.to_owned() };
        let at = now.plus_millis(region.base.settings.pace.exec_agent_ms);
        region.ecs.timers.push(region.base.moment(at), due);
    }
}

/// The agent runs, unless it cannot write where it has to.
pub(in crate::ecs) fn agent_started(region: &mut Region<'_>, now: Millis, id: &TaskId, name: &str) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let definition = region.ecs.families.by_arn(&task.task_definition);
    let spec = definition.and_then(|definition| definition.spec.container(name));
    let carried = spec.is_none_or(ContainerSpec::carries_exec_agent);
    let Some(container) = task.container_mut(name) else { return };
    if container.state == ContainerState::Running {
        container.agent = if carried { Agent::Running { since: now } } else { Agent::Stopped };
    }
}
