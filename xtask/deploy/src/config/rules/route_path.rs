//! A route's pattern is one that a listener rule takes.
//!
//! Source: ELB user guide, listener rule condition types: path conditions have up to 128 characters of
//! `A–Z a–z 0–9 _ - . $ / ~ " ' @ : + & * ?`.

use super::{Diagnostic, Place, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "route-path", about: "A route's pattern is one that a listener rule takes.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scope.listener.iter().filter(|rule| !rule.health) {
        let entry = scope.at(&rule.place);
        let several = rule.route.paths.iter().zip(entry.key("paths").entries());
        let one = Some((&rule.route.path, entry.key("path"))).filter(|(path, _)| !path.is_empty());
        for (path, at) in one.into_iter().chain(several) {
            pattern(path, &at, found);
        }
    }
}

fn pattern(path: &str, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let stranger = path.chars().find(|&c| !c.is_ascii_alphanumeric() && !"_-.$/~\"'@:+&*?".contains(c));
    let length = path.chars().count();
    let wrong = Diagnostic::error(RULE.code, "not a path pattern");
    if let Some(stranger) = stranger {
        found.push(
            wrong
                .at(at, format!("{stranger:?} is not allowed"))
                .note("letters, digits and `_ - . $ / ~ \" ' @ : + & * ?` (ELB user guide, path conditions)"),
        );
    } else if length > 128 {
        found.push(wrong.at(at, format!("{length} characters, at most 128")));
    } else if !path.starts_with(['/', '*']) {
        found.push(wrong.at(at, "matches nothing: every path begins with a slash").replace(
            at,
            format!("\"/{path}\""),
            "begin with one",
        ));
    }
}
