//! Takes the lease: read, write, wait, read again, and read the account anew, now that nobody else changes it.

use deploy::event::Kind;
use deploy::lease::{Lease, Standing, TAG, TTL_SECS, standing};
use deploy::model::{ClusterState, Observed, Owner, Undo};
use deploy::plan::{Action, Step};
use futures_util::future::join;

use super::{Held, now_secs, read, record, settle_time, write};
use crate::aws::{Error, Tags};
use crate::host::Daemon;
use crate::observe;
use crate::release::{Ground, Planned};
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
/// [`Refused`] when somebody else has it, when the account is not as it was planned for any more, or when either cannot be
/// read.
pub(in crate::release) async fn take(
    ground: &Ground<'_>,
    planned: &Planned,
    plan: impl AsyncFn(Observed) -> Result<Planned, observe::Error>,
) -> Result<(Held, Planned), Refused> {
    let lease = wanted(ground, planned);
    let (cluster, created) = match cluster(ground, planned, &lease).await {
        Ok(Some(cluster)) => cluster,
        Ok(None) => return Ok((Held::default(), planned.clone())),
        Err(error) => {
            let refused = unwritten(&error, Written::Cluster);
            if refused.written == Written::Cluster
                && let Ok(Some(made)) = ground.aws.describe_cluster(&ground.environment.cluster).await
            {
                give_back(ground, &made.arn, &lease).await;
            }
            return Err(refused);
        }
    };
    let mut taken = Box::pin(take_of(ground, planned, &plan, &cluster, &lease)).await;
    // A cluster that has the lease of somebody else was created by them: CreateCluster succeeds for one that exists.
    let ours = |refused: &Refused| created && !(refused.theirs && refused.written == Written::Nothing);
    if let Err(refused) = &mut taken
        && ours(refused)
    {
        // Its lease came with the cluster, and nothing after it was written.
        if refused.written == Written::Nothing {
            give_back(ground, &cluster, &lease).await;
        }
        refused.written = Written::Cluster;
    }
    taken
}

