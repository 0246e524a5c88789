//! Does what was restored answer the smoke checks that a release failed? A check that nothing ever answered refutes no release that
//! is gone, and a site that is down did not come back with its tasks.

use deploy::event::{Kind, ProbeAnswer};
use deploy::model::{ServiceKey, SmokeCheck};
use deploy::verify::beside;

use super::ReleaseContext;
use super::watched::Public;
use crate::verify::{self, Door};

/// How the checks that the release failed were answered after it was undone.
pub(super) enum Answers {
    /// As they should be, or none had failed, or they cannot be asked from here.
    Right,
    /// Wrongly, by something that is up: the check may be meant for what was undone.
    Other(String),
    /// With an error or not at all, or wrongly where it was right before.
    Down(String),
}

/// Asks the checks again that failed. One that failed alike before the release is asked once: nothing will change it.
pub(super) async fn answers(context: &ReleaseContext<'_>, door: &Door, public: &Public) -> Answers {
    let ReleaseContext { host, aws, events, environment, .. } = *context;
    let record = events.events();
    let failed = failures(record.iter().map(|event| &event.kind));
    let Some(front) = door.front.as_ref().filter(|_| !failed.is_empty()) else { return Answers::Right };
    let mut asked = environment.clone();
    for service in &mut asked.services {
        service.smoke.retain(|check| failed.iter().any(|(key, of, _)| (*key, *of) == (&service.key, check)));
    }
    let alike = |(key, check, answer): &Failure<'_>| {
        public.before(key, check).is_some_and(|before| match (before, answer) {
            (ProbeAnswer::Status { status: before, .. }, ProbeAnswer::Status { status, .. }) => {
                before == *status
            }
            (before, answer) => std::mem::discriminant(&before) == std::mem::discriminant(*answer),
        })
    };
    if failed.iter().all(alike) {
        asked.timeouts.smoke_secs = 0;
    }
    verify::smoke(&host.http, &host.clock, events, &asked, front, true).await;
    verify::inside(host, aws, events, &asked).await;
    let now = events.events();
    let now = failures(now.iter().skip(record.len()).map(|event| &event.kind));
    let mut worst = Answers::Right;
    for (key, check, answer) in now {
        let how = format!("GET {}: {}", check.target(), beside(check, answer));
        let down = matches!(answer, ProbeAnswer::Status { status: 500.., .. } | ProbeAnswer::NoAnswer { .. });
        match public.before(key, check) {
            Some(ProbeAnswer::Right { .. }) => return Answers::Down(format!("but {how}")),
            before => {
                let how =
                    if before.is_some() { format!("and as before {how}") } else { format!("and {how}") };
                if down {
                    return Answers::Down(how);
                }
                // The first one is named.
                if matches!(worst, Answers::Right) {
                    worst = Answers::Other(how);
                }
            }
        }
    }
    worst
}

type Failure<'a> = (&'a ServiceKey, &'a SmokeCheck, &'a ProbeAnswer);

/// The last wrong answer to each check.
fn failures<'a>(events: impl Iterator<Item = &'a Kind>) -> Vec<Failure<'a>> {
    let mut failed: Vec<Failure<'a>> = Vec::new();
    for event in events {
        let Kind::Probed { service, passed: false, check, answer, .. } = event else { continue };
        if !matches!(answer, ProbeAnswer::Unreachable { .. }) {
            failed.retain(|(key, of, _)| (*key, *of) != (service, check));
            failed.push((service, check, answer));
        }
    }
    failed
}
