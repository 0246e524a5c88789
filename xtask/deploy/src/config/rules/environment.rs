//! Which account, region and kind of environment `deploy.toml` names.

use super::{Findings, Rule, Scope};
use crate::config::suggest;
use crate::model::Kind;

pub(super) const RULES: &[Rule] = &[
    Rule::Environment("account", account),
    Rule::Environment("account-open", account_open),
    Rule::Environment("region", region),
    Rule::Environment("confirm", confirm),
    Rule::Environment("workload", workload),
];

/// An account is 12 digits.
fn account(scope: &Scope<'_>, found: &mut Findings) {
    let Some(account) = &scope.environment.account else { return };
    let at = scope.at("account");
    let digits = account.bytes().filter(u8::is_ascii_digit).count();
    if digits == 12 && account.len() == 12 {
        return;
    }
    let wrong = found.error("an AWS account is 12 digits");
    if digits == 12 && account.chars().all(|c| c.is_ascii_digit() || c == '-') {
        // The console shows 2109-8765-4321.
        let plain = account.replace('-', "");
        wrong.at(&at, "the console's spelling").replace(&at, format!("\"{plain}\""), "leave the hyphens out");
    } else {
        wrong
            .at(&at, format!("{digits} digits in {} characters", account.chars().count()))
            .help("`aws sts get-caller-identity --query Account --output text` prints it");
    }
}

/// Numbers that AWS's documentation and emulators use and that no customer has.
const EXAMPLES: [&str; 3] = ["123456789012", "000000000000", "111122223333"];

/// An environment on AWS names the account that it may touch, and a real one.
///
/// Wrong credentials in the shell must not be able to deploy into somebody else's account.
fn account_open(scope: &Scope<'_>, found: &mut Findings) {
    if scope.environment.kind == Kind::Local {
        return;
    }
    let env = scope.env();
    let help = "put the number that `aws sts get-caller-identity --query Account --output text` prints";
    match &scope.environment.account {
        None => {
            found
                .warning(format!("`{env}` may touch any account that the credentials lead to"))
                .at(&scope.env_at, "no `account` here")
                .help(format!("{help}, in quotes, as `account`"));
        }
        Some(account) if EXAMPLES.contains(&account.as_str()) => {
            found
                .warning("`account` is a placeholder")
                .at(scope.at("account"), "belongs to nobody: only emulators answer to it")
                .note(format!(
                    "until it is replaced, `{env}` refuses every real account before writing anything"
                ))
                .help(help);
        }
        Some(_) => {}
    }
}

/// Regions by the names that the console shows (AWS Regions and Availability Zones user guide). Others are taken
/// too: AWS opens new ones.
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

/// A region has the form of a region: an availability zone or a city is none.
fn region(scope: &Scope<'_>, found: &mut Findings) {
    let (region, at) = (&scope.environment.region, &scope.at("region"));
    if is_region(region) || !at.written() {
        return;
    }
    let wrong = found.error("not an AWS region");
    let zone = region.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if is_region(zone) {
        wrong.at(at, "an availability zone").replace(at, format!("\"{zone}\""), "its region");
    } else if let Some(id) = of_place(region) {
        wrong.at(at, "a place").replace(at, format!("\"{id}\""), format!("its region is `{id}`"));
    } else if let Some(id) = suggest::closest(region, REGIONS.iter().map(|(id, _)| *id)) {
        wrong.at(at, "no such form").meant(at, id);
    } else {
        wrong.at(at, "regions look like `ap-southeast-1`");
    }
}

/// Two letters, words, a digit: `ap-southeast-1`, `us-gov-west-1`.
fn is_region(region: &str) -> bool {
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

/// A production environment on AWS asks before it writes.
fn confirm(scope: &Scope<'_>, found: &mut Findings) {
    let environment = scope.environment;
    let production = ["prod", "production", "live"]
        .iter()
        .any(|word| scope.env().split(['-', '_']).any(|part| part == *word));
    if environment.kind == Kind::Local || environment.confirm || !production {
        return;
    }
    // Said nowhere, it is missing from the environment's section.
    let place = scope.at("confirm").or(&scope.env_at);
    found
        .warning(format!("`{}` writes without asking", scope.env()))
        .at(&place, "`confirm` is false")
        .help("set `confirm = true`; unattended runs then say `--yes`");
}

/// `workload` is the embedded cloud's: on AWS tasks run on Fargate.
fn workload(scope: &Scope<'_>, found: &mut Findings) {
    let workload = scope.at("workload");
    if scope.environment.kind != Kind::Local && workload.written() {
        found
            .warning("`workload` has no effect on AWS")
            .at(workload, "tasks run on Fargate there")
            .help("set it under `[env.local]`, where the embedded cloud runs the tasks");
    }
}
