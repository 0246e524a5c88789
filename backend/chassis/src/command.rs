//! The command line of a service: nothing to serve, `probe`, `get URL`, `--version`, `--help`.

use std::io::{self, Write};
use std::process::ExitCode;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Lifecycle;
use crate::get;
use crate::probe::{self, probe};
use crate::serve::{Signals, serve};
use crate::settings::{self, Settings, Trouble};

/// What distinguishes one service of the application from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// The name in health bodies, and the binary's.
    pub name: &'static str,
    pub version: &'static str,
    /// The port to listen on where `PORT` is not set.
    pub default_port: u16,
    /// What `probe` asks: a path that is up for as long as the container need not be replaced.
    pub probe_path: &'static str,
    /// A line per setting of this service alone, for `--help`.
    pub settings_help: &'static str,
}

impl Service {
    /// A health body: the status, and who says so. Through a balancer's rules a probe can reach the wrong service,
    /// whose 200 would prove nothing.
    #[must_use]
    pub fn health(&self, status: &str) -> Value {
        json!({ "status": status, "service": self.name, "version": self.version })
    }
}

const WRONG_USAGE: u8 = 2;

/// Does what the command line says. `router` makes the service from its settings once they are known to be good.
///
/// Exit codes: 0 done or stopped by a signal, 1 failed, 2 wrong usage or settings.
pub fn run<F>(service: &Service, router: F) -> ExitCode
where
    F: FnOnce(&Settings, &Lifecycle) -> Result<Router, Trouble>,
{
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => settings(service).and_then(|settings| {
            start_log(&settings);
            let lifecycle = Lifecycle::new();
            let app = router(&settings, &lifecycle)?;
            Ok(listen(service, &settings, app, lifecycle))
        }),
        ["probe"] => settings(service).map(|settings| {
            probe(
                probe::target(settings.address),
                service.probe_path,
                service.name,
                probe::LIMIT,
            )
        }),
        ["get", url] => Ok(shown(url)),
        ["--version" | "-V"] => Ok(print(&format!("{} {}\n", service.name, service.version))),
        ["--help" | "-h"] => Ok(print(&help(service))),
        _ => {
            complain(
                service,
                &format!(
                    "unknown arguments {arguments:?}; see {} --help",
                    service.name
                ),
            );
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            complain(service, &failure);
            ExitCode::FAILURE
        }
        Err(trouble) => {
            complain(service, &trouble.to_string());
            ExitCode::from(WRONG_USAGE)
        }
    }
}

fn settings(service: &Service) -> Result<Settings, Trouble> {
    Settings::read(&settings::variable, service.default_port)
}

fn start_log(settings: &Settings) {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(settings.log_level)
        .init();
}

fn listen(
    service: &Service,
    settings: &Settings,
    app: Router,
    lifecycle: Lifecycle,
) -> Result<(), String> {
    // One thread is what a Fargate task of a quarter to one vCPU has.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let ended = runtime.block_on(async {
        // Before the port opens: whoever can reach the service can also stop it gracefully.
        let signals = Signals::install().map_err(|error| format!("no signal handlers: {error}"))?;
        let address = settings.address;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        tracing::info!(
            service = service.name,
            version = service.version,
            commit = settings.commit,
            address = %address,
            "listening"
        );
        serve(listener, app, lifecycle, signals, settings.grace)
            .await
            .map_err(|error| error.to_string())
    });
    // A name look-up that hangs in the resolver's thread must not hold the exit.
    runtime.shutdown_background();
    ended
}

fn help(service: &Service) -> String {
    format!(
        "{name} {version}\n\n\
         Usage: {name}          serve until SIGTERM\n       \
                {name} probe    exit 0 if the service on this machine's port is up, else 1\n       \
                {name} get URL  print the answer of another service; exit 0 if it is a 2xx, else 1\n\n\
         Environment:\n  \
           PORT                    port to listen on [default: {port}]\n  \
           HOST                    IP address to listen on [default: 0.0.0.0]\n\
         {own}  \
           LOG_LEVEL               off, error, warn, info, debug or trace [default: info]\n  \
           SHUTDOWN_GRACE_SECONDS  longest time from SIGTERM to the exit [default: 25]\n  \
           APP_COMMIT              the deployed commit, for logs and reports [default: unknown]\n",
        name = service.name,
        version = service.version,
        port = service.default_port,
        own = service.settings_help,
    )
}

fn shown(url: &str) -> Result<(), String> {
    let answer = get::get(url, &|name| std::env::var(name).ok())?;
    write(&answer)?;
    if get::is_success(&answer) {
        Ok(())
    } else {
        Err(format!("{url}: the answer is no 2xx"))
    }
}

fn print(text: &str) -> Result<(), String> {
    write(text.as_bytes())
}

fn write(bytes: &[u8]) -> Result<(), String> {
    io::stdout()
        .write_all(bytes)
        .map_err(|error| format!("cannot write to standard output: {error}"))
}

fn complain(service: &Service, what: &str) {
    // Nothing is left to report to where standard error is closed: the exit code must do.
    let _ = writeln!(io::stderr(), "{}: {what}", service.name);
}
