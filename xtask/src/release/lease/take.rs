//! Takes the lease: read, write, wait, read again; then read the account again, now that nobody else changes it.

use deploy::event::Kind;
use deploy::lease::{Lease, TAG, TTL_SECS, TagState, judge};
use deploy::model::{ClusterState, Observed, Owner, Undo};
use deploy::plan::{Action, Step};
use futures_util::future::join;

use super::{HeldLease, now_secs, read, record, settle_time, write};
use crate::aws::{Error, Tags};
use crate::host::Daemon;
use crate::observe;
use crate::release::{Planned, ReleaseContext};
use crate::report::chain;

/// How often a read that is older than the write is asked again.
const LOOKS: u32 = 5;

/// What was written by a release that does not begin, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::release) enum Written {
    Nothing,
    Lease,
    /// The cluster, with the lease.
    Cluster,
}

/// Why a release does not begin.
#[derive(Debug)]
pub(in crate::release) struct Refused {
    pub(in crate::release) error: String,
    pub(in crate::release) hint: Option<String>,
    pub(in crate::release) written: Written,
    /// Somebody else has the lease.
    theirs: bool,
}

impl Refused {
    fn new(error: String, hint: Option<String>) -> Self {
        Self { error, hint, written: Written::Nothing, theirs: false }
    }
}

/// Takes the lease, and plans again, by `plan`, from a read of the account that no other holder can have made old: what was
/// agreed to is carried out, or less, when some of it is done already; anything else is refused.
///
/// A first deploy has no cluster to tag. It is created here, ahead of its step in the plan, and with the tag: of two first
/// deploys one then finds the other's.
///
/// # Errors
/// [`Refused`] when somebody else has it, when the account has changed since the plan, or when either cannot be read.
pub(in crate::release) async fn take(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    plan: impl AsyncFn(Observed) -> Result<Planned, observe::Error>,
) -> Result<(HeldLease, Planned), Refused> {
    let lease = wanted(context, planned);
    let (cluster, created) = match cluster(context, planned, &lease).await {
        Ok(Some(cluster)) => cluster,
        Ok(None) => return Ok((HeldLease::default(), planned.clone())),
        Err(error) => {
            let refused = unwritten(&error, Written::Cluster);
            if refused.written == Written::Cluster
                && let Ok(Some(made)) = context.aws.describe_cluster(&context.environment.cluster).await
            {
                give_back(context, &made.arn, &lease).await;
            }
            return Err(refused);
        }
    };
    let mut taken = Box::pin(take_of(context, planned, &plan, &cluster, &lease)).await;
    // A cluster that has the lease of somebody else was created by them: CreateCluster succeeds for one that exists.
    let ours = |refused: &Refused| created && !(refused.theirs && refused.written == Written::Nothing);
    if let Err(refused) = &mut taken
        && ours(refused)
    {
        // Its lease came with the cluster, and nothing after it was written.
        if refused.written == Written::Nothing {
            give_back(context, &cluster, &lease).await;
        }
        refused.written = Written::Cluster;
    }
    taken
}

