//! `deploy` and `plan`: one way for both, up to consent.

use std::collections::BTreeMap;
use std::time::Duration;

use deploy::event::{ExitCode, Kind, Phase};
use deploy::model::{Desired, Environment, Observed, Service, ServiceKey};
use deploy::plan::{Plan, plan};

use super::session::{Session, Settings};
use super::{Closing, Failure, Job, build, consent, observed, release};
use crate::apply::{self, Known, Site};
use crate::host::Host;
use crate::image::Image;
use crate::report::{Format, Recorder, Screen, print_result};
use crate::settle::{self, Settled, Target};
use crate::verify::{self, Door};

/// What planning came to, and all that it took.
struct Planned {
    session: Session,
    images: BTreeMap<ServiceKey, Image>,
    desired: Desired,
    observed: Observed,
    plan: Plan,
}

pub(super) async fn run(job: &Job<'_>) -> Result<Closing, Failure> {
    let planned = prepare(job, "deploy").await?;
    job.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    refuse(&planned.plan)?;
    if !planned.plan.is_empty() {
        consent::ask(job, &planned.desired.environment, "the deploy")?;
    }
    let known = Known::of(&planned.observed);
    let changed = !planned.plan.is_empty();
    let settled = carry_out(job, &planned, &known).await?;
    let door = door(&planned, &known);
    let exit = ExitCode::worst(settled.iter().map(|settled| match &settled.verdict {
        Some(verdict) => ExitCode::of(&verdict.outcome),
        None => ExitCode::StillMoving,
    }));
    let proven = exit == ExitCode::Done && prove(job, &planned, &door).await?;
    table(job, &planned.session, &planned.desired.environment, &door).await;
    Ok(match exit {
        ExitCode::Done if proven && changed => Closing::new(exit, "deployed and proven"),
        ExitCode::Done if proven => Closing::new(exit, "nothing to change; proven"),
        ExitCode::Done => Closing::new(ExitCode::NotRecovered, "deployed, but not proven"),
        ExitCode::StillMoving => Closing::new(exit, "still moving at the deadline; run it again to wait on"),
        _ => Closing::new(exit, "not deployed"),
    })
}

/// `plan`: the same, and no further.
pub(super) async fn plan_only(host: &Host, global: &super::Global) -> Result<ExitCode, Failure> {
    let events = Recorder::new(host.clock.clone(), Screen::new(Format::Text, global.verbose, host.terminal));
    let silent = Recorder::new(host.clock.clone(), Screen::silent());
    let events = if global.output == Format::Json { silent } else { events };
    let planned = prepare(&Job { host, global, events: &events }, "plan").await?;
    events.pause();
    match global.output {
        Format::Json => {
            let text = serde_json::to_string(&planned.plan).map_err(|error| Failure::from_error(&error))?;
            print_result(&text);
        }
        Format::Text => print_result(deploy::view::plan_text(&planned.plan).trim_end()),
    }
    refuse(&planned.plan)?;
    let pending = !planned.plan.is_empty();
    Ok(if pending { ExitCode::ChangesPending } else { ExitCode::Done })
}

/// Reads the file, builds the images, reads the account, plans.
async fn prepare(job: &Job<'_>, verb: &str) -> Result<Planned, Failure> {
    let Job { host, global, events } = job;
    let settings = Settings::read(host, global)?;
    let release = release::begin(host, &settings);
    events.emit(Kind::Began {
        command: verb.to_owned(),
        environment: settings.environment.name.clone(),
        release: Some(release.id.clone()),
    });
    let session = Session::open(job, settings).await?;
    // Credentials and the account are checked before a long build, not after it.
    observed::guard(&session).await?;
    let settings = &session.settings;
    let (images, observed) =
        tokio::join!(build::images(job, settings), observed::account(job, &session));
    let (images, mut observed) = (images?, observed?);
    let mut release = release;
    release.images = images.iter().map(|(key, image)| (key.clone(), image.digest.clone())).collect();
    observed::held(&session, &mut observed, &release.images).await?;
    let desired = Desired { environment: settings.environment.clone(), release };
    let plan = plan(&desired, &observed);
    Ok(Planned { images, desired, observed, plan, session })
}

fn refuse(plan: &Plan) -> Result<(), Failure> {
    let Some(first) = plan.refusals.first() else { return Ok(()) };
    let count = plan.refusals.len();
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    Err(Failure::usage(format!("{}{more}; nothing was written", first.what)).hint(first.remedy.clone()))
}

