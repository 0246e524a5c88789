//! Tasks that run once as the new revision, before anything rolls, and those that a killed run left.

use super::services::{Wanted, wanted_revision};
use super::{Action, Plan, Revision, Stage, Step, wanted};
use crate::history::BEFORE_ROLL;
use crate::model::{Desired, Environment, Observed, RunningTask, Service, arn_name};

/// The tasks of services whose revision is new to them, each after those that run for other revisions: two migrations at once
/// may break a database. One that has succeeded for a revision is not repeated: its tag says so.
pub(super) fn stage(plan: &mut Plan, desired: &Desired, observed: &Observed) -> Stage {
    let mut stage = Stage::new("before the roll");
    for service in &desired.environment.services {
        let run = run(plan, desired, observed, service);
        let follows = |task: &RunningTask| match run.as_ref().map(|step| &step.action) {
            Some(Action::RunTask { follows, .. }) => follows.as_ref() == Some(&task.id),
            _ => false,
        };
        let left = observed.before_roll.iter().filter(|task| of(task, service) && !follows(task));
        let mut steps: Vec<Step> = left.map(|task| wait(&desired.environment, service, task)).collect();
        steps.extend(run);
        stage.lane(format!("{} before the roll", service.key), steps);
    }
    stage
}

fn run(plan: &mut Plan, desired: &Desired, observed: &Observed, service: &Service) -> Option<Step> {
    let task = service.before_roll.clone()?;
    let ran = || observed.latest.get(&service.key).is_some_and(|it| it.tags.contains_key(BEFORE_ROLL));
    let revision = match wanted_revision(desired, service, observed) {
        Wanted::Current => {
            let running = observed.services.get(&service.key).map(|state| &state.task_definition);
            if running.is_some_and(|it| !it.tags.contains_key(BEFORE_ROLL)) {
                let key = &service.key;
                plan.notes.push(format!("{key}: `before-roll` does not run, its revision is unchanged"));
            }
            return None;
        }
        Wanted::Existing(_) if ran() => return None,
        Wanted::Existing(arn) => Revision::Existing(arn),
        Wanted::New(_) => Revision::Registered(service.family.clone()),
    };
    let follows = observed.before_roll.iter().find(|it| revision == Revision::Existing(it.revision.clone()));
    let follows = follows.map(|it| it.id.clone());
    let why = if follows.is_some() { "an earlier run started it" } else { "its revision is new" };
    let spec = Box::new(wanted::service_spec(&desired.environment, service, observed));
    Some(Step::because(Action::RunTask { service: service.key.clone(), spec, revision, task, follows }, why))
}

/// Waits for what a killed run left before earlier revisions run again.
pub(super) fn wait_for_left(environment: &Environment, observed: &Observed) -> Stage {
    let mut stage = Stage::new("before the roll");
    for service in &environment.services {
        let left = observed.before_roll.iter().filter(|task| of(task, service));
        let steps = left.map(|task| wait(environment, service, task)).collect();
        stage.lane(format!("{} before the roll", service.key), steps);
    }
    stage
}

/// Stops what runs of these families: their services are deleted.
pub fn stop_left<'a>(
    environment: &Environment,
    observed: &Observed,
    families: impl Iterator<Item = &'a str> + Clone,
) -> Stage {
    let mut stage = Stage::new("tasks before the roll");
    for task in observed.before_roll.iter().filter(|task| families.clone().any(|it| it == task.family())) {
        let end = end(environment, task, 0);
        stage.lane(format!("task {}", task.id), vec![Step::because(end, "its service is deleted")]);
    }
    stage
}

fn wait(environment: &Environment, service: &Service, task: &RunningTask) -> Step {
    let limit = service.before_roll.clone().unwrap_or_default().timeout_secs;
    Step::because(end(environment, task, limit), "an earlier run left it")
}

fn end(environment: &Environment, task: &RunningTask, limit_secs: u64) -> Action {
    let (cluster, task, revision) = (environment.cluster.clone(), task.id.clone(), arn_name(&task.revision));
    Action::EndTask { cluster, task, revision: revision.to_owned(), limit_secs }
}

fn of(task: &RunningTask, service: &Service) -> bool {
    task.family() == service.family
}
