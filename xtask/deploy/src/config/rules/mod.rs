//! What must hold between the values of `deploy.toml`: one rule per file, all listed in [`RULES`].
//!
//! A rule looks at one environment's settings and reports every violation; it never stops at the first and
//! never assumes that a key is there (a missing key is reported elsewhere). Types and ranges of single
//! values are the schema's job.
//!
//! To add a rule: a file with a `check`, a line in the table (sorted by code), and the fixtures
//! `tests/fixtures/config/rules/CODE/{bad,good}.toml`. Wording: the message is a fragment without a full stop
//! that says what is wrong, without the service's name where the place shows it; labels say what each value
//! is; notes say why, with the AWS fact; help says what to do.

mod account;
mod account_open;
mod alias_clash;
mod alias_url;
mod build;
mod build_platform;
mod build_secret;
mod certificate;
mod circuit_breaker;
mod confirm;
mod connect_name;
mod connect_protocol;
mod connect_size;
mod container_health;
mod container_port;
mod count_range;
mod dependency_cycle;
mod dependency_missing;
mod dependency_unknown;
mod deployment_deadlock;
mod dockerfile;
mod duplicate_entry;
mod early_success;
mod ecs_name;
mod exec_role;
mod fargate_size;
mod health_grace;
mod health_matcher;
mod health_path;
mod health_timing;
mod keep_revisions;
mod listener_tls;
mod load_balancer_name;
mod load_balancer_subnets;
mod log_group_name;
mod log_retention;
mod lookup_name;
mod naming;
mod own_entry;
mod package_name;
mod policy_idle;
mod policy_metric;
mod policy_name;
mod public_host;
mod region;
mod repository_name;
mod role_name;
mod route_action;
mod route_clash;
mod route_condition;
mod route_none;
mod route_path;
mod route_shadowed;
mod scaling_schedule;
mod secret_in_environment;
mod secret_reference;
mod service_key;
mod settle_time;
mod shared_name;
mod smoke_route;
mod stop_timeout;
mod tag_value;
mod target_group_name;
mod target_protocol;
mod unique_name;
mod variable_name;
mod worker;
mod workload;

use std::fmt::Display;

use super::diagnostic::Diagnostic;
use super::place::{Place, Places, Span};
use super::routing::ListenerRule;
use super::workspace::Workspace;
use crate::model::{Environment, Service};

/// One environment of the file, complete as far as the file says enough.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) environment: Environment,
    pub(crate) places: Places,
    /// Where `[env.NAME]` is.
    pub(crate) section: Option<Span>,
    /// The listener's rules, in the order in which it tries them.
    pub(crate) listener: Vec<ListenerRule>,
}

impl Draft {
    /// `all` are the environments of the file, this one among them.
    pub(crate) fn scope<'a>(&'a self, all: &'a [Draft], workspace: Workspace<'a>) -> Scope<'a> {
        let Self { environment, places, section, listener } = self;
        Scope { environment, places, env_at: section.clone(), listener, all, workspace }
    }
}

/// What a rule looks at: one environment, with the common values laid under it.
pub(crate) struct Scope<'a> {
    pub(crate) environment: &'a Environment,
    places: &'a Places,
    pub(crate) env_at: Option<Span>,
    pub(crate) listener: &'a [ListenerRule],
    all: &'a [Draft],
    pub(crate) workspace: Workspace<'a>,
}

impl<'a> Scope<'a> {
    pub(crate) fn env(&self) -> &'a str {
        &self.environment.name
    }

    /// A place outside of the services.
    pub(crate) fn at(&self, path: impl Display) -> Place<'a> {
        self.places.at(path)
    }

    /// The services by short name, which is sorted, and where they are.
    pub(crate) fn services(&self) -> impl Iterator<Item = (&'a Service, Place<'a>)> + use<'a> {
        let places = self.places;
        let services = self.environment.services.iter();
        services.map(|service| (service, places.at(format_args!("service.{}", service.key))))
    }

    /// Whether Cargo knows no such package.
    fn lacks_package(&self, package: &str) -> bool {
        let known = (self.workspace.packages)();
        !known.is_empty() && !known.iter().any(|name| name == package)
    }

    /// The file's other environments, as far as they can be read.
    fn others(&self) -> impl Iterator<Item = Scope<'a>> + use<'a> {
        let (name, all, workspace) = (self.env(), self.all, self.workspace);
        let others = all.iter().filter(move |other| other.environment.name != name);
        others.map(move |other| other.scope(all, workspace))
    }
}

/// A rule.
pub(crate) struct Rule {
    /// Its name, as it is shown in `error[…]`.
    code: &'static str,
    /// What it demands, in one sentence.
    about: &'static str,
    check: fn(&Scope<'_>, &mut Vec<Diagnostic>),
}

/// Every rule's code, and what it demands in one sentence; sorted by code.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.code, rule.about))
}

/// Every violation of every rule.
pub(crate) fn check(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in RULES {
        (rule.check)(scope, &mut found);
    }
    found
}

/// All rules, sorted by code.
static RULES: &[Rule] = &[
    account::RULE,
    account_open::RULE,
    alias_clash::RULE,
    alias_url::RULE,
    build::RULE,
    build_platform::RULE,
    build_secret::RULE,
    certificate::RULE,
    circuit_breaker::RULE,
    confirm::RULE,
    connect_name::RULE,
    connect_protocol::RULE,
    connect_size::RULE,
    container_health::RULE,
    container_port::RULE,
    count_range::RULE,
    dependency_cycle::RULE,
    dependency_missing::RULE,
    dependency_unknown::RULE,
    deployment_deadlock::RULE,
    dockerfile::RULE,
    duplicate_entry::RULE,
    early_success::RULE,
    ecs_name::RULE,
    exec_role::RULE,
    fargate_size::RULE,
    health_grace::RULE,
    health_matcher::RULE,
    health_path::RULE,
    health_timing::RULE,
    keep_revisions::RULE,
    listener_tls::RULE,
    load_balancer_name::RULE,
    load_balancer_subnets::RULE,
    log_group_name::RULE,
    log_retention::RULE,
    lookup_name::RULE,
    own_entry::RULE,
    package_name::RULE,
    policy_idle::RULE,
    policy_metric::RULE,
    policy_name::RULE,
    public_host::RULE,
    region::RULE,
    repository_name::RULE,
    role_name::RULE,
    route_action::RULE,
    route_clash::RULE,
    route_condition::RULE,
    route_none::RULE,
    route_path::RULE,
    route_shadowed::RULE,
    scaling_schedule::RULE,
    secret_in_environment::RULE,
    secret_reference::RULE,
    service_key::RULE,
    settle_time::RULE,
    shared_name::RULE,
    smoke_route::RULE,
    stop_timeout::RULE,
    tag_value::RULE,
    target_group_name::RULE,
    target_protocol::RULE,
    unique_name::RULE,
    variable_name::RULE,
    worker::RULE,
    workload::RULE,
];
