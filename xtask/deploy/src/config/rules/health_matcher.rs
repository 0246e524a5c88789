//! The codes that a health check accepts are codes that a target group can check for.
//!
//! Source: ELBv2 API, Matcher: 200 to 499 for an application load balancer; lists `200,202` and ranges
//! `200-299`.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "health-matcher", about: "A health check accepts HTTP codes from 200 to 499.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let matcher = &service.target_group.health.matcher;
        if let Some(part) = matcher.split(',').find(|part| !valid(part)) {
            found.push(
                Diagnostic::error(RULE.code, "not a list of HTTP codes")
                    .at(
                        at.key("target-group.health.matcher"),
                        format!("`{part}` is neither a code nor a range"),
                    )
                    .note("codes from 200 to 499 (ELBv2 API, Matcher): \"200\", \"200,302\" or \"200-299\""),
            );
        }
    }
}

fn valid(part: &str) -> bool {
    let code =
        |text: &str| text.parse::<u16>().ok().filter(|code| text.len() == 3 && (200..=499).contains(code));
    match part.split_once('-') {
        Some((low, high)) => code(low).zip(code(high)).is_some_and(|(low, high)| low <= high),
        None => code(part).is_some(),
    }
}