/// Carries the stages out, each to its settled end, and stops at the first that does not end well.
async fn carry_out(job: &Job<'_>, planned: &Planned, known: &Known) -> Result<Vec<Settled>, Failure> {
    let Job { host, events, .. } = job;
    let environment = &planned.desired.environment;
    let site = Site {
        aws: &planned.session.aws,
        host,
        desired: Some(&planned.desired),
        images: &planned.images,
        registry: host.env.get("XTASK_REGISTRY_URL"),
        app: &environment.app,
        known,
        events,
    };
    let timeouts = environment.timeouts;
    let deadline = host.clock.mark().after(Duration::from_secs(timeouts.settle_secs));
    let mut all = Vec::new();
    for stage in &planned.plan.stages {
        if !stage.lanes.is_empty() {
            events.emit(Kind::PhaseBegan { phase: Phase::Apply, about: stage.name.clone() });
            apply::stage(&site, stage).await.map_err(|failed| {
                Failure::usage(failed.to_string())
                    .hint("nothing is half-done that a rerun would not finish")
                    .exit(ExitCode::NotRecovered)
            })?;
        }
        if stage.settle.is_empty() {
            continue;
        }
        let targets = stage.settle.iter().filter_map(|key| target(environment.service(key)?, known)).collect();
        let about = stage.settle.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        events.emit(Kind::PhaseBegan { phase: Phase::Settle, about });
        let every = Duration::from_secs(timeouts.poll_secs);
        let settled =
            settle::settle(&planned.session.aws, events, &environment.cluster, targets, every, deadline).await;
        let well = settled.iter().all(|settled| settled.verdict.as_ref().is_some_and(|v| v.outcome.is_success()));
        all.extend(settled);
        if !well {
            break;
        }
    }
    Ok(all)
}

fn target(service: &Service, known: &Known) -> Option<Target> {
    Some(Target {
        key: service.key.clone(),
        service: service.name.clone(),
        target_group: known.target_group_arn(&service.target_group.name),
        deployed: known.deployed(&service.key)?,
        container: service.container.name.clone(),
        port: service.container.port,
        health_path: service.target_group.health.path.clone(),
        log_group: service.log_group.name.clone(),
    })
}

fn door(planned: &Planned, known: &Known) -> Door {
    let environment = &planned.desired.environment;
    let base = planned.session.door.clone().or_else(|| {
        known.load_balancer().map(|(_, dns_name)| observed::base_url(environment, &dns_name))
    });
    let target_groups =
        environment.services.iter().map(|service| known.target_group_arn(&service.target_group.name)).collect();
    Door { target_groups, base }
}

/// Proves the release: running digests, target health, smoke checks, and an empty second plan.
async fn prove(job: &Job<'_>, planned: &Planned, door: &Door) -> Result<bool, Failure> {
    let Job { host, events, .. } = job;
    events.emit(Kind::PhaseBegan { phase: Phase::Verify, about: "digests, targets, smoke checks".to_owned() });
    let environment = &planned.desired.environment;
    let running = verify::running(&planned.session.aws, events, &planned.desired, door)
        .await
        .map_err(|error| Failure::from_error(&error).exit(ExitCode::Unknown))?;
    let smoked = match &door.base {
        Some(base) => verify::smoke(&host.http, &host.clock, events, environment, base).await,
        None => false,
    };
    if planned.plan.is_empty() {
        return Ok(running && smoked);
    }
    let mut observed = observed::account(job, &planned.session).await?;
    observed::held(&planned.session, &mut observed, &planned.desired.release.images).await?;
    let again = plan(&planned.desired, &observed);
    if !again.is_empty() {
        events.emit(Kind::Failed {
            error: "the account is not as planned after the deploy".to_owned(),
            hint: Some(format!("what still differs:\n{}", deploy::view::plan_text(&again).trim_end())),
        });
    }
    Ok(running && smoked && again.is_empty())
}

/// The closing table. What cannot be read for it changes no verdict.
pub(super) async fn table(job: &Job<'_>, session: &Session, environment: &Environment, door: &Door) {
    match verify::rows(&session.aws, environment, door).await {
        Ok(rows) => job.events.emit(Kind::Table { rows, url: door.base.clone() }),
        Err(error) => job.events.emit(Kind::Warned { text: format!("the closing table could not be read: {error}") }),
    }
}
