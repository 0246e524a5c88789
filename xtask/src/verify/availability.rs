//! Asks the public paths while services roll, as their users do.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use deploy::model::{ServiceKey, SmokeCheck};
use deploy::verify::Request;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::Front;
use super::probe::ask;
use crate::host::Http;
use crate::report::Recorder;

/// An outage of a tenth of a second after a change is seen; one request a second would miss most of it.
const DENSE: Duration = Duration::from_millis(100);
/// For how long after a change the asking is dense.
const AFTER_CHANGE_MS: u64 = 1_000;

/// What is asked, and how often.
#[derive(Debug)]
pub struct Watched<'a> {
    pub http: &'a Http,
    /// The record, for its time.
    pub events: &'a Recorder,
    /// The load balancer's front door.
    pub front: &'a Front,
    /// The checks, with the services that must answer them.
    pub checks: Vec<(&'a ServiceKey, &'a SmokeCheck)>,
    /// Time between two requests, which go round the checks. In the second after a change they are denser.
    pub every: Duration,
}

/// Does `work`, and sends requests meanwhile, from `begins` on. They neither delay the work nor outlast it: requests that are
/// in flight at its end are not counted.
pub async fn while_asking<T>(
    watched: &Watched<'_>,
    asked: &RefCell<Vec<Request>>,
    begins: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> T {
    let asking = async {
        begins.await;
        asking(watched, asked).await
    };
    tokio::select! {
        biased;
        done = work => done,
        never = asking => match never {},
    }
}

async fn asking(watched: &Watched<'_>, requests: &RefCell<Vec<Request>>) -> Infallible {
    let clock = watched.events.clock();
    // Not awaited one by one: a request that hangs for seconds must not keep the next one from being sent.
    let mut under_way = FuturesUnordered::new();
    for (service, check) in watched.checks.iter().cycle() {
        let asked = clock.mark();
        let due = || {
            let changed = watched.events.since_change_ms().is_some_and(|ms| ms < AFTER_CHANGE_MS);
            let every = if changed { DENSE.min(watched.every) } else { watched.every };
            every.saturating_sub(Duration::from_millis(asked.elapsed_ms()))
        };
        // A change may come at any moment of a long wait.
        while !due().is_zero() {
            tokio::select! {
                biased;
                Some(()) = under_way.next() => {}
                () = clock.sleep(due().min(DENSE)) => {}
            }
        }
        under_way.push(one(watched, requests, service, check));
    }
    // `cycle` of nothing ends at once: without a check there is nothing to send.
    std::future::pending().await
}

async fn one(
    watched: &Watched<'_>,
    requests: &RefCell<Vec<Request>>,
    service: &ServiceKey,
    check: &SmokeCheck,
) {
    let (at_ms, mark) = (watched.events.elapsed_ms(), watched.events.clock().mark());
    let answer = ask(watched.http, watched.front, check).await;
    let (url, took_ms) = (watched.front.asked(&check.path), mark.elapsed_ms());
    let (service, check) = (service.clone(), check.clone());
    requests.borrow_mut().push(Request { service, check, url, at_ms, took_ms, answer });
}
