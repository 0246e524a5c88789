//! `cargo xtask swarm`: random releases on virtual time, until something is found that is not true.
//!
//! They are a test of `xtask/tests/stories`, where the stage of a story is; this verb only passes the limits on.

use deploy::event::ExitCode;

use super::Failure;
use super::args::Swarm;
use crate::host::{Host, Program, Workspace};

const TEST: [&str; 7] = [
    "-p",
    "xtask",
    "--test",
    "stories",
    "swarm::what_is_reported_is_true_whatever_happens",
    "--",
    "--nocapture",
];

pub(super) async fn run(host: &Host, asked: &Swarm) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let profile = if asked.optimised { "swarm" } else { "xtask" };
    let args = [&["test", "--quiet", "--locked", "--profile", profile][..], &TEST].concat();
    let mut program = Program::new("cargo", &args).in_dir(&workspace.root).env("RUST_BACKTRACE", "0");
    let (from, runs) = asked.seed.map_or((asked.from, asked.runs), |seed| (seed, Some(1)));
    let limits = [("FROM", Some(from)), ("RUNS", runs), ("SECONDS", asked.seconds)];
    for (name, value) in limits.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        program = program.env(&format!("XTASK_SWARM_{name}"), &value.to_string());
    }
    let exit = host.shell.interactive(&program).await.map_err(|error| Failure::from_error(&error))?;
    if exit.success() {
        return Ok(ExitCode::Done);
    }
    Err(Failure::usage("the swarm found something").exit(ExitCode::Failed))
}
