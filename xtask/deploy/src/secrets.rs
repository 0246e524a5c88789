//! The secrets that deploy.toml names: where each is kept, and whether tasks that run have its newest value.
//!
//! ECS reads them when it starts a task, and never again: a task keeps the value that it started with.

use serde::Serialize;

use crate::model::{Environment, ServiceKey};
use crate::rollout::TaskSnapshot;

/// Where a secret is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    SecretsManager,
    ParameterStore,
}

impl Store {
    pub fn words(self) -> &'static str {
        match self {
            Self::SecretsManager => "Secrets Manager",
            Self::ParameterStore => "Parameter Store",
        }
    }
}

/// A variable of a container that ECS fills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SecretVariable {
    pub service: ServiceKey,
    pub container: String,
    pub variable: String,
    pub store: Store,
    /// The ARN of a secret, or the name of a parameter; its ARN where that is of another region or account.
    pub id: String,
    /// It is one member of a JSON object, or a fixed version: the rest of the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// The same, and what its store says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SecretState {
    #[serde(flatten)]
    pub named: SecretVariable,
    /// When it was changed last, in milliseconds since the Unix epoch; `None` when it is not there.
    pub changed_ms: Option<u64>,
    /// Running tasks of the service that started before that, and all of them.
    pub behind: (usize, usize),
}

/// Every variable of the environment that is filled from a secret, in the order of the file.
pub fn named(environment: &Environment) -> Vec<SecretVariable> {
    let mut found = Vec::new();
    for service in &environment.services {
        for (_, container) in service.containers() {
            found.extend(container.secrets.iter().map(|(variable, reference)| {
                let (store, mut id, part) = read(reference);
                // Of the store of another account or region, the name alone would be another parameter.
                let place = (environment.region.as_str(), environment.account.as_deref());
                if store == Store::ParameterStore && is_elsewhere(reference, place) {
                    id.clone_from(reference);
                }
                let (service, container) = (service.key.clone(), container.name.clone());
                SecretVariable { service, container, variable: variable.clone(), store, id, part }
            }));
        }
    }
    found
}

/// Whether an ARN is of another region, or of another account than a known one.
fn is_elsewhere(reference: &str, (region, account): (&str, Option<&str>)) -> bool {
    match reference.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, _, own, owner, _] => own != region || account.is_some_and(|account| account != owner),
        _ => false,
    }
}

impl SecretVariable {
    /// The account of a parameter that belongs to another one. Shared parameters are read by tasks, and not listed or set by
    /// others (Systems Manager user guide, "Working with shared parameters").
    pub fn owner<'a>(&'a self, environment: &Environment) -> Option<&'a str> {
        let owner = self.id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3))?;
        let own = environment.account.as_deref().is_none_or(|account| account == owner);
        (self.store == Store::ParameterStore && !own).then_some(owner)
    }
}

/// `arn:…:secret:NAME[:json-key:version-stage:version-id]`, `arn:…:parameter/NAME` or `/NAME` (ECS API, Secret.valueFrom).
fn read(reference: &str) -> (Store, String, Option<String>) {
    let parts: Vec<&str> = reference.splitn(8, ':').collect();
    match parts[..] {
        ["arn", _, "secretsmanager", ..] => {
            let part = parts.get(7).map(|part| part.trim_end_matches(':')).filter(|part| !part.is_empty());
            (Store::SecretsManager, parts[..parts.len().min(7)].join(":"), part.map(str::to_owned))
        }
        ["arn", _, "ssm", _, _, parameter, ..] => {
            let name = parameter.strip_prefix("parameter/").unwrap_or(parameter);
            // The ARN of `/a/b` and the one of a name without a slash begin alike.
            let slash = if name.contains('/') { "/" } else { "" };
            (Store::ParameterStore, format!("{slash}{name}"), None)
        }
        _ => (Store::ParameterStore, reference.to_owned(), None),
    }
}

