//! The verbs: what was typed becomes calls, and their outcome an exit code. The one place that knows every
//! other module, and that starts the embedded cloud.

mod abort;
mod args;
mod bench;
mod browser;
mod build;
mod ci;
mod completions;
mod consent;
mod context;
mod deploy;
mod doctor;
mod evidence;
mod exec;
mod failure;
mod history;
mod iam;
mod init;
mod local;
mod logs;
mod meant;
mod observed;
mod open;
mod pinned;
mod release;
mod removal;
mod rollback;
mod run_task;
mod secrets;
mod session;
mod smoke;
mod status;
mod swarm;
mod typo;
mod wait;

use std::process::ExitCode as Process;
use std::time::Duration;

use ::deploy::event::{Event, ExitCode, Kind, blamed as causes};
use ::deploy::model::Environment;
use clap::Parser;

use args::{Cli, Global, Verb};
use failure::Failure;

use crate::host::{Daemon, Halt, Host, Signal, Signals, Switch};
use crate::release::Removal;
use crate::report::{Color, Format, Recorder, Screen};

pub fn main() -> Process {
    let cli = Cli::try_parse().unwrap_or_else(|error| typo::meant(error).exit());
    color(cli.global.color);
    if cli.verb.is_background()
        && let Err(error) = Daemon::close_inherited()
    {
        return fail(&Failure::from_error(&error).exit(ExitCode::Bug));
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::from_error(&error).exit(ExitCode::Bug)),
    };
    Process::from(runtime.block_on(run(cli)))
}

/// Returns the process's exit code.
async fn run(cli: Cli) -> u8 {
    let host = match Host::system() {
        Ok(host) => host,
        Err(error) => return reported(&Failure::from_error(&error)).code(),
    };
    if host.terminal.github {
        crate::report::mask(&host.env);
    }
    let Cli { global, verb } = cli;
    crate::report::limit(host.terminal, global.env.as_deref());
    let report = |failure: &Failure| reported_to(&host, global.output, failure).code();
    // Before the verb begins: a deploy must not learn at its end that its evidence cannot be written.
    if let Err(failure) = evidence::check(&global, &verb) {
        return report(&failure);
    }
    if global.output == Format::Markdown && !matches!(verb, Verb::Plan(_)) {
        let failure = Failure::usage("`--output markdown` is for `plan`");
        return report(&failure.hint("leave it out, or use `--output json`"));
    }
    let outcome = match verb {
        Verb::Deploy(asked) => events(&host, &global, async |job| deploy::run(job, &asked).await).await,
        Verb::Plan(asked) => deploy::plan_only(&host, &global, &asked).await,
        Verb::Status(asked) => status::run(&host, &global, &asked).await,
        Verb::History(asked) => history::run(&host, &global, &asked).await,
        Verb::Rollback(asked) => events(&host, &global, async |job| rollback::run(job, &asked).await).await,
        Verb::Wait(asked) => events(&host, &global, async |job| wait::run(job, &asked).await).await,
        Verb::Abort => events(&host, &global, abort::run).await,
        Verb::Restart(asked) => events(&host, &global, async |job| pinned::restart(job, &asked).await).await,
        Verb::Scale(asked) => events(&host, &global, async |job| pinned::scale(job, &asked).await).await,
        Verb::Doctor => doctor::run(&host, &global).await,
        Verb::Open(asked) => open::run(&host, &global, &asked).await,
        Verb::Logs(asked) => logs::run(&host, &global, &asked).await,
        Verb::Exec(asked) => {
            return exec::run(&host, &global, &asked).await.unwrap_or_else(|failure| report(&failure));
        }
        Verb::Run(asked) => {
            return run_task::run(&host, &global, &asked).await.unwrap_or_else(|failure| report(&failure));
        }
        Verb::Smoke => events(&host, &global, smoke::run).await,
        Verb::Down(asked) => {
            events(&host, &global, async |job| removal::run(job, Removal::Everything, &asked).await).await
        }
        Verb::Prune(asked) => {
            events(&host, &global, async |job| removal::run(job, Removal::Orphans, &asked).await).await
        }
        Verb::Build(asked) => events(&host, &global, async |job| build::run(job, &asked).await).await,
        Verb::Local { verb } => local::run(&host, &global, verb).await,
        Verb::Secrets { verb } => secrets::run(&host, &global, &verb).await,
        Verb::Iam { verb } => iam::run(&host, &global, &verb),
        Verb::Init(asked) => init::run(&host, &global, &asked).await,
        Verb::Ci => ci::run(&host).await,
        Verb::Bench => bench::run(&host).await,
        Verb::Swarm(asked) => swarm::run(&host, &asked).await,
        Verb::Completions { shell } => {
            crate::report::print_result(completions::script(shell).trim_end());
            Ok(ExitCode::Done)
        }
    };
    outcome.map_or_else(|failure| report(&failure), ExitCode::code)
}

/// What every verb that acts gets.
struct Job<'a> {
    host: &'a Host,
    global: &'a Global,
    events: &'a Recorder,
    halt: &'a Halt,
}

impl Job<'_> {
    /// Records that a verb begins which makes no release.
    fn began(&self, command: &str, environment: &Environment) {
        let environment = environment.name.clone();
        self.events.emit(Kind::Began {
            command: command.to_owned(),
            environment,
            release: None,
            commit: None,
        });
    }
}

/// How a verb that acts ended: its code and its closing sentence.
struct Closing {
    exit: ExitCode,
    summary: String,
}

