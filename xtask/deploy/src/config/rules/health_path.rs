//! A health path is a plain path: it is asked for as it stands, and it is the pattern of a listener rule.

use super::{Diagnostic, Rule, Scope};
use crate::config::routing::stranger_in;

pub(super) const RULE: Rule = Rule { code: "health-path", about: "A health path is a plain path.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (path, at) = (&service.target_group.health.path, at.key("target-group.health.path"));
        let stranger = stranger_in(path);
        if !at.written() {
            continue;
        }
        if !path.starts_with('/') {
            found.push(
                Diagnostic::error(RULE.code, "a health path begins with a slash")
                    .at(&at, "no slash")
                    .replace(&at, format!("\"/{}\"", path), "begin with one"),
            );
        } else if let Some(stranger) = stranger {
            found.push(
                Diagnostic::error(RULE.code, "a health path is a plain path")
                    .at(&at, format!("{stranger:?} is not allowed"))
                    .note("the exact-path rule of the listener is made from it, and there `*` and `?` are wildcards"),
            );
        } else if path.len() > 128 {
            found.push(
                Diagnostic::error(RULE.code, "a health path fits into a listener rule")
                    .at(&at, format!("{} characters, at most 128", path.len())),
            );
        }
    }
}
