//! Lengths, alphabets and owners of names that several subjects share.

use std::collections::BTreeMap;

use super::naming::{Naming, any_form};
use super::{Findings, Place, Rule, Scope};
use crate::config::place::Span;
use crate::config::suggest;
use crate::model::{Environment, Kind, Lookup, Service, fits_tag, reserved_tag};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("service-key", service_key),
    Rule::Environment("ecs-name", ecs_name),
    Rule::Environment("tag-value", tag_value),
    Rule::EachService("log-group-name", log_group_name),
    Rule::EachService("repository-name", repository_name),
    Rule::EachService("role-name", role_name),
    Rule::Environment("lookup-name", lookup_name),
    Rule::Environment("duplicate-entry", duplicate_entry),
    Rule::Environment("unique-name", unique_name),
    Rule::Environment("shared-name", shared_name),
];

const SERVICE_KEY: Naming = Naming {
    what: "short name for a service",
    length: 1..=32,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '-'),
    law: "1 to 32 lowercase letters, digits and hyphens, beginning with a letter; AWS sees `name`, not this",
    form: |name| {
        (!name.starts_with(|c: char| c.is_ascii_lowercase())).then_some("does not begin with a letter")
    },
};

/// A service's short name can be typed, tagged and shown: lowercase letters, digits and hyphens.
fn service_key(service: &Service, at: &Place<'_>, found: &mut Findings) {
    SERVICE_KEY.check(&service.key.0, at.name(), found);
}

const fn ecs_naming(what: &'static str) -> Naming {
    Naming {
        what,
        length: 1..=255,
        allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
        law: "1 to 255 letters, digits, `-` and `_` (ECS API)",
        form: any_form,
    }
}

const NAMESPACE: Naming = Naming {
    what: "namespace name",
    length: 1..=1024,
    allowed: |c| c.is_ascii_graphic(),
    law: "1 to 1024 printable characters without spaces (Cloud Map API, CreateHttpNamespace)",
    form: any_form,
};

/// Clusters, services, families and containers have names of ECS's alphabet.
///
/// Source: ECS API, CreateCluster, CreateService, RegisterTaskDefinition: up to 255 letters, digits, `_` and
/// `-`. Cloud Map API, CreateHttpNamespace: up to 1024 printable characters.
fn ecs_name(scope: &Scope<'_>, found: &mut Findings) {
    let environment = scope.environment;
    ecs_naming("cluster name").check(&environment.cluster, scope.at("cluster"), found);
    NAMESPACE.check(&environment.namespace, scope.at("namespace"), found);
    for (service, at) in scope.services() {
        for (what, name, key) in [
            ("service name", &service.name, "name"),
            ("task definition family", &service.family, "family"),
            ("container name", &service.container.name, "container.name"),
        ] {
            ecs_naming(what).check(name, at.key(key), found);
        }
        for sidecar in &service.sidecars {
            let name = &sidecar.container.name;
            ecs_naming("container name").check(name, at.key("sidecar").key(name).name(), found);
        }
    }
}

fn reserved(name: &str) -> Option<&'static str> {
    reserved_tag(name).then_some("AWS keeps what begins with `aws:` for itself")
}

const TAG_VALUE: Naming = Naming {
    what: "tag value",
    length: 1..=256,
    allowed: fits_tag,
    law: "letters, digits, spaces and `+ - = . _ : / @`, not beginning with `aws:` (ECS API, Tag); all that the tool \
          creates is tagged with it",
    form: reserved,
};

/// The application's and the environment's name can be tag values.
///
/// Source: ECS API, Tag: up to 256 letters, digits, spaces and `+ - = . _ : / @`; `aws:` begins no key and no value.
fn tag_value(scope: &Scope<'_>, found: &mut Findings) {
    TAG_VALUE.check(&scope.environment.app, scope.at("app"), found);
    TAG_VALUE.check(scope.env(), &scope.env_at, found);
}

