//! What a verb needs before it can begin: the workspace, the file, the environment, the account.

use std::cell::LazyCell;
use std::path::PathBuf;

use deploy::config;
use deploy::event::{Call, Kind, Phase};
use deploy::model::{Environment, Kind as Place};

use super::args::Global;
use super::{Failure, Job, observed};
use crate::aws::{self, Aws};
use crate::host::{ConnectTo, Env, Host, Terminal, Workspace};
use crate::local::Local;
use crate::report::{Format, Recorder, Screen, annotate};

/// The file and the environment that a command is for.
pub(super) struct Settings {
    pub(super) workspace: Workspace,
    pub(super) environment: Environment,
}

/// An environment whose account can be reached.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) aws: Aws,
    /// Where the embedded cloud listens for the public; `None` on AWS.
    pub(super) door: Option<ConnectTo>,
}

impl Settings {
    /// Reads deploy.toml. All its mistakes are shown at once.
    pub(super) fn read(host: &Host, global: &Global) -> Result<Self, Failure> {
        let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
        let file = global.config.clone().unwrap_or_else(|| workspace.root.join("deploy.toml"));
        let shown = shown(&file, &workspace);
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
        let (root, shell) = (&workspace.root, &host.shell);
        // Asked for only where an image is made of a package; without an answer nothing is said.
        let packages = LazyCell::new(|| workspace.packages(shell).unwrap_or_default());
        let names = || packages.iter().map(|package| package.name.clone()).collect();
        let beside = config::Workspace {
            packages: &names,
            is_file: &|path| root.join(path).is_file(),
            is_folder: &|path| root.join(path).is_dir(),
            now_secs: Some(host.clock.now_ms() / 1000),
        };
        let loaded = config::load_in(beside, &shown, &text, global.env.as_deref());
        let (colored, columns) = (crate::report::colors_errors(), Terminal::error_columns());
        match loaded {
            Ok(loaded) => {
                if host.terminal.github {
                    annotate(&loaded.warnings.findings().collect::<Vec<_>>());
                }
                if !loaded.warnings.diagnostics.is_empty() {
                    crate::report::print_lines(loaded.warnings.render_in(colored, columns).trim_end());
                }
                Ok(Self { workspace, environment: loaded.environment })
            }
            Err(report) => {
                let mistakes: Vec<_> = report.findings().collect();
                if host.terminal.github {
                    annotate(&mistakes);
                }
                if global.output != Format::Json {
                    crate::report::print_lines(report.render_in(colored, columns).trim_end());
                }
                let count = report.errors();
                let noun = if count == 1 { "mistake" } else { "mistakes" };
                let failure = Failure::usage(format!("{shown} has {count} {noun}; nothing was done"));
                Err(Failure { mistakes, ..failure })
            }
        }
    }
}

/// The record of a verb whose output is one object or one table: its progress is not shown.
pub(super) fn quiet(host: &Host, global: &Global) -> Recorder {
    Recorder::new(host.clock.clone(), Screen::quiet(global.output, global.verbose, host.terminal))
}

impl Session {
    /// Reaches the account; for a local environment, starts the embedded cloud when it does not run. One that is another
    /// account or region is replaced if `replace` says so.
    pub(super) async fn open(job: &Job<'_>, settings: Settings, replace: bool) -> Result<Self, Failure> {
        let Job { host, events, .. } = job;
        match settings.environment.kind {
            Place::Local => {
                let local = Local::of(host, &settings.workspace.root);
                let status = local.status().await;
                match status.mismatch(&settings.environment) {
                    // Only a deploy replaces it: what ran there is lost with it.
                    Some(why) if replace => events.emit(Kind::Warned {
                        text: format!("{why}: it is started again, without what ran there"),
                    }),
                    Some(why) => return Err(elsewhere(&why)),
                    None => {}
                }
                if !status.running {
                    events.emit(Kind::PhaseBegan {
                        phase: Phase::Start,
                        about: "the embedded cloud".to_owned(),
                    });
                }
                let mark = host.clock.mark();
                let environment = &settings.environment;
                let started = async {
                    let record = local.start(environment).await?;
                    local.run_tasks_as(&record.endpoint, environment.workload).await?;
                    local.furnish(&record.endpoint, environment).await.map(|()| record)
                };
                let record = started.await.map_err(|error| Failure::from_error(&error))?;
                events.emit(Kind::PhaseEnded {
                    phase: Phase::Start,
                    result: format!("embedded cloud at {}", record.endpoint),
                    elapsed_ms: mark.elapsed_ms(),
                });
                warn_of_ports(events, &local);
                Self::connect(host, events, settings, Some(record.endpoint), Some(local.door(&record.url)))
                    .await
            }
            Place::Aws => Self::connect(host, events, settings, None, None).await,
        }
    }

