//! A region has the form of a region: an availability zone or a city is none.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule { code: "region", about: "A region has the form of a region.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (region, at) = (&scope.environment.region, &scope.at("region"));
    if valid(region) || !at.written() {
        return;
    }
    let wrong = Diagnostic::error(RULE.code, "not an AWS region");
    let zone = region.trim_end_matches(|c: char| c.is_ascii_lowercase());
    found.push(if valid(zone) {
        wrong.at(at, "an availability zone").replace(at, format!("\"{zone}\""), "its region")
    } else {
        wrong.at(at, "regions look like `ap-southeast-1`")
    });
}

/// Two letters, words, a digit: `ap-southeast-1`, `us-gov-west-1`.
fn valid(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let [partition, words @ .., number] = parts.as_slice() else { return false };
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=4).contains(&partition.len())
        && lower(partition)
        && (1..=2).contains(&words.len())
        && words.iter().all(|word| lower(word))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}
