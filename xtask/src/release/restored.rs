//! Measures what serves after a release was undone. The closing sentence says no more than that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deploy::event::{ExitCode, Kind, Phase, UndoneService};
use deploy::model::{Desired, Observed, Pin, Release, Service, ServiceKey, arn_name};
use deploy::plan::{Plan, Undo};
use deploy::verify::Reading;

use super::answers::{Answers, answers};

use super::watched::Public;
use super::{Planned, ReleaseContext, Revisions, unparked};
use crate::apply::ResourceIds;
use crate::verify::readings;

/// The result of an undo.
#[derive(Debug, Default)]
pub(super) struct Restored {
    /// The services that it was to restore, and what they ran.
    pub(super) pins: BTreeMap<ServiceKey, Pin>,
    /// For services that are restored to something else than was found: what was found, and why not that.
    pub(super) instead: BTreeMap<ServiceKey, String>,
    /// What serves then, in words: a release, or revisions that were none together.
    pub(super) together: String,
    /// Services that somebody deployed meanwhile, and what they run: left alone.
    pub(super) theirs: BTreeMap<ServiceKey, String>,
    /// The revision that each service runs since the release, by ARN.
    pub(super) ours: Revisions,
    /// The account could not be read.
    pub(super) unseen: bool,
    /// Because AWS refused the caller.
    pub(super) refused: bool,
    /// The account was read afterwards, and is as before.
    pub(super) complete: bool,
    /// What is still to be done, a step each, and the services among it.
    pub(super) left: Vec<String>,
    pub(super) not_back: BTreeSet<ServiceKey>,
}

/// How a service is found.
enum Found {
    Serves,
    /// `desiredCount` is 0, and was before.
    Parked,
    /// `desiredCount` is 0, and was not before.
    Emptied,
    /// It serves, with another `desiredCount` than it had before this release changed that.
    Recounted(u32),
    /// Why it does not serve.
    Down(String),
    Unread,
}

struct Measured {
    found: Found,
    /// Running and desired tasks; `None` where they were not read.
    tasks: Option<(u32, u32)>,
    /// The ARN of the revision that it runs.
    runs: Option<String>,
}

/// Emits how every service was found. Returns the exit code and the closing sentence.
pub(super) async fn closing(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    restored: &Restored,
    kept: &BTreeSet<ServiceKey>,
    public: &Public,
) -> (ExitCode, String) {
    let was = |service: &&Service| {
        let state = planned.observed.services.get(&service.key);
        state.is_some_and(|state| state.is_active()) && !restored.theirs.contains_key(&service.key)
    };
    let services: Vec<&Service> = context.environment.services.iter().filter(was).collect();
    let found = found(context, planned, restored, &services).await;
    report(context, restored, kept, services.iter().copied().zip(&found));
    for step in &restored.left {
        context.events.emit(Kind::Failed { error: format!("not restored: {step}"), hint: None });
    }
    if !restored.complete || !kept.is_empty() {
        return (ExitCode::NotRecovered, "not deployed, and not recovered".to_owned());
    }
    let elsewhere = |(service, it): (&&Service, &Measured)| {
        let runs = it.runs.as_ref().filter(|_| !restored.pins.contains_key(&service.key))?;
        let before = planned.observed.services.get(&service.key).map(|state| &state.task_definition.arn);
        let ours = restored.ours.get(&service.key)?;
        (runs != ours && Some(runs) != before).then(|| format!("{} runs {}", service.key, arn_name(runs)))
    };
    let elsewhere: Vec<_> = services.iter().zip(&found).filter_map(elsewhere).collect();
    for text in &elsewhere {
        context.events.emit(Kind::Warned { text: format!("{text}, which somebody else deployed meanwhile") });
    }
    // Before what serves is judged: another's release is neither this one's failure nor its success.
    if !restored.theirs.is_empty() || !elsewhere.is_empty() {
        return (ExitCode::Superseded, "not deployed; a newer deployment took over".to_owned());
    }
    let names = |of: &dyn Fn(&Found) -> Option<String>| {
        let named = services
            .iter()
            .zip(&found)
            .filter_map(|(service, measured)| Some(format!("{} {}", service.key, of(&measured.found)?)));
        named.collect::<Vec<_>>().join(", ")
    };
    let unread = names(&|found| matches!(found, Found::Unread).then(String::new));
    let down = names(&|found| match found {
        Found::Down(why) => Some(why.clone()),
        _ => None,
    });
    let recounted = names(&|found| match found {
        Found::Recounted(now) => Some(format!("{now} tasks")),
        _ => None,
    });
    let parked = names(&|found| matches!(found, Found::Parked).then(|| "0/0".to_owned()));
    let emptied = names(&|found| matches!(found, Found::Emptied).then(|| "0/0".to_owned()));
    let any = found.iter().any(|it| matches!(it.found, Found::Serves));
    if services.is_empty() {
        (ExitCode::NotRecovered, "not deployed; nothing served before".to_owned())
    } else if !unread.is_empty() {
        (ExitCode::Unknown, "not deployed; all is as before, but what serves could not be read".to_owned())
    } else if !emptied.is_empty() {
        (
            ExitCode::NotRecovered,
            format!(
                "not deployed; scaled to 0 by hand during the release: {emptied} tasks, and it does not serve"
            ),
        )
    } else if !down.is_empty() {
        (ExitCode::NotRecovered, format!("not deployed; all is as before, and it does not serve: {down}"))
    } else if !recounted.is_empty() {
        (ExitCode::Superseded, format!("not deployed; meanwhile somebody else asked for {recounted}"))
    } else if !any {
        (ExitCode::NotRecovered, format!("not deployed; as before: {parked} tasks"))
    } else {
        let as_found = restored.instead.is_empty();
        let what = match parked.is_empty() {
            false => &format!("as before: {parked} tasks, and the rest serves"),
            true if planned.desired.release.pins.values().any(Pin::is_again) => "what ran before serves",
            true if as_found => "the previous release serves",
            true => restored.together.as_str(),
        };
        let at_0 = services.iter().zip(&found).filter(|(_, it)| matches!(it.found, Found::Parked));
        let at_0: Vec<_> = at_0.map(|(service, _)| service.key.clone()).collect();
        // A service that was at 0 before answers nobody now either.
        let asked = unparked(context.environment, &at_0);
        let context = &ReleaseContext { environment: &asked, ..*context };
        match answers(context, &context.door(&ResourceIds::of(&planned.observed)), public).await {
            Answers::Right => (ExitCode::Failed, format!("not deployed; {what}")),
            Answers::Other(how) => (ExitCode::Failed, format!("not deployed; {what}, {how}")),
            Answers::Down(how) => (ExitCode::NotRecovered, format!("not deployed; all is as before, {how}")),
        }
    }
}

