//! The application's and the environment's name can be tag values.
//!
//! Source: ECS API, Tag: up to 256 letters, digits, spaces and `+ - = . _ : / @`.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Rule, Scope};
use crate::model::fits_tag;

pub(super) const RULE: Rule = Rule {
    code: "tag-value",
    about: "The application's and the environment's name can be tag values.",
    check,
};

const VALUE: Naming = Naming {
    what: "tag value",
    length: 1..=256,
    allowed: fits_tag,
    law: "letters, digits, spaces and `+ - = . _ : / @` (ECS API, Tag); all that the tool creates \
          is tagged with it",
    form: any_form,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    VALUE.check(RULE.code, &scope.environment.app, scope.at("app"), found);
    VALUE.check(RULE.code, scope.env(), &scope.env_at, found);
}
