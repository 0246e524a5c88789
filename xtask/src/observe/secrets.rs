//! What the stores say of the secrets that deploy.toml names. Values are not read.

use std::collections::BTreeMap;

use deploy::model::Environment;
use deploy::rollout::TaskSnapshot;
use deploy::secrets::{SecretState, SecretVariable, Store, named};
use futures_util::future::join_all;

use crate::aws::{Aws, Error, FoundSecret};

/// Each variable's state, and a sentence for each one that cannot be read. `tasks` are those of a service.
pub async fn secrets(
    aws: &Aws,
    environment: &Environment,
    tasks: impl Fn(&str) -> Vec<TaskSnapshot>,
) -> (Vec<SecretState>, Vec<String>) {
    let (theirs, named): (Vec<_>, Vec<_>) =
        named(environment).into_iter().partition(|it| it.owner(environment).is_some());
    let ids: BTreeMap<&String, Store> = named.iter().map(|it| (&it.id, it.store)).collect();
    let reads = ids.iter().map(|(id, store)| async move {
        let read = match store {
            Store::SecretsManager => aws.find_secret(id).await,
            Store::ParameterStore => aws.find_parameter(id).await,
        };
        ((*id).clone(), read)
    });
    let read: BTreeMap<String, Result<Option<FoundSecret>, Error>> =
        join_all(reads).await.into_iter().collect();
    let of_others = |it: SecretVariable| {
        format!(
            "{}: {} is of another account, which alone can say more of {}",
            it.service, it.variable, it.id
        )
    };
    let (mut states, mut unread) = (Vec::new(), theirs.into_iter().map(of_others).collect::<Vec<_>>());
    for it in named {
        match &read[&it.id] {
            Ok(found) => {
                let tasks = tasks(&it.service.0);
                states.push(SecretState::of(it, found.as_ref().map(|found| found.changed_ms), &tasks));
            }
            Err(error) => unread.push(format!("{}: {} cannot be read: {error}", it.service, it.variable)),
        }
    }
    (states, unread)
}