/// Measures what serves where a release was rolled back without this run. What it served before is not known here.
pub(super) async fn serving(context: &ReleaseContext<'_>, observed: Observed) -> (ExitCode, String) {
    let desired = Desired { environment: context.environment.clone(), release: Release::default() };
    let planned = Planned { desired, observed, plan: Plan::default(), undo: Undo::default() };
    let services: Vec<&Service> = context.environment.services.iter().collect();
    // What runs may have other health checks than the file's.
    let pins = services.iter().map(|service| (service.key.clone(), Pin::default())).collect();
    let restored = Restored { complete: true, pins, ..Restored::default() };
    let found = found(context, &planned, &restored, &services).await;
    let (mut exit, mut lacks) = (ExitCode::Failed, Vec::new());
    for (service, Measured { found, .. }) in services.iter().zip(found) {
        let (code, lack) = match found {
            Found::Serves | Found::Recounted(_) => continue,
            Found::Parked if service.desired_count == 0 => continue,
            Found::Parked | Found::Emptied => (ExitCode::NotRecovered, "0/0 tasks".to_owned()),
            Found::Down(why) => (ExitCode::NotRecovered, why),
            Found::Unread => (ExitCode::Unknown, "cannot be read".to_owned()),
        };
        exit = ExitCode::worst([exit, code]);
        lacks.push(format!("{} {lack}", service.key));
    }
    match lacks.is_empty() {
        true => (exit, "the previous release serves".to_owned()),
        false => (exit, format!("not all of what ran before serves: {}", lacks.join(", "))),
    }
}

