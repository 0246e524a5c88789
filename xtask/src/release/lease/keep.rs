//! Renews the lease while a release runs, and removes it afterwards.

use std::convert::Infallible;
use std::time::Duration;

use deploy::event::Kind;
use deploy::lease::{Lease, RENEW_SECS, TAG, TTL_SECS};

use super::{HeldLease, Kept, now_secs, read, settle_time, write};
use crate::aws::Error;
use crate::release::ReleaseContext;

/// How often a tag is read before it is believed that it is not ours.
const LOOKS: u32 = 3;
/// For how long a lease that ends before ours is taken for an old reading: reads of ECS lag behind writes by seconds. One
/// that is still there then belongs to somebody whose clock is behind.
const OLD_NEWS: Duration = Duration::from_secs(30);

impl HeldLease {
    /// Does `work`, and renews the lease meanwhile.
    pub(in crate::release) async fn keep<T>(
        &self,
        context: &ReleaseContext<'_>,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(kept) = &self.kept else { return work.await };
        tokio::select! {
            biased;
            done = work => done,
            never = self.renew(context, kept) => match never {},
        }
    }

    async fn renew(&self, context: &ReleaseContext<'_>, kept: &Kept) -> Infallible {
        while !self.is_lost() {
            context.host.clock.sleep(Duration::from_secs(RENEW_SECS)).await;
            let lease = Lease { until: now_secs(context) + TTL_SECS, ..kept.lease.borrow().clone() };
            let renewed = match self.look(context, kept).await {
                // ECS may return the tags of before our write for seconds, so an absent tag is written again.
                Ok(Tag::Ours | Tag::Absent) if !self.is_lost() => write(context, &kept.cluster, &lease).await,
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            match renewed {
                Ok(()) => *kept.lease.borrow_mut() = lease,
                Err(error) => not(context, "renewed", &error),
            }
        }
        std::future::pending().await
    }

    /// Looks whether it was lost. A look that fails is a warning and finds nothing.
    pub(in crate::release) async fn is_still_held(&self, context: &ReleaseContext<'_>) -> bool {
        if let Some(kept) = self.kept.as_ref().filter(|_| !self.is_lost())
            && let Err(error) = self.look(context, kept).await
        {
            not(context, "looked at", &error);
        }
        !self.is_lost()
    }

    /// Takes the tag away, if it is still ours.
    pub(in crate::release) async fn give_back(&self, context: &ReleaseContext<'_>) {
        let Some(kept) = self.kept.as_ref().filter(|_| !self.is_lost()) else { return };
        // A read comes first: UntagResource takes a key whatever its value is, and would free somebody else's lease.
        let given = match self.look(context, kept).await {
            Ok(Tag::Ours) => context.aws.untag_ecs_resource(&kept.cluster, &[TAG.to_owned()]).await,
            Ok(Tag::Absent | Tag::Theirs) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = given {
            not(context, "given back", &error);
        }
    }

    /// Reads the tag; when it is not ours, some times more, because a read may be older than our write, and show the lease
    /// of a run that ended before. A lease that somebody else has is lost, and so is one that expired and is gone:
    /// somebody may have had it in between.
    async fn look(&self, context: &ReleaseContext<'_>, kept: &Kept) -> Result<Tag, Error> {
        let (id, until) = (kept.lease.borrow().id.clone(), kept.lease.borrow().until);
        let mut looks = LOOKS;
        let (began, clock) = (context.host.clock.mark(), &context.host.clock);
        let old_news = |found: &Lease| found.until < until && began.elapsed() < OLD_NEWS;
        let found = loop {
            let text = read(context, &kept.cluster).await?.filter(|text| Some(text) != kept.before.as_ref());
            let found = text.map(|text| text.parse::<Lease>());
            looks = looks.saturating_sub(1);
            match found {
                Some(Ok(found)) if found.id == id => return Ok(Tag::Ours),
                Some(Ok(found)) if old_news(&found) => clock.sleep(settle_time(context)).await,
                found if looks == 0 => break found,
                _ => clock.sleep(settle_time(context)).await,
            }
        };
        // Gone before it expired: nobody takes a lease that is still valid without writing their own tag.
        if found.is_none() && until > now_secs(context) {
            return Ok(Tag::Absent);
        }
        if !self.lost.replace(true) {
            context.events.emit(Kind::LeaseLost { to: found.and_then(Result::ok) });
        }
        Ok(Tag::Theirs)
    }
}

/// What is known of the tag.
enum Tag {
    Ours,
    /// It is not there, or not seen yet.
    Absent,
    Theirs,
}

/// A lease that cannot be written ends by itself: that is a warning and stops nothing.
fn not(context: &ReleaseContext<'_>, done: &str, error: &Error) {
    let error = context.events.reason(error);
    let text = format!("the lease could not be {done}: {error}; it ends {TTL_SECS} s after its last renewal");
    context.events.emit(Kind::Warned { text });
}
