//! Who calls, what they may do, and this machine.

use super::facts::{Decision, Facts};
use super::{Check, State};
use crate::model::{Environment, Kind};

/// AWS refuses signatures that are older or newer than five minutes (IAM user guide, "Signature Version 4").
const SKEW_LIMIT_SECS: u64 = 300;
/// From here on it is worth a warning: clocks drift on.
const SKEW_WARN_SECS: u64 = 60;
/// So many denied actions are named.
const NAMED: usize = 4;

pub(super) fn checks(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let caller = facts.caller.as_ref().map(|caller| match caller {
        Err(unread) => Check { state: State::Fail, ..Check::unknown("credentials", unread) },
        Ok((account, arn)) => match &environment.account {
            Some(wanted) if wanted != account => Check::fail(
                "credentials",
                format!("{arn} belongs to account {account}, but deploy.toml expects {wanted}"),
                format!("name a profile of account {wanted} with AWS_PROFILE, or choose another --env"),
            ),
            Some(_) => Check::ok("credentials", format!("{arn}, in the account of deploy.toml")),
            None if environment.kind == Kind::Local => {
                Check::ok("credentials", format!("{arn}, on the embedded cloud"))
            }
            // No failure: a deploy works, but nothing keeps it from the account of another environment.
            None => Check::warn(
                "credentials",
                format!("{arn}, and deploy.toml names no account that they must belong to"),
                format!("write `account = \"{account}\"` in deploy.toml"),
            ),
        },
    });
    let rights = facts.rights.as_ref().map(|rights| match rights {
        Err(unread) => Check::unknown("policy", unread),
        Ok(statements) => policy(statements),
    });
    caller.into_iter().chain(rights).collect()
}

fn policy(statements: &[Vec<Decision>]) -> Check {
    let all: std::collections::BTreeSet<&str> =
        statements.iter().flatten().map(|decision| decision.action.as_str()).collect();
    let denied = denied(statements);
    if denied.is_empty() {
        return Check::ok("policy", format!("the caller may do all {} actions of a deploy", all.len()));
    }
    Check::fail(
        "policy",
        format!("the caller may not {}", listed(&denied)),
        "give the caller what `cargo xtask iam policy` prints",
    )
}

/// The denied actions, each with a resource that it is denied on. An action is about some of a statement's kinds of resources, and
/// IAM denies it on the others: it is allowed when it is on everything of one kind.
pub(super) fn denied(statements: &[Vec<Decision>]) -> Vec<(&str, &str)> {
    let mut denied: Vec<(&str, &str)> = Vec::new();
    for decisions in statements {
        let mut actions: Vec<&str> = decisions.iter().map(|it| it.action.as_str()).collect();
        actions.sort_unstable();
        actions.dedup();
        for action in actions {
            let mut kinds: std::collections::BTreeMap<_, Option<&str>> = std::collections::BTreeMap::new();
            for it in decisions.iter().filter(|it| it.action == action) {
                let refused = kinds.entry(kind(&it.resource)).or_default();
                if !it.allowed {
                    *refused = refused.or(Some(it.resource.as_str()));
                }
            }
            if kinds.values().all(Option::is_some) {
                denied.extend(kinds.values().flatten().next().map(|resource| (action, *resource)));
            }
        }
    }
    denied
}

/// The resource's type, and whether it is a pattern: a log group and its streams, a role with a path and one without.
fn kind(arn: &str) -> (&str, bool) {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    (resource.split(['/', ':']).next().unwrap_or(resource), resource.contains('*'))
}

/// The first denied actions in words.
pub(super) fn listed(denied: &[(&str, &str)]) -> String {
    let one = |(action, resource): &(&str, &str)| match *resource {
        "*" => (*action).to_owned(),
        resource => format!("{action} on {resource}"),
    };
    let mut text = denied.iter().take(NAMED).map(one).collect::<Vec<_>>().join(", ");
    if denied.len() > NAMED {
        text.push_str(&format!(", and {} more", denied.len() - NAMED));
    }
    text
}

pub(super) fn machine(facts: &Facts) -> Vec<Check> {
    let clock = facts.clock_ahead_secs.as_ref().map(|ahead| match ahead {
        Err(unread) => Check::unknown("clock", unread),
        Ok(ahead) => clock(*ahead),
    });
    let engine = facts.engine.as_ref().map(|engine| match engine {
        Ok(engine) => Check::ok("container engine", engine.clone()),
        Err(unread) => Check { state: State::Fail, ..Check::unknown("container engine", unread) },
    });
    clock.into_iter().chain(engine).collect()
}

fn clock(ahead: i64) -> Check {
    let off = ahead.unsigned_abs();
    let evidence = match (off, ahead > 0) {
        (0..=1, _) => "as AWS's".to_owned(),
        (_, true) => format!("{off} s ahead of AWS's"),
        (_, false) => format!("{off} s behind AWS's"),
    };
    match off {
        off if off > SKEW_LIMIT_SECS => Check::fail(
            "clock",
            format!("{evidence}: AWS refuses signatures that are off by more than {SKEW_LIMIT_SECS} s"),
            "set this machine's clock, for instance by NTP",
        ),
        off if off > SKEW_WARN_SECS => {
            Check::warn("clock", evidence, "set this machine's clock, for instance by NTP")
        }
        _ => Check::ok("clock", evidence),
    }
}
