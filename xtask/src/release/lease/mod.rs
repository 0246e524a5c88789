//! The lease of an environment while a release runs: taken, renewed, removed.
//!
//! It is a tag of the cluster ([`deploy::lease`]). Where an endpoint lacks tags, or the caller may not use them,
//! the release continues without a lease, with a warning. A run that loses it writes no further stage: another one is in charge.

mod keep;
mod record;
mod take;

pub(super) use record::{discard, is_left, left, of_cluster};
pub(super) use take::{Refused, Written, take};

use std::cell::{Cell, RefCell};
use std::time::Duration;

use deploy::event::Kind;
use deploy::lease::{Holder, Lease, TAG, TagState, judge};

use deploy::model::{Environment, Kind as Place, Observed};

use super::ReleaseContext;
use crate::aws::{Aws, Error, Tags};
use crate::host::Daemon;

/// Who wants the lease, and whether by force.
#[derive(Clone, Debug)]
pub struct Claim {
    pub holder: Holder,
    /// Why a lease that somebody else has is taken over; `None` waits for nobody and refuses.
    pub take: Option<String>,
}

/// The lease of a run, or none.
#[derive(Debug, Default)]
pub(crate) struct HeldLease {
    kept: Option<Kept>,
    lost: Cell<bool>,
}

#[derive(Debug)]
struct Kept {
    cluster: String,
    lease: RefCell<Lease>,
    /// The tag's text before ours: a read that returns it is older than our write.
    before: Option<String>,
    /// The tags of the undo record, while there is one.
    record: RefCell<Vec<String>>,
}

impl HeldLease {
    fn new(cluster: String, lease: Lease, before: Option<String>, record: Vec<String>) -> Self {
        let (lease, record) = (RefCell::new(lease), RefCell::new(record));
        Self { kept: Some(Kept { cluster, lease, before, record }), lost: Cell::new(false) }
    }

    /// Whether another run took it over.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }
}

/// The environment's lease, whoever has it; `None` when nobody has one, or when tags cannot be read.
///
/// # Errors
/// When the cluster cannot be read.
pub async fn lease_of(aws: &Aws, environment: &Environment) -> Result<Option<Lease>, Error> {
    let cluster = aws.describe_cluster(&environment.cluster).await?;
    let Some(cluster) = cluster.filter(|cluster| cluster.is_active()) else { return Ok(None) };
    match aws.list_ecs_tags(&cluster.arn).await {
        Ok(mut tags) => Ok(tags.remove(TAG).and_then(|text| text.parse().ok())),
        Err(error) if error.is_unavailable() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Prints who holds the lease, and removes an expired one. Returns whether a run holds it that may
/// still live. What cannot be read or written is a warning.
pub(super) async fn clear(context: &ReleaseContext<'_>, observed: &Observed) -> bool {
    let Some(cluster) = observed.cluster.as_ref().filter(|cluster| cluster.is_active()) else {
        return false;
    };
    let cleared = async {
        let lease = read(context, &cluster.arn).await?.and_then(|text| text.parse::<Lease>().ok());
        let Some(lease) = lease else { return Ok(false) };
        let (now, name) = (now_secs(context), &context.environment.name);
        let alive = |pid| Daemon { pid }.is_alive();
        // Judged from its own text, so that a tag that this tool cannot read is never removed.
        let ours = matches!(
            judge(now, Some(&lease.to_string()), &context.claim.holder, alive),
            TagState::Ours(_) | TagState::Expired(_)
        );
        let who = if lease.until <= now { String::new() } else { format!("{name} is ") };
        context.events.emit(Kind::Warned { text: format!("{who}{}", lease.sentence(now)) });
        if !ours {
            return Ok(true);
        }
        context.aws.untag_ecs_resource(&cluster.arn, &[TAG.to_owned()]).await.map(|()| false)
    };
    cleared.await.unwrap_or_else(|error: Error| {
        not_written(context, "cannot tell who holds the lease", &error);
        true
    })
}

/// A warning of something that the run continues without.
fn not_written(context: &ReleaseContext<'_>, what: &str, error: &Error) {
    context.events.emit(Kind::Warned { text: format!("{what}: {error}") });
}

/// The tag's text, if the cluster has it.
async fn read(context: &ReleaseContext<'_>, cluster: &str) -> Result<Option<String>, Error> {
    Ok(context.aws.list_ecs_tags(cluster).await?.remove(TAG))
}

async fn write(context: &ReleaseContext<'_>, cluster: &str, lease: &Lease) -> Result<(), Error> {
    context.aws.tag_ecs_resource(cluster, &Tags::from([(TAG.to_owned(), lease.to_string())])).await
}

/// How long a written tag is left to be overwritten by somebody who wrote at the same moment, and to be seen by readers.
/// The embedded cloud answers at once and with the truth.
fn settle_time(context: &ReleaseContext<'_>) -> Duration {
    match context.environment.kind {
        Place::Local => Duration::from_millis(100),
        Place::Aws => Duration::from_secs(2),
    }
}

fn now_secs(context: &ReleaseContext<'_>) -> u64 {
    context.host.clock.now_ms() / 1000
}