const LOG_GROUP: Naming = Naming {
    what: "log group name",
    length: 1..=512,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '#'),
    law: "1 to 512 letters, digits, `_`, `-`, `/`, `.` and `#`, not beginning with `aws/` (CloudWatch Logs API, CreateLogGroup)",
    form: |name| {
        let reserved = name.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws/"));
        reserved.then_some("AWS keeps what begins with `aws/` for itself")
    },
};

/// A log group's name has its length and alphabet.
///
/// Source: CloudWatch Logs API, CreateLogGroup.
fn log_group_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    if let Some(group) = service.logs() {
        LOG_GROUP.check(&group.name, at.key("log-group.name"), found);
    }
}

const REPOSITORY: Naming = Naming {
    what: "repository name",
    length: 2..=256,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-' | '/'),
    law: "2 to 256 lowercase letters and digits, with single `.`, `_`, `-` or `/` between them \
          (ECR API, CreateRepository)",
    form: |name| {
        let pieces = name.split(['.', '_', '-', '/']);
        pieces.into_iter().any(str::is_empty).then_some("a separator at an edge, or two in a row")
    },
};

/// An ECR repository's name has its length and form, and is not the address of a registry.
///
/// Source: ECR API, CreateRepository. Its pattern allows dots, so that an address such as
/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/app` would become a repository of that name in the own registry.
fn repository_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (name, at) = (&service.repository.name, at.key("repository.name"));
    // A tag or a digest is no part of the repository either.
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    if path.is_empty() || !is_host(host) {
        REPOSITORY.check(name, at, found);
        return;
    }
    let own = path.split([':', '@']).next().unwrap_or(path);
    found
        .error("not a repository name")
        .at(&at, format!("`{host}` is the address of a registry"))
        .note("images are pushed to the registry of the deploying account in `region`, and to no other")
        .replace(&at, format!("\"{own}\""), format!("name the repository alone: `{own}`"));
}

/// As Docker distinguishes a registry from a path: a dot with a domain behind it, a port, or `localhost`.
fn is_host(first: &str) -> bool {
    let domain = first.rsplit_once('.').is_some_and(|(_, end)| {
        (2..=24).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    domain || first == "localhost" || first.contains(':')
}

/// A role is named by its name alone, or by its whole ARN.
///
/// Source: IAM API, GetRole: `RoleName` has no path.
fn role_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let roles = [(service.execution_role(), "execution-role"), (service.task_role.as_ref(), "task-role")];
    for (role, key) in roles {
        let (Some(role), at) = (role.map(Lookup::text), at.key(key)) else { continue };
        let Some((_, name)) = role.rsplit_once('/') else { continue };
        if !role.starts_with("arn:") {
            found.error("a role's name has no path").at(&at, "IAM finds no role by its path").replace(
                &at,
                format!("\"{name}\""),
                "leave the path out",
            );
        }
    }
}

const NETWORK: Naming = Naming {
    what: "name or id of a VPC, a subnet or a security group",
    length: 1..=256,
    allowed: |c| !c.is_control(),
    law: "an id, or the `Name` tag: 1 to 256 characters, not beginning with `aws:` (EC2, tag restrictions)",
    form: reserved,
};

const ROLE: Naming = Naming {
    what: "name or ARN of a role",
    length: 1..=2048,
    allowed: |c| c.is_ascii_alphanumeric() || "_+=,.@-:/".contains(c),
    law: "letters, digits and `_+=,.@-`, or an ARN (IAM API, GetRole)",
    form: any_form,
};

/// What must be there already is named in a way that EC2 and IAM can find.
///
/// Source: EC2, Tag: values of up to 256 characters. IAM API, GetRole: `[\w+=,.@-]`, with a path before it in an ARN.
fn lookup_name(scope: &Scope<'_>, found: &mut Findings) {
    let (network, balancer) = (&scope.environment.network, &scope.environment.load_balancer);
    NETWORK.check(network.vpc.text(), scope.at("network.vpc"), found);
    network_names(&network.subnets, &scope.at("network.subnets"), found);
    network_names(&balancer.subnets, &scope.at("load-balancer.subnets"), found);
    network_names(&balancer.security_groups, &scope.at("load-balancer.security-groups"), found);
    for (service, at) in scope.services() {
        network_names(&service.security_groups, &at.key("security-groups"), found);
        network_names(&service.network.subnets, &at.key("network.subnets"), found);
        if let Some(role) = service.execution_role() {
            ROLE.check(role.text(), at.key("execution-role"), found);
        }
        if let Some(role) = &service.task_role {
            ROLE.check(role.text(), at.key("task-role"), found);
        }
    }
}

fn network_names(names: &[Lookup], at: &Place<'_>, found: &mut Findings) {
    for (name, at) in names.iter().zip(at.entries()) {
        NETWORK.check(name.text(), at, found);
    }
}

/// A list names nothing twice.
fn duplicate_entry(scope: &Scope<'_>, found: &mut Findings) {
    let environment = scope.environment;
    let (network, balancer) = (&environment.network, &environment.load_balancer);
    twice(network.subnets.iter().map(Lookup::text), &scope.at("network.subnets"), found);
    twice(balancer.subnets.iter().map(Lookup::text), &scope.at("load-balancer.subnets"), found);
    twice(
        balancer.security_groups.iter().map(Lookup::text),
        &scope.at("load-balancer.security-groups"),
        found,
    );
    for (service, at) in scope.services() {
        twice(service.network.subnets.iter().map(Lookup::text), &at.key("network.subnets"), found);
        twice(service.security_groups.iter().map(Lookup::text), &at.key("security-groups"), found);
        twice(service.depends_on.iter().map(|key| key.0.as_str()), &at.key("depends-on"), found);
    }
}

fn twice<'a>(list: impl Iterator<Item = &'a str>, at: &Place<'_>, found: &mut Findings) {
    let mut seen: Vec<(&str, Place<'_>)> = Vec::new();
    for (entry, place) in list.zip(at.entries()) {
        if let Some((_, first)) = seen.iter().find(|(first, _)| *first == entry) {
            found
                .error(format!("`{entry}` is in the list twice"))
                .at(first, "here")
                .at(&place, "and here again");
        }
        seen.push((entry, place));
    }
}

/// What it is, its name, and where that is written; what it is derived from, where it is not written itself.
type OwnName = (&'static str, fn(&Service) -> Option<&String>, fn(&Place<'_>) -> Option<Span>);

const OWN_NAMES: [OwnName; 5] = [
    ("service name", |service| Some(&service.name), |at| at.key("name").span()),
    ("task definition family", |service| Some(&service.family), |at| at.key("family").span()),
    ("target group", |service| Some(&service.group()?.name), |at| at.key("target-group.name").span()),
    (
        "repository",
        |service| service.builds().then_some(&service.repository.name),
        |at| at.key("repository.name").span(),
    ),
    (
        "Service Connect discovery name",
        |service| Some(&service.endpoint()?.discovery_name),
        |at| {
            let port = at.key("container.port-name").or(at.key("container.name"));
            at.key("connect.discovery-name").or(port)
        },
    ),
];

/// What belongs to one service is not shared by two.
///
/// Two services of one name are one service to ECS; two families of one name mix their revisions, and a
/// rollback of one takes the other's; a shared repository lets one service's lifecycle policy delete the
/// other's images. Log groups may be shared: streams carry the container's name.
fn unique_name(scope: &Scope<'_>, found: &mut Findings) {
    for (what, name_of, place_of) in OWN_NAMES {
        let mut seen: BTreeMap<&String, (&str, Span)> = BTreeMap::new();
        for (service, at) in scope.services() {
            // One that is empty is missing, which is reported as that.
            let name = name_of(service).filter(|name| !name.is_empty());
            let (Some(name), Some(place)) = (name, place_of(&at)) else { continue };
            if let Some((owner, first)) = seen.get(name) {
                found
                    .error(format!("two services have the {what} `{name}`"))
                    .at(first, format!("`{owner}` has it"))
                    .at(&place, format!("and so has `{}`", service.key));
            }
            seen.entry(name).or_insert((&service.key.0, place));
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
        if let Some(connect) = service.endpoint() {
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
