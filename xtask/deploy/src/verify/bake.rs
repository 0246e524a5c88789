//! Whether the public was served while a release baked.
//!
//! A request may be lost in the network, and this machine may lose its network for a moment. Neither is the release's doing: what
//! counts is a path that keeps failing, or that fails again and again.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::smoke::{beside, remedy};
use crate::event::{Availability, Kind, ProbeAnswer};
use crate::model::{Environment, ServiceKey, SmokeCheck};

/// A request to a public path, as its users send it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The service that should answer.
    pub service: ServiceKey,
    /// The check that names the path.
    pub check: SmokeCheck,
    pub url: String,
    /// When it was sent, in milliseconds since the command began.
    pub at_ms: u64,
    pub took_ms: u64,
    pub answer: ProbeAnswer,
}

/// A path that fails for so long without a right answer in between is down. Shorter gaps are those of networks.
const OUTAGE_MS: u64 = 2_000;
/// So many single failures, each followed by a right answer, are not counted as an outage.
const STRAYS: usize = 2;

/// An error for each path that was not available during the bake.
pub fn outages(environment: &Environment, requests: &[Request], bake: &RangeInclusive<u64>) -> Vec<Kind> {
    let mut paths: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
    for request in requests.iter().filter(|request| bake.contains(&request.at_ms)) {
        paths.entry(&request.url).or_default().push(request);
    }
    paths.into_values().filter_map(|requests| outage(environment, requests)).collect()
}

fn outage(environment: &Environment, mut requests: Vec<&Request>) -> Option<Kind> {
    // In the order of sending: a slow answer arrives after those to later requests.
    requests.sort_by_key(|request| request.at_ms);
    // Where even one connection fails, this machine's network is in doubt, and a missing answer proves nothing.
    let cut_off = requests.iter().any(|it| matches!(it.answer, ProbeAnswer::Unreachable { .. }));
    let failed = |request: &Request| match request.answer {
        ProbeAnswer::Right { .. } | ProbeAnswer::Unreachable { .. } => false,
        ProbeAnswer::NoAnswer { .. } => !cut_off,
        ProbeAnswer::Status { .. } | ProbeAnswer::WrongService { .. } => true,
    };
    let (mut since, mut gaps, mut down) = (None, 0, false);
    for request in &requests {
        if failed(request) {
            gaps += usize::from(since.is_none());
            down |= request.at_ms - *since.get_or_insert(request.at_ms) >= OUTAGE_MS;
        } else {
            since = None;
        }
    }
    // The last one: what fails at the end of the bake is what users meet now.
    let last = requests.iter().rfind(|request| failed(request))?;
    (down || gaps > STRAYS).then(|| Kind::Failed {
        error: format!(
            "{}: {} of {} requests failed after all tasks were healthy: GET {}: {}",
            last.service,
            requests.iter().filter(|request| failed(request)).count(),
            requests.len(),
            last.url,
            beside(&last.check, &last.answer)
        ),
        hint: remedy(environment, &last.service, &last.check, &last.answer),
    })
}

pub fn availability(requests: &[Request]) -> Availability {
    let mut seen = Availability::default();
    for Request { service, url, at_ms, took_ms, answer, .. } in requests {
        seen.count(service, url, *at_ms, *took_ms, answer.clone());
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request a second: `.` right, `5` a 503, `-` no answer, `x` no connection.
    fn requests(answers: &str) -> Vec<Request> {
        let key = ServiceKey("backend".to_owned());
        let check = SmokeCheck { path: "/x".into(), ..SmokeCheck::default() };
        let request = |(secs, answer)| Request {
            service: key.clone(),
            check: check.clone(),
            url: "http://lb/x".to_owned(),
            at_ms: secs as u64 * 1_000,
            took_ms: 5,
            answer: match answer {
                '.' => ProbeAnswer::Right { version: None },
                '5' => ProbeAnswer::Status { status: 503, body: String::new() },
                '-' => ProbeAnswer::NoAnswer { error: "closed".into() },
                _ => ProbeAnswer::Unreachable { error: "no route".into() },
            },
        };
        let mut requests: Vec<_> = answers.chars().enumerate().map(request).collect();
        requests.reverse();
        requests
    }

    fn found(answers: &str) -> Vec<Kind> {
        outages(&Environment::default(), &requests(answers), &(2_000..=20_000))
    }

    #[test]
    fn every_request_of_the_roll_is_counted_and_a_cut_network_is_no_failure() {
        let seen = availability(&requests("..5-x."));
        assert_eq!((seen.requests, seen.failed, seen.unsent, seen.slowest_ms), (5, 2, 1, 5));
    }

    #[test]
    fn a_path_that_keeps_failing_was_not_available_and_a_lost_request_is_no_outage() {
        let well = [
            "",
            "......",
            "555...",
            "...5..5..",
            "...--...",
            "..xxxxx..",
            "..-x-x-",
            ".....................5555",
        ];
        for answers in well {
            assert_eq!(found(answers), [], "{answers}");
        }
        for answers in ["..555", "...---..", ".....5.....5..-..", "..........5-5", "..555x"] {
            assert_eq!(found(answers).len(), 1, "{answers}");
        }
    }

    #[test]
    fn an_outage_names_the_service_the_path_and_what_to_do() {
        let [Kind::Failed { error, hint: Some(hint) }] = &found("....555.")[..] else { panic!() };
        assert_eq!(
            error,
            "backend: 3 of 6 requests failed after all tasks were healthy: GET http://lb/x: expected 200, got 503"
        );
        assert!(hint.contains("no task that answers /x"), "{hint}");
    }
}
