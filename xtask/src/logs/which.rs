//! Whether the task that is meant is one of the services'.

use deploy::model::Environment;
use futures_util::future::join_all;

use super::follow::both;
use super::{Error, Wanted};
use crate::aws::Aws;

/// Ids are long, and a screen has few lines: so much of them is enough to name one.
const SHOWN: usize = 8;

/// Whether ECS knows the task, for a command line on which it may be mistyped. What cannot be read is no mistake of it.
///
/// # Errors
/// [`Error::Task`] with the tasks that there are.
pub async fn known(aws: &Aws, environment: &Environment, wanted: Wanted<'_>) -> Result<(), Error> {
    let Some(id) = wanted.task else { return Ok(()) };
    let reads = join_all(wanted.services.iter().map(|service| both(aws, environment, service))).await;
    let mut tasks = Vec::new();
    for read in reads {
        match read {
            Ok(read) => tasks.extend(read),
            Err(error) if error.kind == crate::aws::Kind::NotFound => {}
            Err(_) => return Ok(()),
        }
    }
    if tasks.iter().any(|task| task.id.starts_with(id)) {
        return Ok(());
    }
    tasks.sort_by_key(|task| std::cmp::Reverse(task.created_ms));
    let ids: Vec<_> = tasks.iter().map(|task| task.short_id()).take(SHOWN).collect();
    let services: Vec<_> = wanted.services.iter().map(|service| service.key.0.as_str()).collect();
    Err(Error::Task { wanted: id.to_owned(), services: services.join(" or "), known: ids.join(", ") })
}
