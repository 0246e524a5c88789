//! `cargo xtask local`: the embedded cloud by hand.

use std::time::Duration;

use deploy::event::ExitCode;

use serde_json::json;
use sim::LandingZone;
use sim::Settings;
use sim::door::server::{Bound, ServeOptions, Sidecar};

use super::args::{Global, Local as Verb, Serve};
use super::{Failure, browser, observed, session};
use crate::host::{Host, Workspace};
use crate::local::{Local, LocalError, Record, Status, Stopped};
use crate::report::{Format, print_result, print_text};

/// Longer than a stop of tasks that end when they are asked to.
const QUIET: Duration = Duration::from_secs(3);

pub(super) async fn run(host: &Host, global: &Global, verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        // These two are processes of the cloud itself: they are started with all that they need, and read no deploy.toml.
        Verb::Serve(serve) => return be(host, serve).await,
        Verb::Sidecar { folder } => {
            let ended = sim::workload::machine::sidecar(&folder).await;
            return ended.map(|()| ExitCode::Done).map_err(|error| Failure::from_error(&error));
        }
        Verb::Start | Verb::Stop | Verb::Status | Verb::Open => {}
    }
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let local = Local::of(host, &workspace.root);
    if matches!(verb, Verb::Open) {
        return look(host, global, local.status().await.endpoint).await;
    }
    let sentence = match verb {
        Verb::Start => {
            let environment = session::Settings::read(host, global)?.environment;
            let started = async {
                let record = local.start(&environment).await?;
                local.furnish(&record.endpoint, &environment).await.map(|()| record)
            };
            let record = started.await.map_err(|error| Failure::from_error(&error))?;
            format!("the embedded cloud runs at {}", record.endpoint)
        }
        Verb::Stop => stopped(stop(host, &local).await.map_err(|error| Failure::from_error(&error))?),
        Verb::Status | Verb::Open | Verb::Serve(_) | Verb::Sidecar { .. } => String::new(),
    };
    let status = local.status().await;
    if status.running {
        let warn = |text: String| crate::report::print_error(&format!("warning: {text}"));
        local.other_ports().into_iter().for_each(warn);
    }
    match global.output {
        Format::Json => {
            let text = serde_json::to_string(&status).map_err(|error| Failure::from_error(&error))?;
            print_result(&text);
        }
        _ if sentence.is_empty() => print_result(&table(&status)),
        _ => print_text(&sentence),
    }
    Ok(ExitCode::Done)
}

/// Prints the page's address, and opens it where somebody sees a browser.
async fn look(host: &Host, global: &Global, page: Option<String>) -> Result<ExitCode, Failure> {
    let page = page.ok_or_else(observed::not_running)?;
    match global.output {
        Format::Json => print_result(&json!({ "url": page }).to_string()),
        _ => print_result(&page),
    }
    browser::open(host, global.output, &page).await;
    Ok(ExitCode::Done)
}

/// Stops it, and says so when it takes a while.
async fn stop(host: &Host, local: &Local<'_>) -> Result<Stopped, LocalError> {
    let mut stopping = std::pin::pin!(local.stop());
    tokio::select! {
        biased;
        stopped = &mut stopping => return stopped,
        () = host.clock.sleep(QUIET) => {}
    }
    crate::report::print_error("stopping: waiting for the tasks to end; after 40 s they are killed");
    stopping.await
}

fn stopped(stopped: Stopped) -> String {
    match stopped {
        Stopped::Nothing => "the embedded cloud was not running".to_owned(),
        Stopped::Leftovers(count) => {
            format!(
                "the embedded cloud had ended before; what it left is removed ({count} processes or containers)"
            )
        }
        Stopped::Ended => "the embedded cloud is stopped, with all its tasks".to_owned(),
        Stopped::Killed(pid) => format!(
            "the embedded cloud did not end when it was asked to: its process {pid} is killed after 40 s, with all its tasks"
        ),
    }
}

fn table(status: &Status) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let authority =
        status.authority.as_ref().map_or_else(|| "-".to_owned(), |file| file.display().to_string());
    let pid = status.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    format!(
        "running   {}\nendpoint  {}\nurl       {}\nsecond    {}\nauthority {authority}\naccount   {}\nregion    {}\nworkload  {}\npid       {pid}\nlog       {}",
        if status.running { "yes" } else { "no" },
        or_none(&status.endpoint),
        or_none(&status.url),
        or_none(&status.second),
        or_none(&status.account),
        or_none(&status.region),
        or_none(&status.workload),
        status.log.display()
    )
}

/// Is the embedded cloud until it is asked to end.
async fn be(host: &Host, serve: Serve) -> Result<ExitCode, Failure> {
    let file = Local::record_file(&serve.state);
    let program = Local::keep_program(&serve.state).map_err(|error| Failure::from_error(&error))?;
    let arguments = ["local", "sidecar"].map(str::to_owned).to_vec();
    let new = ServeOptions::new(serve.state);
    let settings = Settings {
        // Ids are names and passwords of a registry: who can guess the seed can log in.
        seed: host.rng.stream("embedded cloud").next_u64(),
        account: serve.account.unwrap_or(new.settings.account),
        region: serve.region.unwrap_or(new.settings.region),
        landing_zone: LandingZone::default(),
        ..new.settings
    };
    let options = ServeOptions {
        settings,
        endpoint_port: serve.port,
        alb_port: serve.alb_port,
        log: Box::new(std::io::stdout()),
        sidecar: Some(Sidecar { program, arguments }),
        ..new
    };
    let mut written = Ok(());
    let up = |bound: &Bound| {
        let record = Record {
            pid: bound.pid,
            endpoint: format!("http://{}", bound.endpoint),
            url: format!("http://{}", bound.alb),
        };
        written = record.write(&file);
    };
    sim::door::server::serve(options, up).await.map_err(|error| Failure::from_error(&error))?;
    written.map_err(|error| Failure::from_error(&error))?;
    Ok(ExitCode::Done)
}
