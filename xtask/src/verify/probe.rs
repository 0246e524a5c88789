//! Smoke checks through the load balancer: repeated until the answer is right or the deadline passes.

use std::time::Duration;

use deploy::event::{Kind, ProbeAnswer};
use deploy::model::{Environment, ServiceKey, SmokeCheck};
use deploy::verify::{Smoke, conclude, is_own, judge};
use futures_util::future::join_all;

use super::Front;
use crate::host::{Clock, Http, Mark};
use crate::report::Recorder;

/// One answer may take this long: longer than any healthy answer, short enough to ask again. It leaves the client the
/// time to notice that there is no connection, which is no answer of the release.
const ANSWER_DEADLINE: Duration = Duration::from_secs(8);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// A wrong service that answers for so long will answer for ever: the listener's rules apply within seconds.
const SURE_AFTER: Duration = Duration::from_secs(10);
/// Answers by another name than the check's, of the service that is asked, after which nothing else is expected: the second
/// one may come from another task.
const SURE_OF_OWN: u32 = 2;

/// Asks all smoke checks of the environment at the same time.
pub async fn smoke(
    http: &Http,
    clock: &Clock,
    events: &Recorder,
    environment: &Environment,
    front: &Front,
) -> Smoke {
    let deadline = clock.mark().after(Duration::from_secs(environment.timeouts.smoke_secs));
    let checks = environment
        .services
        .iter()
        .flat_map(|service| service.smoke.iter().map(|check| (&service.key, check)))
        .filter(|(_, check)| check.inside().is_none());
    let probes = checks.map(|(service, check)| probe(http, clock, events, service, check, front, deadline));
    conclude(&join_all(probes).await)
}

async fn probe(
    http: &Http,
    clock: &Clock,
    events: &Recorder,
    service: &ServiceKey,
    check: &SmokeCheck,
    front: &Front,
    deadline: Mark,
) -> ProbeAnswer {
    let url = front.asked(&check.path);
    let (mut attempts, mut wrong, mut own) = (0, None, 0);
    loop {
        attempts += 1;
        let answer = ask(http, front, check).await;
        let passed = matches!(answer, ProbeAnswer::Right { .. });
        // Since when, without a break: while rules are being applied, requests may reach one service and then the other.
        wrong = match answer {
            ProbeAnswer::WrongService { .. } => wrong.or_else(|| Some(clock.mark())),
            _ => None,
        };
        own = if is_own(service, &answer) { own + 1 } else { 0 };
        let sure = own >= SURE_OF_OWN || wrong.is_some_and(|since: Mark| since.elapsed() >= SURE_AFTER);
        if passed || sure || deadline.remaining().is_zero() {
            let (service, check, last) = (service.clone(), check.clone(), answer.clone());
            events.emit(Kind::Probed { service, url, passed, check, answer, attempts });
            return last;
        }
        clock.sleep(ASK_AGAIN_AFTER.min(deadline.remaining())).await;
    }
}

pub(super) async fn ask(http: &Http, front: &Front, check: &SmokeCheck) -> ProbeAnswer {
    let request = match front.request(&check.path) {
        Ok(request) => request,
        Err(error) => return ProbeAnswer::NoAnswer { error: error.to_string() },
    };
    match http.send(request, ANSWER_DEADLINE).await {
        Ok(reply) => judge(check, reply.status().as_u16(), reply.body()),
        Err(error) if error.is_unsent() => ProbeAnswer::Unreachable { error: error.to_string() },
        Err(error) => ProbeAnswer::NoAnswer { error: error.to_string() },
    }
}
