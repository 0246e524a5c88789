//! `cargo xtask ci`: everything that must hold before a change lands. The README calls it the test command.

use deploy::event::ExitCode;

use super::Failure;
use crate::host::{Host, Program, Workspace};
use crate::report::print_result;

/// The tool's own packages. They and the others are checked apart: together, Cargo would unify their features and compile
/// the AWS SDK a second time.
const TOOL: [&str; 8] = ["-p", "xtask", "-p", "deploy", "-p", "sim", "-p", "fuzz"];
/// The profile of `cargo xtask` itself, so that its dependencies are compiled once.
const PROFILE: [&str; 3] = ["--profile", "xtask", "--locked"];
/// What the tests of xtask/tests/engines.rs push to; without it there are none.
const REGISTRY: &str = "docker-registry";
/// What `deny.toml` is checked with.
const DENY: &str = "cargo-deny";
/// What they build by. A test that needs one has it in its name.
const ENGINES: [&str; 3] = ["docker", "podman", "buildah"];

pub(super) async fn run(host: &Host) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let missing = missing(host).await;
    let deny: &[&str] = &["--all-targets", "--", "-D", "warnings"];
    let packages = workspace.packages(&host.shell).map_err(|error| Failure::from_error(&error))?;
    let others = packages.iter().map(|package| package.name.as_str()).filter(|name| !TOOL.contains(name));
    let others: Vec<_> = others.flat_map(|name| ["-p", name]).collect();
    let mut checks = vec![
        ("format", vec!["fmt", "--all", "--check"]),
        ("lints of the tool", [&["clippy"][..], &PROFILE, &TOOL, deny].concat()),
        ("tests of the tool", [&["test"][..], &PROFILE, &TOOL].concat()),
    ];
    // A repository whose applications are not written in Rust has the tool's packages only.
    if !others.is_empty() {
        checks.push(("lints of the other packages", [&["clippy"][..], &PROFILE, &others, deny].concat()));
        checks.push(("tests of the other packages", [&["test"][..], &PROFILE, &others].concat()));
    }
    if !missing.contains(&REGISTRY) {
        let only = ["--test", "engines", "--", "--ignored"];
        let skipped: Vec<_> = missing.iter().flat_map(|engine| ["--skip", *engine]).collect();
        let tests = [&["test"][..], &PROFILE, &TOOL, &only, &skipped].concat();
        checks.push(("tests with container engines", tests));
    }
    // A repository that the tool was copied to has no `deny.toml`, or one of its own.
    if workspace.root.join("deny.toml").is_file() && !missing.contains(&DENY) {
        checks.push(("dependencies", vec!["deny", "--offline", "check", "bans", "licenses", "sources"]));
        // Advisories are a repository on GitHub, which a machine without a network cannot fetch: that is no fault of the change.
        let fetched = host.shell.capture(&Program::new("cargo", &["deny", "fetch", "db"])).await;
        if fetched.is_ok_and(|output| output.exit.success()) {
            checks.push(("advisories", vec!["deny", "--offline", "check", "advisories"]));
        } else {
            print_result("ci: left out: advisories, whose database cannot be fetched here");
        }
    }
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
    if let Some(notice) = left_out(&missing) {
        print_result(&notice);
    }
    if failed.is_empty() {
        print_result("ci: all checks passed");
        return Ok(ExitCode::Done);
    }
    Err(Failure::usage(format!("failed: {}", failed.join(", "))).exit(ExitCode::Failed))
}

/// What tests are left out for: programs that are not installed, and a Docker whose daemon does not answer. Nothing in a
/// continuous integration job, where a test that cannot run has failed.
async fn missing(host: &Host) -> Vec<&'static str> {
    if host.terminal.ci {
        return Vec::new();
    }
    let mut missing = Vec::new();
    for program in [DENY, REGISTRY].into_iter().chain(ENGINES) {
        let usable = match program {
            // With nothing but `--version` a client answers that has no daemon.
            "docker" => {
                let asked = host.shell.capture(&Program::new(program, &["version"])).await;
                asked.is_ok_and(|output| output.exit.success())
            }
            _ => host.shell.find(program).is_some(),
        };
        if !usable {
            missing.push(program);
        }
    }
    missing
}

/// The sentence about what did not run for lack of these.
fn left_out(missing: &[&str]) -> Option<String> {
    let engines: Vec<_> = missing.iter().copied().filter(|program| *program != DENY).collect();
    let mut which = Vec::new();
    if engines.len() < missing.len() {
        which.push("the check of dependencies (deny.toml)".to_owned());
    }
    if engines.contains(&REGISTRY) {
        which.push("all tests with container engines (xtask/tests/engines.rs)".to_owned());
    } else if !engines.is_empty() {
        which.push(format!("tests with {} (xtask/tests/engines.rs)", engines.join(" and ")));
    }
    let start = if missing.contains(&"docker") { ", and start Docker" } else { "" };
    (!which.is_empty()).then(|| {
        format!(
            "ci: left out: {}; to have them run, install {}{start}",
            which.join(" and "),
            missing.join(" and ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_run_is_not_passed_over_in_silence() {
        assert_eq!(left_out(&[]), None);
        let table: [(&[&str], &str); 4] = [
            (
                &["cargo-deny", "podman"],
                "ci: left out: the check of dependencies (deny.toml) and tests with podman (xtask/tests/engines.rs); to \
                 have them run, install cargo-deny and podman",
            ),
            (
                &["docker-registry"],
                "ci: left out: all tests with container engines (xtask/tests/engines.rs); to have them run, install \
                 docker-registry",
            ),
            (
                &["podman", "buildah"],
                "ci: left out: tests with podman and buildah (xtask/tests/engines.rs); to have them run, install podman \
                 and buildah",
            ),
            (
                &["docker"],
                "ci: left out: tests with docker (xtask/tests/engines.rs); to have them run, install docker, and start \
                 Docker",
            ),
        ];
        for (missing, notice) in table {
            assert_eq!(left_out(missing).as_deref(), Some(notice));
        }
    }
}
