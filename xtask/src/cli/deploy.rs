//! `deploy` and `plan`: one way for both, up to consent.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Forecast, Kind};
use deploy::model::{Environment, ServiceKey};
use deploy::output::Preview;
use deploy::plan::Plan;

use super::context::release_context;
use super::release as begun;
use super::session::{Session, Settings};
use super::{Closing, Failure, Global, Job, args, build, consent, observed};
use crate::aws::Aws;
use crate::forecast;
use crate::host::{Halt, Host};
use crate::image::{Built, Image};
use crate::release::{self, Claim, Ending, Planned, ReleaseContext};
use crate::report::{Format, Recorder, Screen, print_result, print_text};
use crate::verify;

/// A plan and what it was made with.
struct Prepared {
    session: Session,
    images: BTreeMap<ServiceKey, Image>,
    planned: Planned,
    claim: Claim,
}

pub(super) async fn run(job: &Job<'_>, asked: &args::Deploy) -> Result<Closing, Failure> {
    let prepared = prepare(job, "deploy", &asked.commit, &asked.build, &asked.lease).await?;
    let context = release_context(job, &prepared.session, &prepared.images, &prepared.claim);
    let (context, planned) = (ReleaseContext { detach: asked.detach, ..context }, &prepared.planned);
    let changes = !planned.plan.is_empty();
    job.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    refuse(&planned.plan)?;
    foretell(job, context.aws, context.environment, planned).await;
    if changes {
        consent::ask(job, context.environment, "the deploy").await?;
    }
    let ending = release::run(&context, planned).await;
    table(job.events, &prepared.session.aws, context.environment, &ending).await;
    Ok(Closing::new(ending.exit, ending.summary))
}

/// `plan`: the same, and no further.
pub(super) async fn plan_only(host: &Host, global: &Global, asked: &args::Plan) -> Result<ExitCode, Failure> {
    let screen = match global.output {
        Format::Text => Screen::new(Format::Text, global.verbose, host.terminal),
        Format::Json | Format::Markdown => Screen::silent(),
    };
    let events = Recorder::new(host.clock.clone(), screen);
    let (_switch, halt) = Halt::new();
    let job = Job { host, global, events: &events, halt: &halt };
    let shown = preview(&job, asked).await;
    // The result is printed on its own, and what follows is for the summary.
    events.silence();
    let outcome = shown.and_then(|(plan, forecast)| {
        events.emit(Kind::Planned { plan: Box::new(plan.clone()) });
        forecast.iter().for_each(|forecast| events.emit(Kind::Forecast(forecast.clone())));
        show(global.output, &plan, forecast.as_ref())?;
        refuse(&plan)?;
        Ok((judge(&plan), deploy::view::github::counts(&plan)))
    });
    let (exit, summary) = match &outcome {
        Ok((exit, counts)) => (*exit, counts.clone()),
        Err(failure) => {
            failure.clone().events().for_each(|kind| events.emit(kind));
            (failure.exit, format!("failed with exit code {}", failure.exit.code()))
        }
    };
    let (reads, writes) = events.calls();
    let elapsed_ms = events.elapsed_ms();
    events.emit(Kind::Ended { exit, summary, causes: Vec::new(), elapsed_ms, reads, writes });
    if global.output == Format::Markdown {
        print_result(deploy::view::github::summary(&events.events()).trim_end());
    }
    super::conclude(host, &events);
    outcome.map(|(exit, _)| exit)
}

async fn preview(job: &Job<'_>, asked: &args::Plan) -> Result<(Plan, Option<Forecast>), Failure> {
    let no_lease = args::Lease { take_lease: None };
    let prepared = prepare(job, "plan", &asked.commit, &asked.build, &no_lease).await?;
    let (aws, environment) = (&prepared.session.aws, &prepared.session.settings.environment);
    let forecast = forecast::predict(aws, environment, &prepared.planned).await;
    Ok((prepared.planned.plan, forecast))
}