impl SecretState {
    /// What the store says, beside the service's running tasks.
    pub fn of(named: SecretVariable, changed_ms: Option<u64>, tasks: &[TaskSnapshot]) -> Self {
        let running = || tasks.iter().filter(|task| task.is_running());
        // ECS reads the value after it made the task and before its containers start.
        let behind = running().filter(|task| changed_ms.is_some_and(|changed| changed > task.created_ms));
        let behind = (behind.count(), running().count());
        Self { named, changed_ms, behind }
    }

    /// What somebody should know, in a sentence.
    pub fn note(&self) -> Option<String> {
        let SecretVariable { service, variable, store, id, .. } = &self.named;
        match (self.changed_ms, self.behind) {
            (None, _) => Some(format!(
                "{service}: {} does not have `{id}` for {variable}, and no new task can start",
                store.words()
            )),
            (Some(_), (0, _)) => None,
            (Some(_), (behind, all)) => Some(format!(
                "{service}: {variable} was changed after {behind} of {all} tasks started; `cargo xtask restart {service}` gives \
                 it to them"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_the_id_of_its_store_and_what_of_it_is_meant() {
        let arn = "arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:prod/db-AbCdEf";
        let parameter = "arn:aws:ssm:ap-southeast-1:123456789012:parameter";
        let cases = [
            (arn.to_owned(), Store::SecretsManager, arn, None),
            (format!("{arn}:password::"), Store::SecretsManager, arn, Some("password")),
            (format!("{parameter}/prod/key"), Store::ParameterStore, "/prod/key", None),
            (format!("{parameter}/flat"), Store::ParameterStore, "flat", None),
            ("/prod/key".to_owned(), Store::ParameterStore, "/prod/key", None),
        ];
        for (reference, store, id, part) in cases {
            assert_eq!(read(&reference), (store, id.to_owned(), part.map(str::to_owned)), "{reference}");
        }
    }

    #[test]
    fn a_parameter_of_elsewhere_keeps_its_arn_and_its_owner() {
        let text = include_str!("../tests/fixtures/ielts.toml");
        let mut environment = crate::config::load("deploy.toml", text, Some("prod")).unwrap().environment;
        let own = environment.account.clone().unwrap();
        let arn = |region: &str, account: &str| format!("arn:aws:ssm:{region}:{account}:parameter/k");
        let region = environment.region.clone();
        let cases = [
            (arn(&region, &own), "k".to_owned(), None),
            (arn("eu-west-1", &own), arn("eu-west-1", &own), None),
            (arn(&region, "999999999999"), arn(&region, "999999999999"), Some("999999999999")),
        ];
        for (reference, id, owner) in cases {
            environment.services[0].container.secrets = [("K".to_owned(), reference)].into();
            let found = named(&environment).remove(0);
            assert_eq!((&found.id, found.owner(&environment)), (&id, owner));
        }
    }

    #[test]
    fn a_task_that_started_before_the_change_is_behind() {
        let named = SecretVariable {
            service: ServiceKey("backend".into()),
            container: "backend".into(),
            variable: "KEY".into(),
            store: Store::ParameterStore,
            id: "/k".into(),
            part: None,
        };
        let task = |created_ms, status: &str| TaskSnapshot {
            created_ms,
            last_status: status.into(),
            ..TaskSnapshot::default()
        };
        let tasks = [task(1_000, "RUNNING"), task(3_000, "RUNNING"), task(1_000, "STOPPED")];
        let state = |changed_ms| SecretState::of(named.clone(), changed_ms, &tasks);
        assert_eq!((state(Some(2_000)).behind, state(Some(500)).note()), ((1, 2), None));
        assert!(
            state(Some(2_000)).note().unwrap().ends_with("`cargo xtask restart backend` gives it to them")
        );
        assert!(state(None).note().unwrap().contains("does not have `/k`"));
    }
}
