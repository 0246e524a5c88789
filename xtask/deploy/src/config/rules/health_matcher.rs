//! The codes that a health check accepts are codes that a target group can check for.
//!
//! Source: ELBv2 API, Matcher: 200 to 499 for an application load balancer; lists `200,202` and ranges
//! `200-299`.

use std::ops::RangeInclusive;

use super::{Diagnostic, Rule, Scope};
use crate::model::ProtocolVersion;

pub(super) const RULE: Rule = Rule {
    code: "health-matcher",
    about: "A health check accepts HTTP codes from 200 to 499, or gRPC codes.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let group = &service.target_group;
        let grpc = group.protocol_version == ProtocolVersion::Grpc;
        let (what, codes, law) = match grpc {
            true => ("gRPC", 0..=99, "codes from 0 to 99 (ELBv2 API, Matcher): \"0\", \"0,12\" or \"0-99\""),
            false => (
                "HTTP",
                200..=499,
                "codes from 200 to 499 (ELBv2 API, Matcher): \"200\", \"200,302\" or \"200-299\"",
            ),
        };
        if let Some(part) = group.health.matcher.split(',').find(|part| !valid(part, &codes)) {
            found.push(
                Diagnostic::error(RULE.code, format!("not a list of {what} codes"))
                    .at(
                        at.key("target-group.health.matcher"),
                        format!("`{part}` is neither a code nor a range"),
                    )
                    .note(law),
            );
        }
    }
}

fn valid(part: &str, codes: &RangeInclusive<u16>) -> bool {
    let code =
        |text: &str| text.parse::<u16>().ok().filter(|code| codes.contains(code) && text == code.to_string());
    match part.split_once('-') {
        Some((low, high)) => code(low).zip(code(high)).is_some_and(|(low, high)| low <= high),
        None => code(part).is_some(),
    }
}
