//! Lengths and alphabets of names that several subjects share.

use super::naming::{Naming, any_form};
use super::{Findings, Place, Rule, Scope};
use crate::model::{Lookup, Service, fits_tag, reserved_tag};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("service-key", service_key),
    Rule::Environment("ecs-name", ecs_name),
    Rule::Environment("tag-value", tag_value),
    Rule::EachService("log-group-name", log_group_name),
    Rule::EachService("repository-name", repository_name),
    Rule::EachService("role-name", role_name),
    Rule::Environment("lookup-name", lookup_name),
    Rule::Environment("duplicate-entry", duplicate_entry),
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

/// To EC2's filters `*` is any text and `?` any character (EC2 API, Filter): any network would do.
fn unmatched(name: &str) -> Option<&'static str> {
    let pattern = name.contains(['*', '?', '\\']).then_some("a pattern to EC2, which may match any name");
    pattern.or_else(|| reserved(name))
}

const NETWORK: Naming = Naming {
    what: "name or id of a VPC, a subnet or a security group",
    length: 1..=256,
    allowed: |c| !c.is_control(),
    law: "an id, or the `Name` tag: 1 to 256 characters without `*`, `?` and `\\`, not beginning with `aws:` (EC2, tag restrictions)",
    form: unmatched,
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
    NETWORK.check(scope.environment.network.vpc.text(), scope.at("network.vpc"), found);
    for (names, at) in networks(scope) {
        for (name, at) in names.iter().zip(at.entries()) {
            NETWORK.check(name.text(), at, found);
        }
    }
    for (service, at) in scope.services() {
        if let Some(role) = service.execution_role() {
            ROLE.check(role.text(), at.key("execution-role"), found);
        }
        if let Some(role) = &service.task_role {
            ROLE.check(role.text(), at.key("task-role"), found);
        }
    }
}

/// The lists of subnets and security groups.
fn networks<'a>(scope: &Scope<'a>) -> Vec<(&'a [Lookup], Place<'a>)> {
    let (network, balancer) = (&scope.environment.network, &scope.environment.load_balancer);
    let mut lists: Vec<(&[Lookup], _)> = vec![
        (&network.subnets, scope.at("network.subnets")),
        (&balancer.subnets, scope.at("load-balancer.subnets")),
        (&balancer.security_groups, scope.at("load-balancer.security-groups")),
    ];
    for (service, at) in scope.services() {
        lists.push((&service.security_groups, at.key("security-groups")));
        lists.push((&service.network.subnets, at.key("network.subnets")));
    }
    lists
}

/// A list names nothing twice.
fn duplicate_entry(scope: &Scope<'_>, found: &mut Findings) {
    for (names, at) in networks(scope) {
        twice(names.iter().map(Lookup::text), &at, found);
    }
    for (service, at) in scope.services() {
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
