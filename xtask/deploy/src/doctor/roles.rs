//! The roles of tasks: who may assume them, what they may do, and the secrets that they read.

use serde_json::Value;

use super::account::{denied, listed};
use super::facts::{Fact, Facts, TaskRole};
use super::{Check, State};
use crate::iam::SECRET_READS;
use crate::model::{Environment, arn_name};
use crate::secrets::named;

const TASKS: &str = "ecs-tasks.amazonaws.com";

pub(super) fn roles(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let account =
        facts.caller.as_ref().and_then(|caller| caller.as_ref().ok()).map(|(account, _)| account.as_str());
    let one = |(text, fact): (&String, &Fact<Option<TaskRole>>)| {
        let name = arn_name(text).to_owned();
        let role: &TaskRole = match fact {
            Err(unread) => return vec![Check::unknown(name, unread)],
            // It is among what the landing zone lacks.
            Ok(None) => return Vec::new(),
            Ok(Some(role)) => role,
        };
        let mut checks = vec![trust(&name, &role.trust, account.unwrap_or_default(), &environment.region)];
        match &role.rights {
            None => {}
            Some(Err(unread)) => checks.push(Check::unknown(format!("rights of {name}"), unread)),
            Some(Ok(statements)) => {
                let mut refused = denied(statements);
                // Reported at the secret.
                refused.retain(|(action, _)| !SECRET_READS.contains(action));
                let exec = refused.iter().all(|(action, _)| action.starts_with("ssmmessages:"));
                checks.push(match refused.is_empty() {
                    true => Check::ok(format!("rights of {name}"), "all that ECS needs for these tasks"),
                    // Tasks run without it.
                    false => Check::not(
                        if exec { State::Warn } else { State::Fail },
                        format!("rights of {name}"),
                        format!("it may not {}", listed(&refused)),
                        match exec {
                            true => "allow it in the role's policy, or `exec` does not work".to_owned(),
                            false => "allow it in the role's policy, or no task can start".to_owned(),
                        },
                    ),
                });
            }
        }
        checks
    };
    facts.roles.iter().flat_map(one).collect()
}

/// Whether ECS may assume the role for tasks. `aws:SourceArn` names no task: it is `arn:aws:ecs:REGION:ACCOUNT:*` (ECS developer
/// guide, "Task IAM role").
fn trust(name: &str, document: &Value, account: &str, region: &str) -> Check {
    let name = format!("trust of {name}");
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            value => value.as_str().map(str::to_owned).into_iter().collect(),
        }
    };
    let statements = match &document["Statement"] {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let fits = |statement: &&Value| {
        statement["Effect"] == "Allow"
            && texts(&statement["Principal"]["Service"]).iter().any(|service| service == TASKS)
            && texts(&statement["Action"])
                .iter()
                .any(|action| ["sts:AssumeRole", "sts:*", "*"].contains(&action.as_str()))
    };
    let trusting: Vec<&Value> = statements.iter().filter(fits).collect();
    if trusting.is_empty() {
        return Check::fail(
            name,
            format!("it does not trust {TASKS}, so no task can get it"),
            format!("add {TASKS} to the principals of the role's trust policy"),
        );
    }
    let condition = |statement: &&Value, key: &str| -> Vec<String> {
        let operators = statement["Condition"].as_object().into_iter().flatten();
        operators.flat_map(|(_, keys)| texts(&keys[key])).collect()
    };
    let own = format!("arn:aws:ecs:{region}:{account}:");
    let passes = |statement: &&Value| {
        let accounts = condition(statement, "aws:SourceAccount");
        let sources = condition(statement, "aws:SourceArn");
        let begins = |arn: &String| {
            let plain = arn.split('*').next().unwrap_or(arn);
            arn.ends_with('*') && (own.starts_with(plain) || arn.ends_with(&format!(":{region}:{account}:*")))
        };
        (accounts.is_empty() || accounts.iter().any(|own| own == account))
            && (sources.is_empty() || sources.iter().any(begins))
    };
    match trusting.iter().any(passes) {
        true => Check::ok(name, format!("{TASKS} may assume it")),
        false => Check::fail(
            name,
            format!("its conditions let {TASKS} assume it for other accounts, regions or resources only"),
            format!("let aws:SourceAccount be {account} and aws:SourceArn {own}*"),
        ),
    }
}

pub(super) fn secrets(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    for (id, fact) in &facts.secrets {
        let users: Vec<_> = named(environment).into_iter().filter(|it| it.id == *id).collect();
        let Some(first) = users.first() else { continue };
        let roles = users.iter().filter_map(|it| environment.service(&it.service)?.execution_role());
        let key = match fact {
            Err(unread) => {
                checks.push(Check::unknown(id, unread));
                continue;
            }
            Ok(None) => {
                checks.push(Check::fail(
                    id,
                    format!(
                        "{} does not have it, and no task of {} can start",
                        first.store.words(),
                        first.service
                    ),
                    format!(
                        "create it; `cargo xtask secrets set {}` sets the value of a parameter",
                        first.variable
                    ),
                ));
                continue;
            }
            Ok(Some(key)) => key,
        };
        let mut unread = None;
        let mut refused: Option<(&str, &str)> = None;
        for role in roles {
            match facts.roles.get(role.text()) {
                Some(Ok(Some(TaskRole { rights: Some(Ok(statements)), .. }))) => {
                    let of = |resource: &str| {
                        resource.ends_with(id.trim_start_matches('/')) || Some(resource) == key.as_deref()
                    };
                    let found = denied(statements).into_iter();
                    let mut own =
                        found.filter(|(action, resource)| SECRET_READS.contains(action) && of(resource));
                    refused = refused.or(own.next().map(|(action, _)| (arn_name(role.text()), action)));
                }
                Some(Ok(Some(TaskRole { rights: Some(Err(own)), .. })) | Err(own)) => unread = Some(own),
                _ => {}
            }
        }
        checks.push(match (refused, unread) {
            // A key's own policy may allow it, which a simulation does not see.
            (Some((role, action @ "kms:Decrypt")), _) => Check::warn(
                id,
                format!("{role} may not {action} with its key, unless the key's policy says so"),
                format!("allow {action} on the key in the policy of {role}"),
            ),
            (Some((role, action)), _) => Check::fail(
                id,
                format!("the execution role {role} may not {action} on it"),
                format!("allow {action} on it in the policy of {role}"),
            ),
            (None, Some(unread)) => Check::unknown(id, unread),
            (None, None) => {
                Check::ok(id, format!("{} has it, and the execution role may read it", first.store.words()))
            }
        });
    }
    checks
}
