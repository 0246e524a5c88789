//! Watches a release from its users' side and by the clock: requests go to the public paths while it rolls and bakes, and the
//! duration of the roll is compared with the predicted one.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use deploy::event::{Kind, ProbeAnswer};
use deploy::model::{Service, ServiceKey, SmokeCheck};
use deploy::plan::{Action, Step};
use deploy::verify::{Request, availability, outages};
use deploy::view::place;
use futures_util::future::join_all;

use super::carry::{Carried, Stuck};
use super::lease::HeldLease;

use super::{Own, Planned, ReleaseContext, carry_out};
use crate::apply::ResourceIds;
use crate::observe::{self, Provisioning};
use crate::report::Recorder;
use crate::settle::Settled;
use crate::verify::{Door, Front, Watched, ask, while_asking};

/// A new load balancer takes minutes until it is active.
const LOOK_AT_BALANCER_EVERY: Duration = Duration::from_secs(15);

/// How often to look for the first change: an outage begins with it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the public was answered.
#[derive(Debug, Default)]
pub(super) struct Public {
    asked: RefCell<Vec<Request>>,
    /// The first answer to each check, before the release can have changed it.
    before: RefCell<Vec<(ServiceKey, SmokeCheck, ProbeAnswer)>>,
}

/// Carries out, and reports how long it took where that was predicted.
pub(super) async fn carry_out_watched(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    lease: &HeldLease,
    public: &Public,
) -> Result<Carried, Stuck> {
    let mark = context.events.clock().mark();
    let work = carry_out(context, planned, ids, lease, Own { planned, ids });
    let work = public.while_rolling(context, planned, ids, Box::pin(work));
    let carried = tokio::select! {
        // Without it `select!` begins with a random branch, and a story would not repeat exactly.
        biased;
        carried = Box::pin(work) => carried,
        never = provisioning(context, planned) => match never {},
    };
    // A success is reported after its proof, which adds the requests of the bake.
    if !carried.as_ref().is_ok_and(|it| it.settled.iter().all(Settled::is_success)) {
        public.report(context.events);
    }
    let predicted = context.events.events().into_iter().find_map(|event| match event.kind {
        Kind::Forecast(forecast) => Some(forecast.total_ms),
        _ => None,
    });
    if let (Some(predicted_ms), Ok(Carried { settled, cut: false })) = (predicted, &carried) {
        // What failed or was stopped took another way than the predicted one, and what is left rolling is not at its end.
        if settled.iter().all(Settled::is_success) && !context.halt.asked() && !context.detach {
            context.events.emit(Kind::ForecastMet { predicted_ms, took_ms: mark.elapsed_ms() });
        }
    }
    carried
}

/// Names a load balancer that this release creates and that AWS cannot set up: no target behind it gets healthy, and the roll
/// would end without a reason.
async fn provisioning(context: &ReleaseContext<'_>, planned: &Planned) -> Infallible {
    let creates = |step: &Step| matches!(step.action, Action::CreateLoadBalancer(_));
    let mut watches = planned.plan.steps().any(creates);
    while watches {
        context.host.clock.sleep(LOOK_AT_BALANCER_EVERY).await;
        watches = match observe::provisioning(context.aws, context.environment).await {
            Provisioning::InProgress => true,
            Provisioning::Done => false,
            Provisioning::Failed(error) => {
                context.emit_failure(&error, error.hint());
                false
            }
        };
    }
    std::future::pending().await
}

impl Public {
    /// Does `work` and sends requests meanwhile, where deployments roll and the file asks for it.
    async fn asked<T>(
        &self,
        context: &ReleaseContext<'_>,
        planned: &Planned,
        front: Option<&Front>,
        checks: Vec<(&ServiceKey, &SmokeCheck)>,
        begins: impl Future<Output = ()>,
        work: impl Future<Output = T>,
    ) -> T {
        let ReleaseContext { host, events, environment, .. } = *context;
        // `unasked` says why this machine does not ask, such as an internal load balancer: no request is no evidence.
        let front = front.filter(|front| front.unasked.is_none());
        let (Some(per_second), Some(front), true) =
            (environment.availability.rate(), front, planned.rolls() && !checks.is_empty())
        else {
            return work.await;
        };
        // At most ten a second: this watches the users' way in, and is no load test.
        let every = Duration::from_secs_f64(1.0 / per_second.clamp(0.1, 10.0));
        while_asking(&Watched { http: &host.http, events, front, checks, every }, &self.asked, begins, work)
            .await
    }

