//! What somebody else deployed since the account was read. A write replaces whatever runs, so it is looked at just before each.

use std::collections::BTreeMap;

use deploy::event::Kind;
use deploy::model::{Observed, Pin, ServiceKey};
use deploy::plan::{Action, Stage};

use super::{Planned, ReleaseContext};
use crate::apply::ResourceIds;
use crate::settle::Settled;

/// The release whose revisions are its own: what it found, and what it rolled out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    pub(crate) planned: &'a Planned,
    pub(crate) ids: &'a ResourceIds,
}

impl Own<'_> {
    fn is_own(&self, key: &ServiceKey, arn: &str, pin: Option<&Pin>) -> bool {
        let Self { planned, ids } = self;
        let family = planned.desired.environment.service(key).map(|service| service.family.as_str());
        let ours = [
            ids.deployed(key).map(|it| it.revision),
            // A reply that was lost: the revision was registered, and the update may have arrived.
            family.and_then(|family| ids.revision(family)),
            planned.observed.services.get(key).map(|state| state.task_definition.arn.clone()),
            pin.map(|pin| pin.revision.clone()),
        ];
        ours.into_iter().flatten().any(|own| own == arn)
    }

    /// Services that run neither what this release rolled out nor what was before it, and the ARN of what they run.
    pub(super) fn theirs(
        &self,
        now: &Observed,
        pins: &BTreeMap<ServiceKey, Pin>,
    ) -> BTreeMap<ServiceKey, String> {
        let foreign = |(key, pin): (&ServiceKey, &Pin)| {
            let runs = &now.services.get(key).filter(|state| state.is_active())?.task_definition.arn;
            (!self.is_own(key, runs, Some(pin))).then(|| (key.clone(), runs.clone()))
        };
        pins.iter().filter_map(foreign).collect()
    }

    /// A service that a reading shows with a deployment that this release has replaced: the reading is older than that.
    pub(super) fn outdated<'n>(&self, now: &'n Observed) -> Option<&'n ServiceKey> {
        let (key, _) = now.services.iter().find(|(key, shown)| {
            let found = self.planned.observed.services.get(key).and_then(|found| found.primary.as_ref());
            let ours = self.ids.deployed(key).map(|it| it.deployment);
            found.is_some() && ours.is_some() && ours.as_ref() != found && shown.primary.as_ref() == found
        })?;
        Some(key)
    }

    /// The same of the services that a stage is about to write, by one DescribeServices.
    pub(super) async fn theirs_in(
        &self,
        context: &ReleaseContext<'_>,
        stage: &Stage,
        pins: &BTreeMap<ServiceKey, Pin>,
        settled: &[Settled],
    ) -> BTreeMap<ServiceKey, String> {
        let updated = stage.lanes.iter().flat_map(|lane| &lane.steps).filter_map(|step| match &step.action {
            Action::UpdateService { service, .. } => context.environment.service(service),
            _ => None,
        });
        // Which revision a deployment in progress leaves is not known before its end: ECS may roll it back meanwhile.
        let ends = |key: &ServiceKey| {
            let found = self.planned.observed.services.get(key);
            settled.iter().any(|it| it.key == *key)
                || found.is_some_and(|state| state.rollout.as_deref() != Some("IN_PROGRESS"))
        };
        let updated: Vec<_> = updated.filter(|service| ends(&service.key)).collect();
        if updated.is_empty() {
            return BTreeMap::new();
        }
        let names: Vec<&str> = updated.iter().map(|service| service.name.as_str()).collect();
        let found = match context.aws.describe_services(&context.environment.cluster, &names).await {
            Ok(found) => found,
            Err(error) => {
                let text = format!("cannot read what runs before it is replaced: {error}");
                context.events.emit(Kind::Warned { text });
                return BTreeMap::new();
            }
        };
        let theirs = updated.into_iter().filter_map(|service| {
            let key = &service.key;
            let primary = found.iter().find(|it| it.name == service.name)?.deployments.first()?;
            // A read may be older than the one before it, and then shows what ran earlier.
            let known_ms = self.planned.observed.services.get(key)?.deployed_at_ms;
            let news = known_ms.is_none_or(|known| primary.created_ms > known);
            (news && !self.is_own(key, &primary.task_definition, pins.get(key)))
                .then(|| (key.clone(), primary.task_definition.clone()))
        });
        theirs.collect()
    }
}
