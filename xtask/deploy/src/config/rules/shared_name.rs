//! Environments of one account and region share nothing that one of them alone can own.
//!
//! A second environment with another cluster only would put its tasks into the first one's target groups: they would
//! get its traffic. Repositories, log groups and a load balancer that exists already may be shared.

use std::collections::BTreeMap;

use super::{Diagnostic, Rule, Scope};
use crate::config::place::Span;
use crate::model::{Environment, Kind};

pub(super) const RULE: Rule = Rule {
    code: "shared-name",
    about: "Environments of one account and region share no target group, family, service or load balancer.",
    check,
};

/// What one environment alone can own: its kind, its name, and where that is written.
struct Own {
    what: &'static str,
    key: &'static str,
    name: String,
    place: Option<Span>,
}

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for other in scope.others().filter(|other| are_neighbours(scope.environment, other.environment)) {
        let theirs = owned(&other);
        let theirs: BTreeMap<_, _> = theirs.iter().rev().map(|own| ((own.what, &own.name), own)).collect();
        for own in owned(scope) {
            if let Some(same) = theirs.get(&(own.what, &own.name)) {
                found.push(diagnostic(scope, &other, &own, same));
            }
        }
    }
}

/// Whether both can be in one account and region. An open account may be any. The embedded cloud is no neighbour: an
/// environment there may have all names of another.
fn are_neighbours(one: &Environment, other: &Environment) -> bool {
    one.kind == Kind::Aws
        && other.kind == Kind::Aws
        && one.region == other.region
        && (one.account.is_none() || other.account.is_none() || one.account == other.account)
}

fn owned(scope: &Scope<'_>) -> Vec<Own> {
    let environment = scope.environment;
    let mut list = Vec::new();
    let mut own = |what, key, name: String, place: Option<Span>| list.push(Own { what, key, name, place });
    for (service, at) in scope.services() {
        for (what, key, name) in [
            ("target group", "target-group.name", &service.target_group.name),
            ("task definition family", "family", &service.family),
        ] {
            own(what, key, name.clone(), at.key(key).span());
        }
        let full = format!("{}/{}", environment.cluster, service.name);
        own("service", "cluster", full, scope.at("cluster").span().filter(|_| at.key("name").written()));
        if let Some(connect) = &service.connect {
            let name = format!("{}.{}", connect.discovery_name, environment.namespace);
            let place = scope.at("namespace").or(at.key("connect"));
            own("Service Connect endpoint", "namespace", name, place);
        }
    }
    let balancer = &environment.load_balancer;
    if !balancer.existing {
        let key = "load-balancer.name";
        own("load balancer", key, balancer.name.clone(), scope.at(key).span());
    }
    // What is not written is missing, which is reported as that.
    list.retain(|own| own.place.is_some());
    list
}

fn diagnostic(scope: &Scope<'_>, other: &Scope<'_>, own: &Own, same: &Own) -> Diagnostic {
    let (one, two) = (scope.env(), other.env());
    let wrong = Diagnostic::error(
        RULE.code,
        format!("`{one}` and `{two}` have the same {} `{}`", own.what, own.name),
    );
    let wrong = match own.place == same.place {
        true => wrong
            .at(&own.place, "both have it from here")
            .context(&scope.env_at, format!("`{one}`"))
            .context(&other.env_at, format!("`{two}`")),
        false => {
            wrong.at(&own.place, format!("`{one}` has it")).at(&same.place, format!("and so has `{two}`"))
        }
    };
    wrong
        .note("both can be in one account and region, where tasks of one would get the traffic of the other")
        .help(format!(
            "put `{{env}}` into `{}`, set it under one of them, or give each its `account`",
            own.key
        ))
}
