//! A health path is a plain path: it is asked for as it stands, and it is the pattern of a listener rule.

use super::{Diagnostic, Rule, Scope};
use crate::config::routing::{health_path, stranger_in};

pub(super) const RULE: Rule = Rule { code: "health-path", about: "A health path is a plain path.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let Some(path) = health_path(service) else { continue };
        let stranger = stranger_in(&path.value);
        if !path.value.starts_with('/') {
            found.push(
                Diagnostic::error(RULE.code, "a health path begins with a slash")
                    .at(path, "no slash")
                    .replace(path, format!("\"/{}\"", path.value), "begin with one"),
            );
        } else if let Some(stranger) = stranger {
            found.push(
                Diagnostic::error(RULE.code, "a health path is a plain path")
                    .at(path, format!("{stranger:?} is not allowed"))
                    .note("the exact-path rule of the listener is made from it, and there `*` and `?` are wildcards"),
            );
        } else if path.value.len() > 128 {
            found.push(
                Diagnostic::error(RULE.code, "a health path fits into a listener rule")
                    .at(path, format!("{} characters, at most 128", path.value.len())),
            );
        }
    }
}
