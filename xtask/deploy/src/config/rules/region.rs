//! A region has the form of a region: an availability zone or a city is none.

use super::{Diagnostic, Rule, Scope};
use crate::config::suggest;

pub(super) const RULE: Rule = Rule { code: "region", about: "A region has the form of a region.", check };

/// Regions by the names that the console shows (AWS Regions and Availability Zones user guide). Others are taken too: AWS opens
/// new ones.
const REGIONS: [(&str, &str); 34] = [
    ("us-east-1", "virginia"),
    ("us-east-2", "ohio"),
    ("us-west-1", "california"),
    ("us-west-2", "oregon"),
    ("af-south-1", "cape town"),
    ("ap-east-1", "hong kong"),
    ("ap-east-2", "taipei"),
    ("ap-south-1", "mumbai"),
    ("ap-south-2", "hyderabad"),
    ("ap-northeast-1", "tokyo"),
    ("ap-northeast-2", "seoul"),
    ("ap-northeast-3", "osaka"),
    ("ap-southeast-1", "singapore"),
    ("ap-southeast-2", "sydney"),
    ("ap-southeast-3", "jakarta"),
    ("ap-southeast-4", "melbourne"),
    ("ap-southeast-5", "malaysia"),
    ("ap-southeast-6", "new zealand"),
    ("ap-southeast-7", "thailand"),
    ("ca-central-1", "canada"),
    ("ca-west-1", "calgary"),
    ("eu-central-1", "frankfurt"),
    ("eu-central-2", "zurich"),
    ("eu-west-1", "ireland"),
    ("eu-west-2", "london"),
    ("eu-west-3", "paris"),
    ("eu-south-1", "milan"),
    ("eu-south-2", "spain"),
    ("eu-north-1", "stockholm"),
    ("il-central-1", "tel aviv"),
    ("me-central-1", "uae"),
    ("me-south-1", "bahrain"),
    ("mx-central-1", "mexico"),
    ("sa-east-1", "paulo"),
];

/// The region of a city or country: `Asia Pacific (Singapore)` is the console's.
fn of_place(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase().replace(['-', '_'], " ");
    REGIONS.iter().find(|(_, place)| text.contains(place)).map(|(id, _)| *id)
}

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (region, at) = (&scope.environment.region, &scope.at("region"));
    if valid(region) || !at.written() {
        return;
    }
    let wrong = Diagnostic::error(RULE.code, "not an AWS region");
    let zone = region.trim_end_matches(|c: char| c.is_ascii_lowercase());
    found.push(if valid(zone) {
        wrong.at(at, "an availability zone").replace(at, format!("\"{zone}\""), "its region")
    } else if let Some(id) = of_place(region) {
        wrong.at(at, "a place").replace(at, format!("\"{id}\""), format!("its region is `{id}`"))
    } else if let Some(id) = suggest::closest(region, REGIONS.iter().map(|(id, _)| *id)) {
        wrong.at(at, "no such form").replace(at, format!("\"{id}\""), format!("did you mean `{id}`?"))
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