/// Emits what each restored service runs now.
fn report<'a>(
    context: &ReleaseContext<'_>,
    restored: &Restored,
    kept: &BTreeSet<ServiceKey>,
    measured: impl Iterator<Item = (&'a Service, &'a Measured)>,
) {
    let kept = kept.iter().map(|key| UndoneService {
        service: key.clone(),
        back: false,
        before: None,
        instead: None,
        runs: None,
        tasks: None,
    });
    let standing = |(service, measured): (&Service, &Measured)| {
        let revision = &restored.pins.get(&service.key)?.revision;
        let before = Some(arn_name(revision).to_owned());
        let other = measured.runs.as_ref().filter(|runs| *runs != revision);
        let instead = match measured.found {
            Found::Emptied => Some("again, but was scaled to 0 by hand during the release".to_owned()),
            _ => restored.instead.get(&service.key).cloned(),
        };
        Some(UndoneService {
            service: service.key.clone(),
            back: other.is_none() && !restored.not_back.contains(&service.key),
            before,
            instead,
            runs: measured.runs.as_deref().map(|runs| arn_name(runs).to_owned()),
            tasks: measured.tasks,
        })
    };
    let mut all: Vec<UndoneService> = measured.filter_map(standing).chain(kept).collect();
    all.sort_by(|one, other| one.service.cmp(&other.service));
    if !all.is_empty() {
        context.events.emit(Kind::Undone { services: all });
    }
}

/// Reads the services until they serve or the deadline has passed. A service that was down before is not waited for.
async fn found(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    restored: &Restored,
    services: &[&Service],
) -> Vec<Measured> {
    let ReleaseContext { aws, environment, events, .. } = *context;
    let door = context.door(&ResourceIds::of(&planned.observed));
    // Targets that a changed check had failed pass the restored one some times first.
    let pass = |service: &Service| {
        let secs = service.group().map_or(0, |it| it.health.healthy_threshold * it.health.interval_secs);
        Duration::from_secs(secs.into())
    };
    let checks = planned.undo.health_checks().next().is_some();
    let pass = services.iter().map(|service| pass(service)).max().filter(|_| checks).unwrap_or_default();
    let deadline = events.clock().mark().after(Duration::from_secs(environment.timeouts.smoke_secs) + pass);
    let mut said = false;
    loop {
        let read = readings(aws, environment, &door).await;
        let at = |service: &Service| environment.services.iter().position(|it| it.key == service.key);
        let of = |service: &&Service| match read.as_ref().ok().zip(at(service)) {
            Some((read, at)) => measured(planned, restored, service, &read[at]),
            None => Measured { found: Found::Unread, tasks: None, runs: None },
        };
        let found: Vec<_> = services.iter().map(of).collect();
        let was_up = |key: &ServiceKey| {
            planned.observed.services.get(key).is_some_and(|state| state.running > 0 || state.desired == 0)
        };
        let late = services.iter().zip(&found).filter_map(|(service, it)| match &it.found {
            // A service that somebody deleted meanwhile stays deleted.
            Found::Down(why) if it.tasks != Some((0, 0)) => Some((service, why.as_str())),
            Found::Unread => Some((service, "cannot be read")),
            _ => None,
        });
        let late = late.filter(|(service, _)| was_up(&service.key));
        let late: Vec<_> = late.map(|(service, why)| format!("{} {why}", service.key)).collect();
        if !restored.complete || late.is_empty() || deadline.remaining().is_zero() {
            if let Err(error) = &read {
                context.emit_failure(error, error.hint());
            }
            return found;
        }
        if !std::mem::replace(&mut said, true) {
            let about = format!("what ran before: {}", late.join(", "));
            events.emit(Kind::PhaseBegan { phase: Phase::Settle, about });
        }
        events.clock().sleep(Duration::from_secs(environment.timeouts.poll_secs)).await;
    }
}

fn measured(planned: &Planned, restored: &Restored, service: &Service, reading: &Reading) -> Measured {
    // What it runs again may have another check than the file's, or none. One that stays at the release has the file's.
    let by_checks = reading.by_checks && !restored.pins.contains_key(&service.key);
    let reading = Reading { by_checks, ..reading.clone() };
    // `desiredCount` is Application Auto Scaling's while it may scale out: it is read with the count that it is compared with,
    // never taken from the plan.
    let (running, desired) = (reading.service.running, reading.service.desired);
    let counted = planned.undo.count(&service.key);
    let before = counted.or_else(|| Some(planned.observed.services.get(&service.key)?.desired));
    let found = match reading.is_parked() {
        true if before == Some(0) => Found::Parked,
        true => Found::Emptied,
        false if reading.serves() && counted.is_some_and(|before| before != desired) => {
            Found::Recounted(desired)
        }
        false if reading.serves() => Found::Serves,
        false if reading.serving() < desired as usize || desired == 0 => {
            Found::Down(format!("{}/{desired} tasks", reading.serving()))
        }
        false => Found::Down("has a deployment that is not complete".to_owned()),
    };
    let runs = reading.service.deployments.first().map(|primary| primary.task_definition.clone());
    Measured { found, tasks: Some((running, desired)), runs }
}
