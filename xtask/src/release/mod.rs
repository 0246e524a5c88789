//! One release, from a plan to its proof. The verbs call it, and so do the stories that run it on virtual
//! time: there is no second way to deploy.

mod abort;
mod answers;
mod attach;
mod before;
mod carry;
mod former;
mod judge;
mod last;
mod lease;
mod parked;
mod proof;
mod prove;
mod proven;
mod prune;
mod removal;
mod restored;
mod run;
mod theirs;
mod undo;
mod watched;

use std::collections::BTreeMap;
use std::error::Error;

use deploy::event::Kind;
use deploy::model::{Desired, Environment, Observed, Release, ServiceKey};
use deploy::plan::{Order, Plan, Undo};

pub use abort::{abort, acts};
pub use attach::{Attached, attach, wait_for};
pub(crate) use carry::carry_out;
pub use former::{Former, NoRollbackTarget, former};
pub(crate) use lease::HeldLease;
pub use lease::{Claim, lease_of};
pub use parked::{parked_of, report_parked, unparked};
pub use removal::{Removal, Unsafe};
pub use run::{Ending, run};
use run::{Revisions, revisions};
pub(crate) use theirs::Own;
use watched::{Public, carry_out_watched};

use crate::apply::{ResourceIds, StepContext};
use crate::aws::Aws;
use crate::host::{ConnectTo, Halt, Host};
use crate::image::Image;
use crate::observe;
use crate::report::{Recorder, chain};
use crate::verify::{Door, Front};

/// What a release works with.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseContext<'a> {
    pub host: &'a Host,
    pub aws: &'a Aws,
    pub events: &'a Recorder,
    pub environment: &'a Environment,
    pub images: &'a BTreeMap<ServiceKey, Image>,
    /// The registry's base URL, when it is not where ECR says.
    pub registry: Option<&'a str>,
    /// Where the embedded cloud listens for the public.
    pub door: Option<&'a ConnectTo>,
    /// Whether a stop was asked for.
    pub halt: &'a Halt,
    /// Whether a release that fails is undone.
    pub roll_back: bool,
    /// Whether the last deployments are begun and left to `wait`.
    pub detach: bool,
    /// In which order services roll back, when this is a rollback.
    pub order: Order,
    /// Who deploys, and whether a lease is taken over.
    pub claim: &'a Claim,
}

/// What was wanted and found, and the plan between the two.
#[derive(Clone, Debug)]
pub struct Planned {
    pub desired: Desired,
    pub observed: Observed,
    pub plan: Plan,
    /// What is restored when it fails.
    pub undo: Undo,
}

impl Planned {
    /// Whether the plan waits for any deployment.
    fn rolls(&self) -> bool {
        self.plan.stages.iter().any(|stage| !stage.settle.is_empty())
    }
}

impl ReleaseContext<'_> {
    /// Emits an error with all its causes, and the action that helps.
    fn emit_failure(&self, error: &dyn Error, hint: Option<String>) {
        self.events.emit(Kind::Failed { error: chain(error), hint });
    }

    /// Plans a release for an account that was read, asking first which images registries hold.
    ///
    /// # Errors
    /// [`observe::Error`] when the registry cannot be asked.
    pub async fn plan(
        &self,
        mut release: Release,
        mut observed: Observed,
    ) -> Result<Planned, observe::Error> {
        let deploys = release.pins.is_empty();
        if release.pins.values().any(|pin| pin.replaces.is_some())
            && let Some(left) = lease::left(self, &observed).await
        {
            deploy::plan::resume_restart(&mut release, &left, &observed);
        }
        let mut unresolved = Vec::new();
        if deploys {
            let digest = |(key, image): (&ServiceKey, &Image)| (key.clone(), image.digest.clone());
            release.images.extend(self.images.iter().map(digest));
            // Once for a release: a tag that is pushed again meanwhile belongs to the next release.
            let Self { host, aws, events, environment, .. } = *self;
            unresolved = observe::resolve(host, aws, events, environment, &observed, &mut release).await;
        }
        // A lifecycle policy knows nothing of use: it may have expired the image of a revision that is about to run again.
        for text in observe::held(self.aws, self.environment, &mut observed, &release.images).await? {
            self.events.emit(Kind::Warned { text });
        }
        let desired = Desired { environment: self.environment.clone(), release };
        let mut plan = if deploys {
            deploy::plan::plan(&desired, &observed)
        } else {
            deploy::plan::rollback(&desired, &observed, self.order)
        };
        plan.refusals.extend(unresolved);
        let undo = Undo::of(&plan, &desired, &observed);
        Ok(Planned { desired, observed, plan, undo })
    }

    /// What the steps of a plan work with.
    fn step_context<'s>(&'s self, planned: &'s Planned, ids: &'s ResourceIds) -> StepContext<'s> {
        StepContext {
            aws: self.aws,
            host: self.host,
            desired: Some(&planned.desired),
            images: self.images,
            registry: self.registry,
            environment: self.environment,
            ids,
            halt: self.halt,
            events: self.events,
        }
    }

    /// Where the services are reached, as far as it is known.
    pub fn door(&self, ids: &ResourceIds) -> Door {
        let dns_name = ids.load_balancer().map(|(_, dns_name)| dns_name);
        let target_groups = self
            .environment
            .services
            .iter()
            .map(|service| ids.target_group(&service.group()?.name))
            .collect();
        Door { target_groups, front: Front::of(self.environment, dns_name.as_deref(), self.door) }
    }
}
