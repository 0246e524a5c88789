//! `cargo xtask ci`: everything that must hold before a change lands. The README calls it the test command.

use deploy::event::ExitCode;

use super::Failure;
use crate::host::{Host, Program, Workspace};
use crate::report::print_result;

/// The tool and the application are checked apart: together, Cargo would unify their features and compile
/// the AWS SDK a second time.
const TOOL: [&str; 6] = ["-p", "xtask", "-p", "deploy", "-p", "sim"];
const APPLICATION: [&str; 4] = ["-p", "backend", "-p", "frontend"];
/// The profile of `cargo xtask` itself, so that its dependencies are compiled once.
const PROFILE: [&str; 3] = ["--profile", "xtask", "--locked"];

pub(super) async fn run(host: &Host) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let deny: &[&str] = &["--all-targets", "--", "-D", "warnings"];
    let checks: [(&str, Vec<&str>); 5] = [
        ("format", vec!["fmt", "--all", "--check"]),
        ("lints of the tool", [&["clippy"][..], &PROFILE, &TOOL, deny].concat()),
        ("lints of the application", [&["clippy"][..], &PROFILE, &APPLICATION, deny].concat()),
        ("tests of the tool, schema and documents", [&["test"][..], &PROFILE, &TOOL].concat()),
        ("tests of the application", [&["test"][..], &PROFILE, &APPLICATION].concat()),
    ];
    let mut failed = Vec::new();
    for (name, args) in checks {
        print_result(&format!("ci: {name}: cargo {}", args.join(" ")));
        let mark = host.clock.mark();
        let program = Program::new("cargo", &args).in_dir(&workspace.root);
        let exit = host.shell.interactive(&program).await.map_err(|error| Failure::from_error(&error))?;
        let verdict = if exit.success() { "ok" } else { "FAILED" };
        print_result(&format!("ci: {name}: {verdict} in {}", deploy::view::duration(mark.elapsed_ms())));
        if !exit.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        print_result("ci: all checks passed");
        return Ok(ExitCode::Done);
    }
    Err(Failure::usage(format!("failed: {}", failed.join(", "))).exit(ExitCode::Failed))
}