/// The same, of a cluster that exists.
async fn take_of(
    ground: &Ground<'_>,
    planned: &Planned,
    plan: &impl AsyncFn(Observed) -> Result<Planned, observe::Error>,
    cluster: &str,
    lease: &Lease,
) -> Result<(Held, Planned), Refused> {
    // Another run's lease is not taken for a plan that cannot be carried out.
    if ground.claim.take.is_some() {
        again(ground, planned, plan).await?;
    }
    let Tagged { lease, before, tags } = match write_over(ground, cluster, lease.clone()).await {
        Ok(Ok(written)) => written,
        Ok(Err(refused)) => {
            if refused.written == Written::Lease {
                give_back(ground, cluster, lease).await;
            }
            return Err(refused);
        }
        Err(error) if error.is_unavailable() => {
            without(ground, &error.to_string());
            return Ok((Held::default(), planned.clone()));
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let held = Held::new(cluster.to_owned(), lease.clone(), before.clone(), Vec::new());
    // Whoever else wrote may read and plan, but does nothing yet: this read is already nobody's but ours.
    let (kept, again) =
        join(settled(ground, cluster, &lease, before.as_deref()), Box::pin(again(ground, planned, plan)))
            .await;
    let refused = match (kept, again) {
        (Ok(Seen::Theirs(theirs)), _) => {
            return Err(Refused { written: Written::Lease, ..refused(ground, &theirs) });
        }
        (Ok(seen), Ok(mut again)) => {
            if matches!(seen, Seen::Nothing) {
                without(ground, "its tag is not seen after it was written");
            }
            // A release that is left as it ends, as asked, is what the next one finds.
            let record = match ground.put_back && ground.environment.undo == Undo::Release {
                true => record::keep(ground, cluster, &tags, &mut again).await,
                false => Vec::new(),
            };
            ground.events.emit(Kind::LeaseHeld { lease: lease.clone() });
            if is_less(planned, &again) {
                ground.events.emit(Kind::Planned { plan: Box::new(again.plan.clone()) });
            }
            return Ok((Held::new(cluster.to_owned(), lease, before, record), again));
        }
        (Err(error), _) => unreadable(&error),
        (_, Err(refused)) => refused,
    };
    held.give_back(ground).await;
    Err(Refused { written: Written::Lease, ..refused })
}

/// A run that gives up keeps nobody else away.
async fn give_back(ground: &Ground<'_>, cluster: &str, lease: &Lease) {
    Held::new(cluster.to_owned(), lease.clone(), None, Vec::new()).give_back(ground).await;
}

/// Reads the account once more and plans: what was agreed to, or less.
async fn again(
    ground: &Ground<'_>,
    planned: &Planned,
    plan: &impl AsyncFn(Observed) -> Result<Planned, observe::Error>,
) -> Result<Planned, Refused> {
    let again = async {
        let observed = Box::pin(observe::account(ground.aws, ground.environment)).await?;
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

fn wanted(ground: &Ground<'_>, planned: &Planned) -> Lease {
    let release = planned.desired.release.id.clone();
    let id = ground.host.rng.stream(&format!("lease {release}")).next_u64();
    Lease {
        id: format!("{id:016x}"),
        until: now_secs(ground) + TTL_SECS,
        release,
        holder: ground.claim.holder.clone(),
        taken: None,
    }
}

/// The cluster's ARN, and whether it was created just now; `None` when there is no cluster and none is to be created.
async fn cluster(
    ground: &Ground<'_>,
    planned: &Planned,
    lease: &Lease,
) -> Result<Option<(String, bool)>, Error> {
    let active = |cluster: &&ClusterState| cluster.status == "ACTIVE";
    if let Some(cluster) = planned.observed.cluster.as_ref().filter(active) {
        return Ok(Some((cluster.arn.clone(), false)));
    }
    let spec = planned.plan.steps().find_map(|step| match &step.action {
        Action::CreateCluster(spec) => Some(spec),
        _ => None,
    });
    let Some(spec) = spec else { return Ok(None) };
    let mut tags: Tags = Owner::of(ground.environment).tags();
    tags.insert(TAG.to_owned(), lease.to_string());
    let (lane, step) = ("cluster".to_owned(), Action::CreateCluster(spec.clone()).title());
    ground.events.emit(Kind::StepBegan { lane: lane.clone(), step: step.clone() });
    let mark = ground.events.clock().mark();
    let arn = ground.aws.create_cluster(spec, &tags).await?;
    let result = "with the lease".to_owned();
    ground.events.emit(Kind::StepEnded { lane, step, result, elapsed_ms: mark.elapsed_ms() });
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
    ground: &Ground<'_>,
    cluster: &str,
    mut lease: Lease,
) -> Result<Result<Tagged, Refused>, Error> {
    let tags = ground.aws.list_ecs_tags(cluster).await?;
    let tag = tags.get(TAG).cloned();
    // The cluster was created with it.
    if tag.as_ref().is_some_and(|tag| *tag == lease.to_string()) {
        return Ok(Ok(Tagged { lease, before: None, tags }));
    }
    let alive = |pid| Daemon { pid }.is_alive();
    let found = standing(now_secs(ground), tag.as_deref(), &ground.claim.holder, alive);
    let from = match &found {
        Standing::Free | Standing::Ours(_) => None,
        Standing::Held(held) | Standing::Expired(held) => Some(format!("{} ({})", held.holder, held.release)),
        Standing::Illegible(text) => Some(format!("`{text}`")),
    };
    match (&found, &ground.claim.take) {
        (Standing::Free | Standing::Ours(_), _) => {}
        (Standing::Expired(_), _) => {
            let text = format!("the lease of {} ended and was not given back", from.unwrap_or_default());
            ground.events.emit(Kind::Warned { text });
        }
        (_, Some(reason)) => {
            let from = from.unwrap_or_default();
            lease.taken = Some(format!("{reason}, from {from}"));
            ground.events.emit(Kind::LeaseTaken { from, reason: reason.clone() });
        }
        (Standing::Held(held), None) => return Ok(Err(refused(ground, held))),
        (Standing::Illegible(text), None) => {
            return Ok(Err(Refused::new(
                format!("the cluster's tag {TAG} is not this tool's: `{text}`"),
                Some("take the lease over with --take-lease REASON".to_owned()),
            )));
        }
    }
    match write(ground, cluster, &lease).await {
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

/// Waits until nobody who wrote at the same moment can still be on his way, and reads who holds it now.
async fn settled(
    ground: &Ground<'_>,
    cluster: &str,
    lease: &Lease,
    before: Option<&str>,
) -> Result<Seen, Error> {
    let mut seen = Seen::Nothing;
    for _ in 0..LOOKS {
        ground.host.clock.sleep(settle_time(ground)).await;
        let found = read(ground, cluster).await?;
        // A read may be older than our write.
        let news = found.filter(|text| Some(text.as_str()) != before);
        match news.map(|text| text.parse::<Lease>()) {
            Some(Ok(found)) if found.id == lease.id => return Ok(Seen::Ours),
            // A lease that ends before ours was written before it, unless its writer's clock is behind: then it stays.
            Some(Ok(found)) if found.until < lease.until => seen = Seen::Theirs(found),
            Some(Ok(found)) => return Ok(Seen::Theirs(found)),
            _ => seen = Seen::Nothing,
        }
    }
    Ok(seen)
}

/// Whether a plan does nothing that was not in the one that was agreed to, and from where that began.
fn is_agreed(agreed: &Planned, again: &Planned) -> bool {
    let known = |step: &Step| agreed.plan.steps().any(|agreed| agreed == step);
    again.plan.refusals.is_empty() && again.plan.steps().all(known)
}

/// Whether somebody did a part of the plan meanwhile. The cluster is no such part: it was just made here.
fn is_less(agreed: &Planned, again: &Planned) -> bool {
    let made_here = |step: &Step| matches!(step.action, Action::CreateCluster(_));
    let count = |planned: &Planned| planned.plan.steps().filter(|step| !made_here(step)).count();
    !again.plan.is_empty() && count(again) < count(agreed)
}

fn refused(ground: &Ground<'_>, held: &Lease) -> Refused {
    let (name, who) = (&ground.environment.name, held.sentence(now_secs(ground)));
    let hint =
        "wait for it, end it with `cargo xtask abort`, or take the lease over with --take-lease REASON";
    Refused { theirs: true, ..Refused::new(format!("{name} is {who}"), Some(hint.to_owned())) }
}

fn unreadable(error: &Error) -> Refused {
    let text = format!("cannot tell whether somebody else deploys: {error}");
    Refused::new(text, error.hint())
}

/// A write that failed: AWS may have carried it out all the same.
fn unwritten(error: &Error, written: Written) -> Refused {
    let written = if error.may_have_happened { written } else { Written::Nothing };
    Refused { written, ..unreadable(error) }
}

fn without(ground: &Ground<'_>, why: &str) {
    ground.events.emit(Kind::Warned {
        text: format!("no lease keeps another deploy of {} away: {why}", ground.environment.name),
    });
}