impl Closing {
    fn new(exit: ExitCode, summary: impl Into<String>) -> Self {
        Self { exit, summary: summary.into() }
    }
}

/// Runs a verb whose output is its event record: a failure is an event, and the last event is the end.
async fn events(
    host: &Host,
    global: &Global,
    run: impl AsyncFnOnce(&Job<'_>) -> Result<Closing, Failure>,
) -> Result<ExitCode, Failure> {
    let events = Recorder::new(host.clock.clone(), Screen::new(global.output, global.verbose, host.terminal));
    let (switch, halt) = Halt::new();
    let job = Job { host, global, events: &events, halt: &halt };
    let ended = match Signals::listen() {
        Ok(mut signals) => {
            let ended = tokio::select! {
                biased;
                failure = heard(&mut signals, &switch, &job) => Err(failure),
                ended = run(&job) => ended,
            };
            match ended {
                Err(failure) => Err(blamed(failure, &mut signals, &job).await),
                ended => ended,
            }
        }
        Err(error) => Err(Failure::from_error(&error)),
    };
    events.emit_late();
    let closing = ended.unwrap_or_else(|failure| {
        // An interruption is no failure: what it means is how the command closes.
        if failure.exit == ExitCode::Interrupted && failure.hint.is_none() {
            return Closing::new(failure.exit, failure.error);
        }
        let summary = format!("failed with exit code {}", failure.exit.code());
        let exit = failure.exit;
        failure.events().for_each(|kind| events.emit(kind));
        Closing::new(exit, summary)
    });
    let (reads, writes) = events.calls();
    let ended = Kind::Ended {
        exit: closing.exit,
        summary: closing.summary,
        causes: if closing.exit == ExitCode::Done { Vec::new() } else { causes(&events.events()) },
        elapsed_ms: events.elapsed_ms(),
        reads,
        writes,
    };
    evidence::keep(host, global, &events, closing.exit, &ended);
    events.emit(ended);
    conclude(host, &events);
    Ok(closing.exit)
}

/// Writes the step summary and the outputs of a command in GitHub Actions.
fn conclude(host: &Host, events: &Recorder) {
    if host.terminal.github {
        for problem in crate::report::conclude(&host.env, &events.events()) {
            crate::report::print_error(&format!("warning: {problem}"));
        }
    }
}

/// Hears signals until one of them ends the command: the first does when nothing moves yet, or with
/// `--no-rollback`; otherwise it asks for what moves to go back, and the second ends it.
async fn heard(signals: &mut Signals, switch: &Switch, job: &Job<'_>) -> Failure {
    loop {
        let signal = signals.next().await;
        if job.global.no_rollback || !switch.ask() {
            return interrupted(signal, job);
        }
        job.events
            .emit(Kind::Warned { text: "stopping: rolling back; press Ctrl-C again to exit now".to_owned() });
    }
}

/// A Ctrl-C reaches the compiler and git as well. What one of them fails with then is the interruption, and may be
/// seen this much before the signal itself.
const SIGNAL_LAG: Duration = Duration::from_millis(50);

async fn blamed(failure: Failure, signals: &mut Signals, job: &Job<'_>) -> Failure {
    tokio::select! {
        biased;
        signal = signals.next() => interrupted(signal, job),
        () = job.host.clock.sleep(SIGNAL_LAG) => failure,
    }
}

/// Deployments that ECS was asked for continue: that is said, and no success is claimed.
fn interrupted(signal: Signal, job: &Job<'_>) -> Failure {
    let name = match signal {
        Signal::Interrupt => "interrupted",
        Signal::Terminate => "terminated",
    };
    let (_, writes) = job.events.calls();
    if writes == 0 {
        let wrote = if job.events.noted() { "only the lease" } else { "nothing" };
        return Failure::usage(format!("{name}; {wrote} was written")).exit(ExitCode::Interrupted);
    }
    let rolls = |event: &Event| matches!(event.kind, Kind::Following { .. });
    let continues = match job.events.events().iter().any(rolls) {
        true => "deployments and tasks already started in ECS continue",
        false => "what was written stays",
    };
    Failure::usage(format!("{name}; {continues}"))
        .hint("run the same command again: it continues from there")
        .exit(ExitCode::Interrupted)
}

fn color(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// Reports the failure of a command whose output is one result.
fn reported_to(host: &Host, output: Format, failure: &Failure) -> ExitCode {
    if output == Format::Json && !failure.mistakes.is_empty() {
        crate::report::print_result(&serde_json::json!({ "diagnostics": failure.mistakes }).to_string());
    }
    // Mistakes of deploy.toml are annotated on their lines.
    if host.terminal.github && failure.mistakes.is_empty() {
        failure.more.iter().for_each(|(error, hint)| crate::report::annotate_failure(error, Some(hint)));
        crate::report::annotate_failure(&failure.error, failure.hint.as_deref());
        return failure.exit;
    }
    reported(failure)
}

fn reported(failure: &Failure) -> ExitCode {
    let last = (&failure.error, failure.hint.as_ref());
    for (error, hint) in failure.more.iter().map(|(error, hint)| (error, Some(hint))).chain([last]) {
        crate::report::print_error(&format!("error: {error}"));
        if let Some(hint) = hint {
            crate::report::print_error(&format!("  help: {hint}"));
        }
    }
    failure.exit
}

fn fail(failure: &Failure) -> Process {
    Process::from(reported(failure).code())
}