/// The same, of a cluster that exists.
async fn take_of(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    plan: &impl AsyncFn(Observed) -> Result<Planned, observe::Error>,
    cluster: &str,
    lease: &Lease,
) -> Result<(HeldLease, Planned), Refused> {
    // Another run's lease is not taken for a plan that cannot be carried out.
    if context.claim.take.is_some() {
        again(context, planned, plan).await?;
    }
    let Tagged { lease, before, tags } = match write_over(context, cluster, lease.clone()).await {
        Ok(Ok(written)) => written,
        Ok(Err(refused)) => {
            if refused.written == Written::Lease {
                give_back(context, cluster, lease).await;
            }
            return Err(refused);
        }
        Err(error) if error.is_unavailable() => {
            without(context, &error.to_string());
            return Ok((HeldLease::default(), planned.clone()));
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let held = HeldLease::new(cluster.to_owned(), lease.clone(), before.clone(), Vec::new());
    // The wait and the plan overlap: another run that wrote the tag at the same moment may read and plan, but writes nothing
    // before its own wait is over.
    let (kept, again) =
        join(settled(context, cluster, &lease, before.as_deref()), Box::pin(again(context, planned, plan)))
            .await;
    let refused = match (kept, again) {
        (Ok(Seen::Theirs(theirs)), _) => {
            return Err(Refused { written: Written::Lease, ..refused(context, &theirs) });
        }
        (Ok(seen), Ok(mut again)) => {
            if matches!(seen, Seen::Nothing) {
                without(context, "its tag is not seen after it was written");
            }
            // With `--no-rollback` nothing is undone, so nobody would read the record.
            let record = match context.roll_back && context.environment.undo == Undo::Release {
                true => record::keep(context, cluster, &tags, &mut again).await,
                false => Vec::new(),
            };
            context.events.emit(Kind::LeaseHeld { lease: lease.clone() });
            if is_less(planned, &again) {
                context.events.emit(Kind::Planned { plan: Box::new(again.plan.clone()) });
            }
            return Ok((HeldLease::new(cluster.to_owned(), lease, before, record), again));
        }
        (Err(error), _) => unreadable(&error),
        (_, Err(refused)) => refused,
    };
    held.give_back(context).await;
    Err(Refused { written: Written::Lease, ..refused })
}

/// A run that gives up keeps nobody else away.
async fn give_back(context: &ReleaseContext<'_>, cluster: &str, lease: &Lease) {
    HeldLease::new(cluster.to_owned(), lease.clone(), None, Vec::new()).give_back(context).await;
}

/// Reads the account again and plans: what was agreed to, or less.
async fn again(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    plan: &impl AsyncFn(Observed) -> Result<Planned, observe::Error>,
) -> Result<Planned, Refused> {
    let again = async {
        let observed = Box::pin(observe::account(context.aws, context.environment)).await?;
        Box::pin(plan(observed)).await
    };
    match again.await.map_err(|error: observe::Error| Refused::new(chain(&error), error.hint()))? {
        again if is_agreed(planned, &again) => Ok(again),
        _ => Err(Refused::new(
            "the account was changed since the plan was made".to_owned(),
            Some("run it again: it plans anew".to_owned()),
        )),
    }
}

fn wanted(context: &ReleaseContext<'_>, planned: &Planned) -> Lease {
    let release = planned.desired.release.id.clone();
    let id = context.host.rng.stream(&format!("lease {release}")).next_u64();
    Lease {
        id: format!("{id:016x}"),
        until: now_secs(context) + TTL_SECS,
        release,
        holder: context.claim.holder.clone(),
        taken: None,
    }
}

/// The cluster's ARN, and whether it was created just now; `None` when there is no cluster and none is to be created.
async fn cluster(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    lease: &Lease,
) -> Result<Option<(String, bool)>, Error> {
    let active = |cluster: &&ClusterState| cluster.is_active();
    if let Some(cluster) = planned.observed.cluster.as_ref().filter(active) {
        return Ok(Some((cluster.arn.clone(), false)));
    }
    let spec = planned.plan.steps().find_map(|step| match &step.action {
        Action::CreateCluster(spec) => Some(spec),
        _ => None,
    });
    let Some(spec) = spec else { return Ok(None) };
    let mut tags: Tags = Owner::of(context.environment).tags();
    // Within the call that creates it: tagged only afterwards, another run could take it between the two.
    tags.insert(TAG.to_owned(), lease.to_string());
    let (lane, step) = ("cluster".to_owned(), Action::CreateCluster(spec.clone()).title());
    context.events.emit(Kind::StepBegan { lane: lane.clone(), step: step.clone() });
    let mark = context.events.clock().mark();
    let arn = context.aws.create_cluster(spec, &tags).await?;
    let result = "with the lease".to_owned();
    context.events.emit(Kind::StepEnded { lane, step, result, elapsed_ms: mark.elapsed_ms() });
    Ok(Some((arn, true)))
}

/// The lease as it was written.
struct Tagged {
    lease: Lease,
    before: Option<String>,
    /// All tags of the cluster before.
    tags: Tags,
}

/// Writes the tag, unless it is somebody else's.
async fn write_over(
    context: &ReleaseContext<'_>,
    cluster: &str,
    mut lease: Lease,
) -> Result<Result<Tagged, Refused>, Error> {
    let tags = context.aws.list_ecs_tags(cluster).await?;
    let tag = tags.get(TAG).cloned();
    // The cluster was created with it.
    if tag.as_ref().is_some_and(|tag| *tag == lease.to_string()) {
        return Ok(Ok(Tagged { lease, before: None, tags }));
    }
    let alive = |pid| Daemon { pid }.is_alive();
    let found = judge(now_secs(context), tag.as_deref(), &context.claim.holder, alive);
    let from = match &found {
        TagState::Free | TagState::Ours(_) => None,
        TagState::Held(held) | TagState::Expired(held) => Some(format!("{} ({})", held.holder, held.release)),
        TagState::Illegible(text) => Some(format!("`{text}`")),
    };
    match (&found, &context.claim.take) {
        (TagState::Free | TagState::Ours(_), _) => {}
        (TagState::Expired(_), _) => {
            let text = format!("the lease of {} expired and was not given back", from.unwrap_or_default());
            context.events.emit(Kind::Warned { text });
        }
        (_, Some(reason)) => {
            let from = from.unwrap_or_default();
            lease.taken = Some(format!("{reason}, from {from}"));
            context.events.emit(Kind::LeaseTaken { from, reason: reason.clone() });
        }
        (TagState::Held(held), None) => return Ok(Err(refused(context, held))),
        (TagState::Illegible(text), None) => {
            return Ok(Err(Refused::new(
                format!("the cluster's tag {TAG} is not this tool's: `{text}`"),
                Some("take the lease over with --take-lease REASON".to_owned()),
            )));
        }
    }
    match write(context, cluster, &lease).await {
        Err(error) if !error.is_unavailable() => return Ok(Err(unwritten(&error, Written::Lease))),
        written => written?,
    }
    Ok(Ok(Tagged { lease, before: tag, tags }))
}

/// Whose lease the tag shows after the time in which others may have written theirs.
enum Seen {
    Ours,
    Theirs(Lease),
    Nothing,
}

/// Waits until the writes of others at the same moment have arrived, and reads who holds it now.
async fn settled(
    context: &ReleaseContext<'_>,
    cluster: &str,
    lease: &Lease,
    before: Option<&str>,
) -> Result<Seen, Error> {
    let mut seen = Seen::Nothing;
    for _ in 0..LOOKS {
        context.host.clock.sleep(settle_time(context)).await;
        let found = read(context, cluster).await?;
        // A read may be older than our write.
        let news = found.filter(|text| Some(text.as_str()) != before);
        match news.map(|text| text.parse::<Lease>()) {
            Some(Ok(found)) if found.id == lease.id => return Ok(Seen::Ours),
            // A lease that expires before ours was written before it, unless its writer's clock is behind: then it stays.
            Some(Ok(found)) if found.until < lease.until => seen = Seen::Theirs(found),
            Some(Ok(found)) => return Ok(Seen::Theirs(found)),
            _ => seen = Seen::Nothing,
        }
    }
    Ok(seen)
}

/// Whether a plan does nothing that was not in the one that was agreed to, and from where that began.
fn is_agreed(agreed: &Planned, again: &Planned) -> bool {
    // A task before the roll that was to be followed may be over by now.
    let same = |agreed: &Step, step: &Step| match (&agreed.action, &step.action) {
        (Action::RunTask { revision: one, .. }, Action::RunTask { revision: other, .. }) => one == other,
        _ => agreed == step,
    };
    let known = |step: &Step| agreed.plan.steps().any(|agreed| same(agreed, step));
    again.plan.refusals.is_empty() && again.plan.steps().all(known)
}

/// Whether somebody did a part of the plan meanwhile. The cluster is no such part: it was just made here.
fn is_less(agreed: &Planned, again: &Planned) -> bool {
    let made_here = |step: &Step| matches!(step.action, Action::CreateCluster(_));
    let count = |planned: &Planned| planned.plan.steps().filter(|step| !made_here(step)).count();
    !again.plan.is_empty() && count(again) < count(agreed)
}

fn refused(context: &ReleaseContext<'_>, held: &Lease) -> Refused {
    let (name, who) = (&context.environment.name, held.sentence(now_secs(context)));
    let hint =
        "wait for it, end it with `cargo xtask abort`, or take the lease over with --take-lease REASON";
    Refused { theirs: true, ..Refused::new(format!("{name} is {who}"), Some(hint.to_owned())) }
}

fn unreadable(error: &Error) -> Refused {
    let text = format!("cannot read whether somebody else deploys: {error}");
    Refused::new(text, error.hint())
}

/// A write that failed: AWS may have carried it out all the same.
fn unwritten(error: &Error, written: Written) -> Refused {
    let written = if error.may_have_happened { written } else { Written::Nothing };
    Refused { written, ..unreadable(error) }
}

fn without(context: &ReleaseContext<'_>, why: &str) {
    context.events.emit(Kind::Warned {
        text: format!("no lease keeps another deploy of {} away: {why}", context.environment.name),
    });
}
