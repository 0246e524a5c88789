//! Environments of one account and region share nothing that one of them alone can own.
//!
//! A second environment with another cluster only would put its tasks into the first one's target groups: they would
//! get its traffic. Repositories, log groups and a load balancer that exists already may be shared.

use super::{Diagnostic, Other, Rule, Scope, Setting, Settings, Span};
use crate::config::connect::discovery_name;
use crate::config::raw::Service;
use crate::model::Kind;

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
    for other in scope.others.iter().filter(|other| are_neighbours(scope.settings, &other.settings)) {
        let theirs = owned(&other.settings);
        for own in owned(scope.settings) {
            if let Some(same) = theirs.iter().find(|same| same.what == own.what && same.name == own.name) {
                found.push(diagnostic(scope, other, &own, same));
            }
        }
    }
}

/// Whether both can be in one account and region. An open account may be any. The embedded cloud is no neighbour: an
/// environment there may have all names of another.
fn are_neighbours(one: &Settings, other: &Settings) -> bool {
    let text = |setting: &Option<Setting<String>>| setting.as_ref().map(|it| it.value.clone());
    let (mine, theirs) = (text(&one.account), text(&other.account));
    one.kind.value == Kind::Aws
        && other.kind.value == Kind::Aws
        && text(&one.region) == text(&other.region)
        && (mine.is_none() || theirs.is_none() || mine == theirs)
}

type Name = fn(&Service) -> Option<&Setting<String>>;

fn owned(settings: &Settings) -> Vec<Own> {
    let names: [(&str, &str, Name); 2] = [
        ("target group", "target-group.name", |service| service.target_group.value.name.as_ref()),
        ("task definition family", "family", |service| service.family.as_ref()),
    ];
    let mut list = Vec::new();
    for service in settings.service.values().map(|service| &service.value) {
        for (what, key, name) in names {
            let own = |name: &Setting<String>| Own {
                what,
                key,
                name: name.value.clone(),
                place: name.span.clone(),
            };
            list.extend(name(service).map(own));
        }
        if let (Some(cluster), Some(name)) = (&settings.cluster, &service.name) {
            let (full, place) = (format!("{}/{}", cluster.value, name.value), cluster.span.clone());
            list.push(Own { what: "service", key: "cluster", name: full, place });
        }
        if let (Some(space), Some(connect)) = (&settings.namespace, &service.connect) {
            let name = format!("{}.{}", discovery_name(service).unwrap_or_default(), space.value);
            let place = space.span.clone().or(connect.span.clone());
            list.push(Own { what: "Service Connect endpoint", key: "namespace", name, place });
        }
    }
    let balancer = &settings.load_balancer.value;
    if let Some(name) = balancer.name.as_ref().filter(|_| !balancer.existing.value) {
        let (what, key) = ("load balancer", "load-balancer.name");
        list.push(Own { what, key, name: name.value.clone(), place: name.span.clone() });
    }
    list
}

fn diagnostic(scope: &Scope<'_>, other: &Other, own: &Own, same: &Own) -> Diagnostic {
    let (one, two) = (scope.env, &other.name);
    let wrong = Diagnostic::error(
        RULE.code,
        format!("`{one}` and `{two}` have the same {} `{}`", own.what, own.name),
    );
    let wrong = match own.place == same.place {
        true => wrong
            .at(&own.place, "both have it from here")
            .context(&scope.env_at, format!("`{one}`"))
            .context(&other.place, format!("`{two}`")),
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
