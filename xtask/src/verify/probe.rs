//! Smoke checks through the load balancer: repeated until the answer is right or the deadline passes.

use std::time::Duration;

use deploy::event::{Kind, ProbeAnswer};
use deploy::model::{Environment, ServiceKey, SmokeCheck};
use deploy::verify::{Smoke, conclude, is_lasting, is_settled, judge};
use futures_util::future::join_all;

use super::Front;
use crate::host::{Clock, Http, Mark};
use crate::report::Recorder;

/// One answer may take this long: longer than any healthy answer, short enough to ask again. It leaves the client the
/// time to notice that there is no connection, which is no answer of the release.
const ANSWER_DEADLINE: Duration = Duration::from_secs(8);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// A lasting answer that comes for so long will come for ever: the listener's rules apply within seconds.
const SURE_AFTER: Duration = Duration::from_secs(10);
/// So many of them are enough where nothing changes, or no change matters: the second one may come from another task.
const SURE_AT: u32 = 2;

/// Asks all smoke checks of the environment at the same time. `changing`: a roll or a change of rules may just be over.
pub async fn smoke(
    http: &Http,
    clock: &Clock,
    events: &Recorder,
    environment: &Environment,
    front: &Front,
    changing: bool,
) -> Smoke {
    let deadline = clock.mark().after(Duration::from_secs(environment.timeouts.smoke_secs));
    let checks = environment
        .services
        .iter()
        .flat_map(|service| service.smoke.iter().map(|check| (&service.key, check)))
        .filter(|(_, check)| check.inside().is_none());
    let probe = async |(service, check): (&ServiceKey, &SmokeCheck)| {
        let url = front.asked(&check.path);
        let settled = |answer: &ProbeAnswer| !changing || is_settled(environment, service, answer);
        let (answer, attempts) = probe(http, clock, check, front, settled, deadline).await;
        let passed = matches!(answer, ProbeAnswer::Right { .. });
        let (service, check, last) = (service.clone(), check.clone(), answer.clone());
        events.emit(Kind::Probed { service, url, passed, check, answer, attempts });
        last
    };
    let probes = checks.map(probe);
    conclude(&join_all(probes).await)
}

/// The answer that counts, and how often was asked for it. `settled`: what comes now will not change by itself.
async fn probe(
    http: &Http,
    clock: &Clock,
    check: &SmokeCheck,
    front: &Front,
    settled: impl Fn(&ProbeAnswer) -> bool,
    deadline: Mark,
) -> (ProbeAnswer, u32) {
    let (mut attempts, mut lasting) = (0, None);
    loop {
        attempts += 1;
        let answer = ask(http, front, check).await;
        // Since when, without a break: while rules are being applied, requests may reach one service and then the other.
        let (since, times) = lasting.unwrap_or_else(|| (clock.mark(), 0));
        lasting = is_lasting(&answer).then_some((since, times + 1));
        let waits = !settled(&answer) && since.elapsed() < SURE_AFTER;
        let sure = lasting.is_some_and(|(_, times)| times >= SURE_AT) && !waits;
        let passed = matches!(answer, ProbeAnswer::Right { .. });
        if passed || sure || deadline.remaining().is_zero() {
            return (answer, attempts);
        }
        clock.sleep(ASK_AGAIN_AFTER.min(deadline.remaining())).await;
    }
}

pub async fn ask(http: &Http, front: &Front, check: &SmokeCheck) -> ProbeAnswer {
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