fn show(output: Format, plan: &Plan, forecast: Option<&Forecast>) -> Result<(), Failure> {
    match output {
        Format::Json => {
            let preview = Preview { plan, forecast };
            let mut object = serde_json::to_value(preview).map_err(|error| Failure::from_error(&error))?;
            deploy::redact::json(&mut object);
            print_result(&object.to_string());
        }
        Format::Text => {
            print_text(deploy::view::plan_text(plan).trim_end());
            if let Some(forecast) = forecast {
                print_text(&format!("forecast: {}", deploy::view::forecast(forecast)));
            }
        }
        Format::Markdown => {}
    }
    Ok(())
}

/// As the deploy would end.
fn judge(plan: &Plan) -> ExitCode {
    match plan.is_empty() {
        false => ExitCode::ChangesPending,
        true if !plan.parked.is_empty() => ExitCode::Unknown,
        true => ExitCode::Done,
    }
}

/// Reads the file, builds the images, reads the account, plans.
async fn prepare(
    job: &Job<'_>,
    verb: &str,
    asked: &args::Commit,
    build: &args::Build,
    lease: &args::Lease,
) -> Result<Prepared, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let (release, lacks) = begun::begin(job.host, &settings);
    job.events.emit(Kind::Began {
        command: verb.to_owned(),
        environment: settings.environment.name.clone(),
        release: Some(release.id.clone()),
        commit: release.source(),
    });
    if let Some(text) = lacks {
        job.events.emit(Kind::Warned { text });
    }
    let session = Session::open(job, settings, verb == "deploy").await?;
    // Reading fails fast: without credentials nobody waits for a compiler first.
    let (observed, expiring) = observed::with_expiry(job, &session).await?;
    let built = build::images(job, &session.settings, build, Some(&session.aws)).await?;
    let (mut release, mut images) = (release, BTreeMap::new());
    for (key, built) in built {
        match built {
            Built::Here(image) => drop(images.insert(key, *image)),
            Built::There(digest) => drop(release.images.insert(key, digest)),
        }
    }
    let claim = begun::claim(job.host, lease);
    let mut planned = release_context(job, &session, &images, &claim)
        .plan(release, observed)
        .await
        .map_err(|error| observed::failure(&error))?;
    if !asked.allow_older && !planned.plan.is_empty() {
        begun::refuse_older(job.host, &session.settings.workspace, &mut planned);
    }
    if !asked.adopt {
        deploy::plan::refuse_losses(&mut planned.plan, &planned.desired, &planned.observed);
    }
    planned.plan.notes.extend(expiring);
    Ok(Prepared { images, planned, session, claim })
}

/// Says beforehand how long the rolls will take.
pub(super) async fn foretell(job: &Job<'_>, aws: &Aws, environment: &Environment, planned: &Planned) {
    if let Some(forecast) = forecast::predict(aws, environment, planned).await {
        job.events.emit(Kind::Forecast(forecast));
    }
}

pub(super) fn refuse(plan: &Plan) -> Result<(), Failure> {
    let Some((last, before)) = plan.refusals.split_last() else { return Ok(()) };
    let failure = Failure::usage(format!("{}; nothing was written", last.what)).hint(last.remedy.clone());
    let more = before.iter().map(|it| (it.what.clone(), it.remedy.clone())).collect();
    Err(Failure { more, ..failure })
}

/// The closing table, and below it once more the smoke checks that failed: the reason stands last. What cannot be read
/// for the table changes no verdict.
pub(super) async fn table(events: &Recorder, aws: &Aws, environment: &Environment, ending: &Ending) {
    let door = &ending.door;
    // Whoever was refused wants the reason last, and not what others do there.
    if ending.exit == ExitCode::Usage {
        return;
    }
    let read = match &ending.rows {
        Some(rows) => Ok(rows.clone()),
        None => verify::rows(aws, environment, door).await,
    };
    match read {
        Ok(rows) => {
            let front = door.front.as_ref();
            let url = front.map(|front| front.url.clone());
            events.emit(Kind::Table {
                rows,
                url,
                unasked: front.and_then(|front| front.unasked).map(str::to_owned),
            });
        }
        Err(error) => {
            let error = events.reason(&error);
            events.emit(Kind::Warned { text: format!("the closing table could not be read: {error}") })
        }
    }
    deploy::verify::faults(environment, &events.events()).into_iter().for_each(|fault| events.emit(fault));
}
