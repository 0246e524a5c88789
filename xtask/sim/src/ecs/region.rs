//! What ECS works with in an account: its own state, and that of its peers.

use super::key::ServiceKey;
use super::state::State;
use crate::base::{Base, Millis};
use crate::wire::{ApiRequest, Outcome};
use crate::{cloudmap, cloudwatch, ecr, elb, identity, logs, secretsmanager, ssm};

pub(crate) type Operation = fn(&mut Region<'_>, Millis, &ApiRequest) -> Outcome;

/// Lent by the account for one call, one timer or one report.
pub(crate) struct Region<'a> {
    pub(crate) base: &'a mut Base,
    pub(crate) ecs: &'a mut State,
    pub(crate) elb: &'a mut elb::State,
    pub(crate) cloudmap: &'a mut cloudmap::State,
    pub(crate) cloudwatch: &'a mut cloudwatch::State,
    pub(crate) ecr: &'a ecr::State,
    pub(crate) logs: &'a mut logs::State,
    pub(crate) ssm: &'a ssm::State,
    pub(crate) secrets_manager: &'a secretsmanager::State,
    pub(crate) identity: &'a mut identity::State,
}

impl Region<'_> {
    /// Records an event of the service, where it still exists.
    pub(super) fn say(&mut self, now: Millis, key: &ServiceKey, what: &str) {
        if let Some(service) = self.ecs.services.get_mut(key) {
            service.events.push(&mut self.base.ids, now, &key.service, what);
        }
    }
}
