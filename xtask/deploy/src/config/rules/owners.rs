//! Names that one service, or one environment, has for itself.

use std::collections::BTreeMap;

use super::{Findings, Place, Rule, Scope};
use crate::config::place::Span;
use crate::config::suggest;
use crate::model::{Environment, Kind, Service};

pub(super) const RULES: &[Rule] =
    &[Rule::Environment("unique-name", unique_name), Rule::Environment("shared-name", shared_name)];

/// Names, and where each is written; what it is derived from, where it is not written itself.
type Written = Vec<(String, Option<Span>)>;

/// What it is, and the names that a service has of it.
type OwnName = (&'static str, fn(&Service, &Place<'_>) -> Written);

fn written(name: Option<&String>, at: Place<'_>) -> Written {
    name.map(|name| (name.clone(), at.span())).into_iter().collect()
}

const OWN_NAMES: [OwnName; 5] = [
    ("service name", |service, at| written(Some(&service.name), at.key("name"))),
    ("task definition family", |service, at| written(Some(&service.family), at.key("family"))),
    ("target group", |service, at| {
        written(service.group().map(|group| &group.name), at.key("target-group.name"))
    }),
    ("repository", |service, at| {
        written(service.builds().then_some(&service.repository.name), at.key("repository.name"))
    }),
    ("Service Connect discovery name", |service, at| {
        let endpoints = service.endpoints().map(|endpoint| {
            let table = at.key(&endpoint.path);
            let own = at.key("container.port-name").or(at.key("container.name"));
            let derived = if endpoint.path == "connect" { own } else { table.name() };
            (endpoint.offer.discovery_name.clone(), table.key("discovery-name").or(derived))
        });
        endpoints.collect()
    }),
];

/// What belongs to one service is not shared by two.
///
/// Two services of one name are one service to ECS; two families of one name mix their revisions, and a
/// rollback of one takes the other's; a shared repository lets one service's lifecycle policy delete the
/// other's images. Log groups may be shared: streams carry the container's name.
fn unique_name(scope: &Scope<'_>, found: &mut Findings) {
    for (what, names_of) in OWN_NAMES {
        let mut seen: BTreeMap<String, (&str, Span)> = BTreeMap::new();
        let all = scope.services().flat_map(|(service, at)| {
            names_of(service, &at).into_iter().map(|(name, place)| (&service.key.0, name, place))
        });
        for (service, name, place) in all {
            // One that is empty is missing, which is reported as that.
            let Some(place) = place.filter(|_| !name.is_empty()) else { continue };
            if let Some((owner, first)) = seen.get(&name) {
                let two = if *owner == service {
                    format!("two endpoints of `{owner}`")
                } else {
                    "two services".to_owned()
                };
                found
                    .error(format!("{two} have the {what} `{name}`"))
                    .at(first, format!("`{owner}` has it"))
                    .at(&place, format!("and so has `{service}`"));
            }
            seen.entry(name).or_insert((service, place));
        }
    }
}

/// What one environment alone can own: its kind, its name, and where that is written.
struct Own {
    what: &'static str,
    key: &'static str,
    name: String,
    place: Option<Span>,
}

/// Environments of one account and region share nothing that one of them alone can own.
///
/// A second environment with another cluster only would put its tasks into the first one's target groups: they would
/// get its traffic. Repositories, log groups and a load balancer that exists already may be shared.
fn shared_name(scope: &Scope<'_>, found: &mut Findings) {
    for other in scope.others().filter(|other| are_neighbours(scope.environment, other.environment)) {
        if let Some((one, twin)) = twin(scope).or_else(|| twin(&other)) {
            found
                .error(format!("`{}` and `{}` are two environments", one.env(), twin.env()))
                .at(&one.env_at, "on AWS: it says no `kind`")
                .at(&twin.env_at, "on the embedded cloud")
                .help("give both tables the same name");
            continue;
        }
        let theirs = owned(&other);
        let theirs: BTreeMap<_, _> = theirs.iter().rev().map(|own| ((own.what, &own.name), own)).collect();
        for own in owned(scope) {
            if let Some(same) = theirs.get(&(own.what, &own.name)) {
                report_shared(scope, &other, &own, same, found);
            }
        }
    }
}

/// The environment itself and one on the embedded cloud that is called almost so: its name was mistyped once.
fn twin<'a>(scope: &Scope<'a>) -> Option<(Scope<'a>, Scope<'a>)> {
    let own = scope.environment;
    let is_open = own.kind == Kind::Aws && own.account.is_none();
    let like = |other: &Scope<'_>| {
        other.environment.kind == Kind::Local && suggest::closest(&own.name, [other.env()]).is_some()
    };
    let twin = scope.others().filter(|_| is_open).find(like)?;
    let one = twin.others().find(|one| one.env() == own.name)?;
    Some((one, twin))
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
        own("task definition family", "family", service.family.clone(), at.key("family").span());
        if let Some(group) = service.group() {
            let key = "target-group.name";
            own("target group", key, group.name.clone(), at.key(key).span());
        }
        let full = format!("{}/{}", environment.cluster, service.name);
        own("service", "cluster", full, scope.at("cluster").span().filter(|_| at.key("name").written()));
        for endpoint in service.endpoints() {
            let name = format!("{}.{}", endpoint.offer.discovery_name, environment.namespace);
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

fn report_shared(scope: &Scope<'_>, other: &Scope<'_>, own: &Own, same: &Own, found: &mut Findings) {
    let (one, two) = (scope.env(), other.env());
    let wrong = found.error(format!("`{one}` and `{two}` have the same {} `{}`", own.what, own.name));
    match own.place == same.place {
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
        ));
}
