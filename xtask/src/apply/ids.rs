//! The ARNs and ids behind the plan's names: observed ones, and those that steps of this run created.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use deploy::model::{Observed, ServiceKey};
use deploy::plan::RuleMove;

/// Names of the plan to ARNs and ids of the account.
#[derive(Debug, Default)]
pub struct ResourceIds {
    // The lanes of a stage run at the same time on one thread, and each learns what it creates.
    inner: RefCell<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    target_groups: BTreeMap<String, String>,
    rules: BTreeMap<u32, String>,
    repositories: BTreeMap<String, String>,
    revisions: BTreeMap<String, String>,
    namespace: Option<(String, String)>,
    load_balancer: Option<(String, String)>,
    listener: Option<String>,
    redirect: Option<String>,
    deployed: BTreeMap<ServiceKey, Deployed>,
    service_deployments: BTreeMap<ServiceKey, String>,
    ran: BTreeSet<ServiceKey>,
    changed: bool,
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
        let inner = Inner {
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

    /// Whether a step of this run changed what serves, or may have.
    pub fn is_changed(&self) -> bool {
        self.inner.borrow().changed
    }

    /// The services whose task before the roll has run.
    pub fn ran(&self) -> BTreeSet<ServiceKey> {
        self.inner.borrow().ran.clone()
    }

    pub(super) fn learn_ran(&self, service: &ServiceKey) {
        self.inner.borrow_mut().ran.insert(service.clone());
    }

    pub(super) fn learn_changed(&self) {
        self.inner.borrow_mut().changed = true;
    }

    pub(super) fn target_group(&self, name: &str) -> Option<String> {
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

    /// A target group's ARN, for whoever asks for its health.
    pub fn target_group_arn(&self, name: &str) -> Option<String> {
        self.target_group(name)
    }

    pub(super) fn learn_target_group(&self, name: &str, arn: String) {
        self.inner.borrow_mut().target_groups.insert(name.to_owned(), arn);
    }

    pub(super) fn learn_rule(&self, priority: u32, arn: String) {
        self.inner.borrow_mut().rules.insert(priority, arn);
    }

    pub(super) fn move_rules(&self, moves: &[RuleMove]) {
        let rules = &mut self.inner.borrow_mut().rules;
        // All leave before the first arrives: two may change places.
        let arns: Vec<_> = moves.iter().map(|moved| rules.remove(&moved.from)).collect();
        rules.extend(moves.iter().zip(arns).filter_map(|(moved, arn)| Some((moved.to, arn?))));
    }

    pub(super) fn learn_repository(&self, name: &str, uri: String) {
        self.inner.borrow_mut().repositories.insert(name.to_owned(), uri);
    }

    pub(super) fn learn_revision(&self, family: &str, arn: String) {
        self.inner.borrow_mut().revisions.insert(family.to_owned(), arn);
    }

    pub(super) fn learn_namespace(&self, arn: String, id: String) {
        self.inner.borrow_mut().namespace = Some((arn, id));
    }

    pub(super) fn learn_load_balancer(&self, arn: String, dns_name: String) {
        self.inner.borrow_mut().load_balancer = Some((arn, dns_name));
    }

    pub(super) fn learn_listener(&self, arn: String) {
        self.inner.borrow_mut().listener = Some(arn);
    }

    pub(super) fn learn_deployed(&self, service: &ServiceKey, deployed: Deployed) {
        self.inner.borrow_mut().deployed.insert(service.clone(), deployed);
    }
}