    /// Reaches the account without starting anything; fails when the embedded cloud does not run.
    pub(super) async fn running(host: &Host, events: &Recorder, settings: Settings) -> Result<Self, Failure> {
        Self::look(host, events, settings).await?.ok_or_else(observed::not_running)
    }

    /// Reaches the account without starting anything; `None` when the embedded cloud does not run.
    pub(super) async fn look(
        host: &Host,
        events: &Recorder,
        settings: Settings,
    ) -> Result<Option<Self>, Failure> {
        match settings.environment.kind {
            Place::Local => {
                let local = Local::of(host, &settings.workspace.root);
                let status = local.status().await;
                let Some(endpoint) = &status.endpoint else {
                    return local.silent().map_or(Ok(None), |pid| Err(silent(pid)));
                };
                if let Some(why) = status.mismatch(&settings.environment) {
                    return Err(elsewhere(&why));
                }
                let furnished = local.furnish(endpoint, &settings.environment).await;
                furnished.map_err(|error| Failure::from_error(&error))?;
                warn_of_ports(events, &local);
                let door = status.url.map(|url| local.door(&url));
                Self::connect(host, events, settings, status.endpoint, door).await.map(Some)
            }
            Place::Aws => Self::connect(host, events, settings, None, None).await.map(Some),
        }
    }
}

fn warn_of_ports(events: &Recorder, local: &Local<'_>) {
    local.other_ports().into_iter().for_each(|text| events.emit(Kind::Warned { text }));
}

/// Not "does not run": what it holds is unknown then.
fn silent(pid: u32) -> Failure {
    Failure::usage(format!("the embedded cloud (process {pid}) does not answer"))
        .hint("wait until this machine is less busy and run it again; `cargo xtask local stop` ends it, with all that it runs")
}

/// The embedded cloud that runs is not the one that the file names, and the verb does not replace it.
fn elsewhere(why: &str) -> Failure {
    Failure::usage(why)
        .hint("`cargo xtask deploy` starts it again as deploy.toml says, and ends what runs there")
}

fn shown(file: &std::path::Path, workspace: &Workspace) -> String {
    let relative: PathBuf = file.strip_prefix(&workspace.root).unwrap_or(file).into();
    relative.display().to_string()
}

/// The key that the embedded cloud is asked with. It checks no signatures.
const LOCAL_KEY: &str = "local";

impl Session {
    async fn connect(
        host: &Host,
        events: &Recorder,
        settings: Settings,
        endpoint: Option<String>,
        door: Option<ConnectTo>,
    ) -> Result<Self, Failure> {
        let aws = connect(host, events, &settings.environment.region, endpoint).await;
        Ok(Self { settings, aws, door })
    }
}

/// The account of the credentials, or the embedded cloud at an endpoint.
pub(super) async fn connect(host: &Host, events: &Recorder, region: &str, endpoint: Option<String>) -> Aws {
    let keys =
        endpoint.as_ref().map(|_| aws::Keys { id: LOCAL_KEY.to_owned(), secret: LOCAL_KEY.to_owned() });
    let source = if endpoint.is_none() { credentials(&host.env) } else { None };
    let record = events.clone();
    let observer = aws::Observer::new(move |call| record.emit(Kind::Called(recorded(call))));
    Aws::connect(aws::Connect {
        region: region.to_owned(),
        endpoint,
        keys,
        http: host.http.clone(),
        clock: host.clock.clone(),
        rng: host.rng.clone(),
        observer,
        source,
    })
    .await
}

/// Where the environment says that credentials are: keys come before a profile, and a profile before a web identity.
fn credentials(env: &Env) -> Option<aws::Source> {
    let named = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
    if named("AWS_ACCESS_KEY_ID").is_some() {
        return None;
    }
    let profile = named("AWS_PROFILE").map(|name| aws::Source::Profile { name, exists: true });
    profile.or_else(|| named("AWS_WEB_IDENTITY_TOKEN_FILE").map(aws::Source::WebIdentity))
}

fn recorded(call: &aws::CallRecord) -> Call {
    let outcome = match &call.outcome {
        aws::CallOutcome::Done => "ok".to_owned(),
        aws::CallOutcome::Retried { reason, wait_ms } => format!("{reason}; again in {wait_ms} ms"),
        aws::CallOutcome::Failed { reason } => reason.clone(),
    };
    Call {
        service: call.service.to_owned(),
        operation: call.operation.to_owned(),
        attempt: call.attempt,
        write: call.write,
        elapsed_ms: call.elapsed_ms,
        outcome,
    }
}
