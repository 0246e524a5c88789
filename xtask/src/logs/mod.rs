//! What tasks print: read from CloudWatch Logs, interleaved by time, followed through rolls.
//!
//! One FilterLogEvents a container of a service, whatever the number of its tasks: CloudWatch allows a handful of calls a
//! second for the whole account.

mod error;
mod follow;
mod previous;
mod source;
mod task;
mod which;

pub use error::Error;
pub use follow::follow;
pub use previous::previous;
pub use task::TaskPrints;
pub use which::known;

use deploy::logs::{LogEntry, LogEvent};
use deploy::model::{Environment, Service, ServiceKey};

use crate::aws::Aws;
use crate::observe;
use source::merge;

#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub services: &'a [&'a Service],
    /// How the task's id begins.
    pub task: Option<&'a str>,
    /// A container; all that log to CloudWatch when `None`.
    pub container: Option<&'a str>,
    /// A text that the lines contain.
    pub grep: Option<&'a str>,
    /// From when on, in milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// Passes on what was printed until now.
///
/// # Errors
/// [`Error`] when nothing that is meant logs to CloudWatch, or the log cannot be read.
pub async fn show(
    aws: &Aws,
    environment: &Environment,
    wanted: Wanted<'_>,
    show: &mut dyn FnMut(LogEntry),
) -> Result<(), Error> {
    observe::guard(aws, environment).await?;
    let mut sources = source::all(wanted)?;
    let mut failed = Vec::new();
    merge(aws, &mut sources, show, &mut failed).await;
    let failed = failed.into_iter().map(|(service, error)| (service.clone(), Error::of(&service, error)));
    ended(failed.collect(), aws.now_ms(), show)
}

/// The first error; further ones are shown where the lines would be.
fn ended(failed: Vec<(ServiceKey, Error)>, at_ms: u64, show: &mut dyn FnMut(LogEntry)) -> Result<(), Error> {
    if failed.len() > 1 && failed.iter().all(|(_, error)| matches!(error, Error::NoGroup(_))) {
        let names: Vec<_> = failed.into_iter().map(|(service, _)| service.0).collect();
        return Err(Error::NoGroup(names.join(" and ")));
    }
    let mut failed = failed.into_iter();
    let first = failed.next();
    for (service, error) in failed {
        let what = LogEvent::Unread { error: error.to_string() };
        show(LogEntry { at_ms, service, task: None, what });
    }
    first.map_or(Ok(()), |(_, error)| Err(error))
}
