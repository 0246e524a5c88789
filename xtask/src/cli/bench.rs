//! `cargo xtask bench`: what a deploy costs, in calls, in waiting and in CPU time.
//!
//! Calls and waiting are those of stories on virtual time, where a call takes 50 ms: they are the same on every machine. CPU time and
//! memory are of this machine, of deploys to the embedded cloud that change nothing.

use std::time::Duration;

use deploy::event::ExitCode;

use super::Failure;
use crate::host::{Daemon, Host, Program, Usage, Workspace};
use crate::report::print_result;

const STORIES: &str =
    "test --quiet --locked --profile xtask -p xtask --test stories figures:: -- --nocapture --test-threads 1";
const DEPLOY: [&str; 6] = ["deploy", "--yes", "--env", "local", "--output", "json"];
/// Deploys that are measured. Another one comes before them, which may have something to do.
const DEPLOYS: u32 = 3;

pub(super) async fn run(host: &Host) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let tool = Daemon::own_program().map_err(|error| Failure::from_error(&error))?;
    let deploy = Program::new(tool, &DEPLOY).in_dir(&workspace.root);
    let deploy = async || {
        let output = host.shell.capture(&deploy).await.map_err(|error| Failure::from_error(&error))?;
        let failed = || Failure::usage("the deploy to the embedded cloud failed").exit(ExitCode::Failed);
        let failed = || failed().hint("run `cargo xtask deploy` and see why");
        output.exit.success().then_some(()).ok_or_else(failed)
    };
    deploy().await?;
    // Before the stories: of all children together only the largest memory is known, and a compiler has more.
    let (mark, before) = (host.clock.mark(), Usage::children());
    for _ in 0..DEPLOYS {
        deploy().await?;
    }
    let wall = mark.elapsed() / DEPLOYS;
    if let Some((before, after)) = before.zip(Usage::children()) {
        let (cpu, memory) = ((after.cpu - before.cpu) / DEPLOYS, after.memory_mib);
        let secs = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        print_result(&format!(
            "this file on the embedded cloud, nothing changes: {}, {} of CPU time, {memory} MiB",
            secs(wall),
            secs(cpu)
        ));
    }
    let stories: Vec<&str> = STORIES.split(' ').collect();
    let stories = Program::new("cargo", &stories).in_dir(&workspace.root).env("XTASK_BENCH", "1");
    let exit = host.shell.interactive(&stories).await.map_err(|error| Failure::from_error(&error))?;
    match exit.success() {
        true => Ok(ExitCode::Done),
        false => Err(Failure::usage("a figure is worse than it was").exit(ExitCode::Failed)),
    }
}
