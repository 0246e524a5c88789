//! Desired and observed state to the steps between them: pure, total, ordered.
//!
//! A [`Plan`] is stages × lanes × steps. Stages are barriers, the lanes of a stage run at the same time, the
//! steps of a lane one after the other. A step is so specific that carrying it out needs no decision. A plan
//! for an account that is already as desired is empty.

mod action;
mod adopt;
mod before_roll;
mod down;
mod foundation;
mod kept;
mod keys;
mod lines;
mod listener;
mod naming;
mod older;
mod orphans;
mod ownership;
mod prune;
mod rollback;
mod routing;
mod scaling;
mod services;
mod undo;
mod wanted;

use serde::Serialize;

pub(crate) use adopt::{Wish, differences};
pub(crate) use keys::policy_keys;
pub(crate) use lines::write;

pub use action::{Action, Revision, RuleMove};
pub use adopt::refuse_losses;
pub use before_roll::stop_left;
pub use down::{REMAINS, down};
pub use naming::{client_token, kept_tags, release_tags, task_token};
pub use older::refuse_older;
pub use orphans::{made, orphans, removal};
pub use prune::prune;
pub use rollback::{Order, restart, resume_restart, rollback, scale, scaled};
pub use undo::{Undo, undo};
pub use wanted::{breaker_threshold, service_spec, task_definition_spec};

use crate::model::spec::Change;
use crate::model::{Desired, Kind, Observed, Owned, ServiceKey};

/// Everything that a deploy will do, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Plan {
    /// Barriers: a stage starts when the one before it is applied and settled.
    pub stages: Vec<Stage>,
    /// What is deleted once the release is proven: nothing that serves is deleted before its replacement is known to work.
    pub after: Vec<Stage>,
    /// Why it cannot be carried out. Not empty means: do nothing.
    pub refusals: Vec<Refusal>,
    /// What differs and is left alone on purpose.
    pub notes: Vec<String>,
    /// Services that somebody scaled to 0: a release does not start them, and is not proven while they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<ServiceKey>,
    /// What this tool created and is no longer in deploy.toml. The plan leaves it: `prune` deletes it.
    pub orphans: Vec<Owned>,
}

/// Lanes that run at the same time, and the services that must settle before the next stage.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Stage {
    pub name: String,
    pub lanes: Vec<Lane>,
    /// The services whose deployments must settle before the next stage.
    pub settle: Vec<ServiceKey>,
}

/// Steps one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Lane {
    /// What the lane is about, such as `backend image`.
    pub name: String,
    pub steps: Vec<Step>,
}

/// One action and its reason.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(into = "Shown")]
pub struct Step {
    pub action: Action,
    pub why: Why,
}

impl Step {
    /// `+` for what is created, `-` for what is deleted, `~` for what changes.
    pub fn sign(&self) -> &'static str {
        match &self.why {
            _ if self.action.deletes() => "-",
            Why::Missing => "+",
            Why::Changed(_) | Why::Because(_) => "~",
        }
    }
}

/// A step as it is printed for programs.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Step")]
struct Shown {
    /// `+` for what is created, `-` for what is deleted, `~` for what changes.
    sign: &'static str,
    action: Action,
    why: Why,
}

impl From<Step> for Shown {
    fn from(step: Step) -> Self {
        Self { sign: step.sign(), action: step.action, why: step.why }
    }
}

/// Why a step is there.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The account does not have it.
    Missing,
    /// It differs in these fields.
    Changed(Vec<Change>),
    /// Another reason, as a clause.
    Because(String),
}

/// A reason not to start.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Refusal {
    /// What is in the way.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Plan {
    /// Whether nothing will be written. A plan may be empty and still have a deployment to wait for.
    pub fn is_empty(&self) -> bool {
        self.steps().next().is_none()
    }

    /// All steps, in order of stage and lane, those after the proof last.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let stages = self.stages.iter().chain(&self.after);
        stages.flat_map(|stage| &stage.lanes).flat_map(|lane| &lane.steps)
    }
}

/// What has to be done so that the account is as desired.
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    let mut plan = Plan { orphans: observed.orphans.clone(), ..Plan::default() };
    ownership::check(&mut plan, desired, observed);
    if desired.environment.kind == Kind::Aws && observed.cluster.is_none() && observed.services.is_empty() {
        let (name, region) = (&desired.environment.name, &desired.environment.region);
        plan.notes.push(format!(
            "nothing of {name} is in {region} yet; what may run in another region is not seen from here, and stays"
        ));
    }
    let mut foundation = Stage::new("foundation");
    foundation::images(&mut foundation, desired, observed);
    foundation::cluster(&mut plan, &mut foundation, desired, observed);
    routing::load_balancer(&mut plan, &mut foundation, desired, observed);
    // Before the services: CreateService refuses a target group that no listener or rule leads to.
    routing::target_groups(&mut plan, &mut foundation, desired, observed);
    let mut routing = Stage::new("routing and definitions");
    let mut after = Stage::new("delete, once it is proven");
    routing::rules(&mut plan, &mut routing, &mut after, desired, observed);
    let before = before_roll::stage(&mut plan, desired, observed);
    if before.lanes.is_empty() {
        services::definitions(&mut plan, &mut routing, desired, observed);
        plan.stages.extend([foundation, routing]);
    } else {
        // The rules change after such a task: if it fails, no request has been routed differently.
        let mut definitions = Stage::new("definitions");
        services::definitions(&mut plan, &mut definitions, desired, observed);
        routing.name = "routing".to_owned();
        plan.stages.extend([foundation, definitions, before, routing]);
    }
    services::rolls(&mut plan, desired, observed);
    scaling::parked(&mut plan, desired, observed);
    scaling::by_hand(&mut plan, desired, observed);
    scaling::surplus(&mut plan, &mut after, desired, observed);
    plan.after = vec![after];
    plan.after.retain(|stage| !stage.lanes.is_empty());
    plan.stages.retain(|stage| !stage.lanes.is_empty() || !stage.settle.is_empty());
    plan
}

impl Stage {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), lanes: Vec::new(), settle: Vec::new() }
    }

    /// Adds a lane, unless it has nothing to do.
    fn lane(&mut self, name: impl Into<String>, steps: Vec<Step>) {
        if !steps.is_empty() {
            self.lanes.push(Lane { name: name.into(), steps });
        }
    }
}

impl Step {
    fn missing(action: Action) -> Self {
        Self { action, why: Why::Missing }
    }

    fn changed(action: Action, changes: Vec<Change>) -> Self {
        Self { action, why: Why::Changed(changes) }
    }

    fn because(action: Action, why: impl Into<String>) -> Self {
        Self { action, why: Why::Because(why.into()) }
    }
}

#[cfg(test)]
mod tests;