    /// Sends requests while `work` rolls, to services that were up before: one that this release creates cannot have an outage.
    async fn while_rolling<T>(
        &self,
        context: &ReleaseContext<'_>,
        planned: &Planned,
        ids: &ResourceIds,
        work: impl Future<Output = T>,
    ) -> T {
        let was_up = |service: &&Service| {
            let before = planned.observed.services.get(&service.key);
            before.is_some_and(|state| state.is_active() && state.running > 0)
        };
        let checks: Vec<_> = context.environment.services.iter().filter(was_up).flat_map(checks).collect();
        let front = context.door(ids).front;
        // A failure before the release changes anything that serves is not its fault.
        let changes = planned.plan.steps().any(|step| step.action.changes_what_serves());
        let begins = async {
            while changes && !ids.is_changed() {
                context.host.clock.sleep(LOOK_EVERY).await;
            }
        };
        let first = self.ask_before(context, planned, front.as_ref(), checks.clone());
        let mut work = Box::pin(self.asked(context, planned, front.as_ref(), checks, begins, Box::pin(work)));
        tokio::select! {
            biased;
            done = &mut work => done,
            () = first => work.await,
        }
    }

    /// Asks each path once: what is wrong already is not this release's doing, and no undo ends it.
    async fn ask_before(
        &self,
        context: &ReleaseContext<'_>,
        planned: &Planned,
        front: Option<&Front>,
        checks: Vec<(&ServiceKey, &SmokeCheck)>,
    ) {
        let front = front.filter(|front| front.unasked.is_none() && planned.rolls());
        let Some(front) = front else { return };
        let one = async |(key, check): (&ServiceKey, &SmokeCheck)| {
            let answer = ask(&context.host.http, front, check).await;
            self.before.borrow_mut().push((key.clone(), check.clone(), answer));
        };
        join_all(checks.into_iter().map(one)).await;
    }

    /// How a check was answered before the release.
    pub(super) fn before(&self, key: &ServiceKey, check: &SmokeCheck) -> Option<ProbeAnswer> {
        let before = self.before.borrow();
        let of = before.iter().find(|(of, asked, _)| (of, asked) == (key, check))?;
        (!matches!(of.2, ProbeAnswer::Unreachable { .. })).then(|| of.2.clone())
    }

    /// Sends requests to all paths while `work` proves.
    pub(super) async fn while_proving<T>(
        &self,
        context: &ReleaseContext<'_>,
        planned: &Planned,
        door: &Door,
        work: impl Future<Output = T>,
    ) -> T {
        let checks = context.environment.services.iter().flat_map(checks).collect();
        let begins = std::future::ready(());
        self.asked(context, planned, door.front.as_ref(), checks, begins, Box::pin(work)).await
    }

    /// The paths that failed during the bake, an error each: from the moment when all new tasks were healthy.
    pub(super) fn outages(&self, context: &ReleaseContext<'_>, settled: &[Settled]) -> Vec<Kind> {
        let healthy = |it: &Settled| {
            let (service, since) = (context.environment.service(&it.key)?, it.healthy.as_ref()?.since);
            let since_ms = context.events.elapsed_ms().saturating_sub(since.elapsed_ms());
            Some((since_ms, since_ms + 1_000 * u64::from(service.deployment.bake_secs)))
        };
        let (from, to): (Vec<_>, Vec<_>) = settled.iter().filter_map(healthy).unzip();
        // The latest of all services: until then a failure may come from a service whose roll was still in progress.
        let (Some(from), Some(to)) = (from.into_iter().max(), to.into_iter().max()) else {
            return Vec::new();
        };
        outages(context.environment, &self.asked.borrow(), &(from..=to))
    }

    /// Reports all requests so far, once.
    pub(super) fn report(&self, events: &Recorder) {
        let mut requests = self.asked.take();
        if requests.is_empty() {
            return;
        }
        requests.sort_by_key(|request| request.at_ms);
        let mut seen = availability(&requests);
        place(&mut seen, &events.events());
        events.emit(Kind::Availability(seen));
    }
}

fn checks(service: &Service) -> impl Iterator<Item = (&ServiceKey, &SmokeCheck)> {
    service.smoke.iter().filter(|check| check.inside().is_none()).map(|check| (&service.key, check))
}
