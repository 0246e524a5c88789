//! What must hold between the values of `deploy.toml`: one file per subject, with its rules in a table.
//!
//! A rule looks at one environment's settings and reports every violation; it never stops at the first and
//! never assumes that a key is there (a missing key is reported elsewhere). Types and ranges of single
//! values are the schema's job.
//!
//! To add a rule: a function, its entry in the subject's table, and the fixtures
//! `tests/fixtures/config/rules/CODE/{bad,good}.toml`. Wording: the message is a fragment without a full stop
//! that says what is wrong, without the service's name where the place shows it; labels say what each value
//! is; notes say why, with the AWS fact; help says what to do.

mod attributes;
mod build;
mod connect;
mod container;
mod deployment;
mod environment;
mod load_balancer;
mod names;
mod naming;
mod owners;
mod routes;
mod scaling;
mod secrets;
mod smoke;
mod target_group;
mod task;
mod volumes;

use std::fmt::Display;

pub use attributes::attribute_names;

use super::diagnostic::{Diagnostic, Findings};
use super::place::{Place, Places, Span};
use super::routing::ListenerRules;
use super::workspace::Workspace;
use crate::model::{Container, Environment, Service};

/// One environment of the file, complete as far as the file says enough.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) environment: Environment,
    pub(crate) places: Places,
    pub(crate) section: Option<Span>,
    /// The listener's rules, in the order in which it tries them.
    pub(crate) listener: ListenerRules,
    /// Tables of this environment alone that are no service, and the service that each was most likely meant for.
    pub(crate) mistyped: Vec<(String, String)>,
}

impl Draft {
    /// `all` are the environments of the file, this one among them.
    pub(crate) fn scope<'a>(&'a self, all: &'a [Draft], workspace: Workspace<'a>) -> Scope<'a> {
        let Self { environment, places, section, listener, mistyped } = self;
        Scope { environment, places, env_at: section.clone(), listener, mistyped, all, workspace }
    }
}

/// What a rule looks at: one environment, with the common values laid under it.
pub(crate) struct Scope<'a> {
    pub(crate) environment: &'a Environment,
    places: &'a Places,
    pub(crate) env_at: Option<Span>,
    pub(crate) listener: &'a ListenerRules,
    pub(crate) mistyped: &'a [(String, String)],
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

    /// The services' containers, each with where it is, and the service with where that is.
    fn containers(&self) -> impl Iterator<Item = (&'a Container, Place<'a>, &'a Service, Place<'a>)> {
        self.services().flat_map(|(service, at)| {
            service.containers().map(move |(path, container)| (container, at.key(path), service, at.clone()))
        })
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

/// A rule's code, as it is shown in `error[…]`, and its check: of the whole environment, of each of its services, or
/// of each container of those.
enum Rule {
    Environment(&'static str, fn(&Scope<'_>, &mut Findings)),
    EachService(&'static str, fn(&Service, &Place<'_>, &mut Findings)),
    EachContainer(&'static str, fn(&Container, &Place<'_>, &mut Findings)),
}

static RULES: &[&[Rule]] = &[
    attributes::RULES,
    build::RULES,
    connect::RULES,
    container::RULES,
    deployment::RULES,
    environment::RULES,
    load_balancer::RULES,
    names::RULES,
    owners::RULES,
    routes::RULES,
    smoke::RULES,
    scaling::RULES,
    secrets::RULES,
    target_group::RULES,
    task::RULES,
    volumes::RULES,
];

pub fn rules() -> Vec<&'static str> {
    let code = |rule: &Rule| match *rule {
        Rule::Environment(code, _) | Rule::EachService(code, _) | Rule::EachContainer(code, _) => code,
    };
    let mut codes: Vec<_> = RULES.iter().copied().flatten().map(code).collect();
    codes.sort_unstable();
    codes
}

/// Every violation of every rule; of those at one place, the order is that of the codes.
pub(crate) fn check(scope: &Scope<'_>) -> Findings {
    let mut found = Findings::default();
    for rule in RULES.iter().copied().flatten() {
        match *rule {
            Rule::Environment(code, check) => check(scope, found.of(code)),
            Rule::EachService(code, check) => {
                scope.services().for_each(|(service, at)| check(service, &at, found.of(code)));
            }
            Rule::EachContainer(code, check) => {
                scope.containers().for_each(|(container, at, ..)| check(container, &at, found.of(code)));
            }
        }
    }
    found.all.sort_by_key(|found| found.code);
    found
}
