//! Tasks that run once as the new revision, before anything rolls.

use super::services::{Wanted, wanted_revision};
use super::{Action, Plan, Revision, Stage, Step, wanted};
use crate::history::BEFORE_ROLL;
use crate::model::{Desired, Observed};

/// The tasks of services whose revision is new to them. One that has succeeded for a revision is not repeated: its tag says so.
pub(super) fn stage(plan: &mut Plan, desired: &Desired, observed: &Observed) -> Stage {
    let mut stage = Stage::new("before the roll");
    for service in &desired.environment.services {
        let Some(task) = &service.before_roll else { continue };
        let ran = || observed.latest.get(&service.key).is_some_and(|it| it.tags.contains_key(BEFORE_ROLL));
        let revision = match wanted_revision(desired, service, observed) {
            Wanted::Current => {
                let running = observed.services.get(&service.key).map(|state| &state.task_definition);
                if running.is_some_and(|it| !it.tags.contains_key(BEFORE_ROLL)) {
                    let key = &service.key;
                    plan.notes.push(format!("{key}: `before-roll` does not run, its revision is unchanged"));
                }
                continue;
            }
            Wanted::Existing(_) if ran() => continue,
            Wanted::Existing(arn) => Revision::Existing(arn),
            Wanted::New(_) => Revision::Registered(service.family.clone()),
        };
        let action = Action::RunTask {
            service: service.key.clone(),
            spec: Box::new(wanted::service_spec(&desired.environment, service, observed)),
            revision,
            task: task.clone(),
        };
        stage.lane(
            format!("{} before the roll", service.key),
            vec![Step::because(action, "its revision is new")],
        );
    }
    stage
}
