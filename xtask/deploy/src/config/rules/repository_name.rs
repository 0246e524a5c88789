//! An ECR repository's name has its length and form.
//!
//! Source: ECR API, CreateRepository.

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
    for (_, service) in scope.services() {
        if let Some(name) = &service.repository.value.name {
            NAME.check(RULE.code, name, found);
        }
    }
}
