//! The ARNs and ids behind the plan's names: observed ones, and those that steps of this run created.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use deploy::model::{Observed, ServiceKey};
use deploy::plan::RuleMove;

/// Names of the plan to ARNs and ids of the account.
#[derive(Debug, Default)]
pub struct ResourceIds {
    // The lanes of a stage run at the same time on one thread, and each learns what it creates.
    inner: RefCell<Known>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) target_groups: BTreeMap<String, String>,
    pub(super) rules: BTreeMap<u32, String>,
    pub(super) repositories: BTreeMap<String, String>,
    pub(super) revisions: BTreeMap<String, String>,
    pub(super) namespace: Option<(String, String)>,
    pub(super) load_balancer: Option<(String, String)>,
    pub(super) listener: Option<String>,
    pub(super) redirect: Option<String>,
    pub(super) deployed: BTreeMap<ServiceKey, Deployed>,
    pub(super) service_deployments: BTreeMap<ServiceKey, String>,
    pub(super) ran: BTreeSet<ServiceKey>,
    pub(super) changed: bool,
}

/// A deployment that is ours to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    pub deployment: String,
    pub revision: String,
    /// The service deployment that was current before our write: ours is another.
    pub before: Option<String>,
    /// It was in progress when the account was read: a killed run started it, or somebody else.
    pub adopted: bool,
}

impl ResourceIds {
    pub fn of(observed: &Observed) -> Self {
        let deployed = observed.services.iter().filter_map(|(key, service)| {
            // A second UpdateService would supersede a deployment in progress: it is followed instead.
            let deployment = service.primary.clone()?;
            let revision = service.task_definition.arn.clone();
            Some((key.clone(), Deployed { deployment, revision, before: None, adopted: true }))
        });
        let current = observed
            .services
            .iter()
            .filter_map(|(key, service)| service.service_deployment.clone().map(|arn| (key.clone(), arn)));
        let inner = Known {
            target_groups: observed
                .target_groups
                .iter()
                .map(|(name, found)| (name.clone(), found.arn.clone()))
                .collect(),
            rules: observed.rules.iter().map(|rule| (rule.spec.priority, rule.arn.clone())).collect(),
            repositories: observed
                .repositories
                .iter()
                .map(|(name, found)| (name.clone(), found.uri.clone()))
                .collect(),
            revisions: BTreeMap::new(),
            namespace: observed.namespace.as_ref().map(|found| (found.arn.clone(), found.id.clone())),
            load_balancer: observed
                .load_balancer
                .as_ref()
                .map(|found| (found.arn.clone(), found.dns_name.clone())),
            listener: observed.listener.as_ref().map(|found| found.arn.clone()),
            redirect: observed.redirect.as_ref().map(|found| found.arn.clone()),
            deployed: deployed.collect(),
            service_deployments: current.collect(),
            ran: BTreeSet::new(),
            changed: false,
        };
        Self { inner: RefCell::new(inner) }
    }

    /// Notes what a step created.
    pub(super) fn learn(&self, created: impl FnOnce(&mut Known)) {
        created(&mut self.inner.borrow_mut());
    }

    /// Whether a step of this run changed what serves, or may have.
    pub fn is_changed(&self) -> bool {
        self.inner.borrow().changed
    }

    /// The services whose task before the roll has run.
    pub fn ran(&self) -> BTreeSet<ServiceKey> {
        self.inner.borrow().ran.clone()
    }

    pub fn target_group(&self, name: &str) -> Option<String> {
        self.inner.borrow().target_groups.get(name).cloned()
    }

    pub(super) fn rule(&self, priority: u32) -> Option<String> {
        self.inner.borrow().rules.get(&priority).cloned()
    }

    pub(super) fn repository(&self, name: &str) -> Option<String> {
        self.inner.borrow().repositories.get(name).cloned()
    }

    /// The revision that this run registered for a family.
    pub fn revision(&self, family: &str) -> Option<String> {
        self.inner.borrow().revisions.get(family).cloned()
    }

    /// The namespace's ARN and id.
    pub(super) fn namespace(&self) -> Option<(String, String)> {
        self.inner.borrow().namespace.clone()
    }

    /// The load balancer's ARN and DNS name.
    pub fn load_balancer(&self) -> Option<(String, String)> {
        self.inner.borrow().load_balancer.clone()
    }

    /// The listener with the rules.
    pub(super) fn listener(&self) -> Option<String> {
        self.inner.borrow().listener.clone()
    }

    /// The listener that redirects to it.
    pub(super) fn redirect(&self) -> Option<String> {
        self.inner.borrow().redirect.clone()
    }

    /// The deployment of a service that is ours to follow.
    pub fn deployed(&self, service: &ServiceKey) -> Option<Deployed> {
        self.inner.borrow().deployed.get(service).cloned()
    }

    /// The service deployment that was current when the account was read.
    pub(super) fn service_deployment(&self, service: &ServiceKey) -> Option<String> {
        self.inner.borrow().service_deployments.get(service).cloned()
    }

    pub(super) fn move_rules(&self, moves: &[RuleMove]) {
        let rules = &mut self.inner.borrow_mut().rules;
        // All leave before the first arrives: two may change places.
        let arns: Vec<_> = moves.iter().map(|moved| rules.remove(&moved.from)).collect();
        rules.extend(moves.iter().zip(arns).filter_map(|(moved, arn)| Some((moved.to, arn?))));
    }
}
