//! An ECR repository's name has its length and form, and is not the address of a registry.
//!
//! Source: ECR API, CreateRepository. Its pattern allows dots, so that an address such as
//! `ACCOUNT.dkr.ecr.REGION.amazonaws.com/app` would become a repository of that name in the own registry.

use super::naming::Naming;
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "repository-name", about: "A repository's name has its length and form.", check };

const NAME: Naming = Naming {
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

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (name, at) = (&service.repository.name, at.key("repository.name"));
        // A tag or a digest is no part of the repository either.
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        if path.is_empty() || !is_host(host) {
            NAME.check(RULE.code, name, at, found);
            continue;
        }
        let own = path.split([':', '@']).next().unwrap_or(path);
        found.push(
            Diagnostic::error(RULE.code, "not a repository name")
                .at(&at, format!("`{host}` is the address of a registry"))
                .note(
                    "images are pushed to the registry of the deploying account in `region`, and to no other",
                )
                .replace(&at, format!("\"{own}\""), format!("name the repository alone: `{own}`")),
        );
    }
}

/// As Docker tells a registry from a path: a dot with a domain behind it, a port, or `localhost`.
fn is_host(first: &str) -> bool {
    let domain = first.rsplit_once('.').is_some_and(|(_, end)| {
        (2..=24).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    domain || first == "localhost" || first.contains(':')
}
