//! Runs cargo and reads back what it built.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use deploy::model::Architecture;

use super::invocation::{invocation, target};
use super::messages::{self, Executable, Unclear};
use super::toolchain;
use crate::host::{Host, ProcessError, Stream};

/// Lines of the compiler that are kept for the report of a failure: enough for the last few diagnostics, since
/// the end of the build says how many there are.
const KEPT_LINES: usize = 60;

/// Why there are no executables.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// cargo or the compiler cannot be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A path that cargo's variables cannot carry.
    #[error("the workspace's path is not Unicode: {0:?}")]
    Path(std::path::PathBuf),
    /// The source does not compile, or the target is not there.
    #[error("{package} did not compile for {target}:\n{diagnostics}")]
    Compile {
        package: String,
        target: &'static str,
        /// The compiler's last lines, as it printed them.
        diagnostics: String,
        /// What to do, when the lines say it.
        hint: Option<String>,
    },
    /// cargo succeeded, but it is not clear what it built.
    #[error(transparent)]
    Unclear(#[from] Unclear),
}

/// Compiles `package` for `architecture`; what is up to date is not compiled again.
///
/// One package at a time: cargo unites the features of what it builds together, so that another service of the file would
/// change this one's bytes, and roll it, by coming or going.
pub(in crate::image) async fn compile(
    host: &Host,
    workspace: &Path,
    architecture: Architecture,
    package: &str,
    on_line: &(dyn Fn(&str) + Sync),
) -> Result<BTreeMap<String, Executable>, Failure> {
    let root = workspace.to_str().ok_or_else(|| Failure::Path(workspace.to_owned()))?;
    let places = toolchain::places(host, root).await?;
    // Set by the cargo that runs the tool: the same toolchain then compiles the images.
    let cargo = host.env.get("CARGO").unwrap_or("cargo");
    let variables = host.env.iter().map(|(name, _)| name);
    let program = invocation(cargo, &places, architecture, package, variables);
    let mut messages = String::new();
    let mut last: VecDeque<String> = VecDeque::new();
    let exit = host.shell.stream(&program, |stream, line| match stream {
        Stream::Stdout => {
            messages.push_str(line);
            messages.push('\n');
        }
        Stream::Stderr => {
            on_line(line);
            if last.len() == KEPT_LINES {
                last.pop_front();
            }
            last.push_back(line.to_owned());
        }
    });
    if exit.await?.success() {
        return Ok(messages::executables(&messages, [package])?);
    }
    let diagnostics = Vec::from(last).join("\n");
    let target = target(architecture, &places.host);
    let hint = hint(&diagnostics, target);
    Err(Failure::Compile { package: package.to_owned(), target, hint, diagnostics })
}

/// What is missing on this machine, where the compiler's words show it: these texts are rustc's, cargo's and the
/// linkers', and no other sign of the cause exists.
fn hint(diagnostics: &str, target: &str) -> Option<String> {
    let says = |texts: &[&str]| texts.iter().any(|text| diagnostics.contains(text));
    if says(&["target may not be installed", "can't find crate for `std`", "can't find crate for `core`"]) {
        return Some(format!("the compiler lacks the target: run `rustup target add {target}`"));
    }
    if says(&["cannot find -lc", "unable to find library -lc", "cannot find -lpthread"]) {
        let package = "Debian and Ubuntu have it in libc6-dev, Fedora in glibc-static";
        return Some(format!("static linking needs the C library as an archive (libc.a): {package}"));
    }
    if says(&["linker `rust-lld` not found"]) {
        return Some(
            "this compiler comes without rust-lld: use a toolchain of rustup, which has it".to_owned(),
        );
    }
    // The crate `cc`, which compiles the C code of dependencies, looks for a compiler by the target's name.
    if target.ends_with("-musl") && says(&["error occurred in cc-rs", "ToolNotFound", "linux-musl-gcc"]) {
        let variable = format!("CC_{}", target.replace('-', "_"));
        return Some(format!(
            "a dependency holds C code, which Rust's own linker does not compile: leave it out, or name a C compiler \
             for {target} in {variable}; a Dockerfile builds it too"
        ));
    }
    if says(&["linker `", "linking with `"]) {
        return Some(
            "linking needs a C toolchain: Debian and Ubuntu have it in gcc, Fedora in gcc".to_owned(),
        );
    }
    if says(&["--locked was passed", "needs to be updated but --locked"]) {
        return Some(
            "Cargo.lock does not fit Cargo.toml: run `cargo check` and commit Cargo.lock".to_owned(),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_on_this_machine_is_named() {
        let (native, musl) = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-musl");
        let table = [
            (
                musl,
                "error[E0463]: can't find crate for `core`\n  = note: the `aarch64-unknown-linux-musl` target may not be installed",
                Some("rustup target add aarch64-unknown-linux-musl"),
            ),
            (native, "/usr/bin/ld: cannot find -lc: No such file or directory", Some("libc.a")),
            (native, "error: linker `cc` not found", Some("C toolchain")),
            (musl, "error: linker `rust-lld` not found", Some("rustup")),
            (
                musl,
                "error occurred in cc-rs: failed to find tool \"aarch64-linux-musl-gcc\"",
                Some("CC_aarch64_unknown_linux_musl"),
            ),
            (
                native,
                "error: the lock file /w/Cargo.lock needs to be updated but --locked was passed",
                Some("commit Cargo.lock"),
            ),
            (native, "error[E0308]: mismatched types", None),
        ];
        for (target, diagnostics, expected) in table {
            let hint = hint(diagnostics, target);
            match expected {
                Some(part) => assert!(
                    hint.as_deref().is_some_and(|hint| hint.contains(part)),
                    "{diagnostics}: {hint:?}"
                ),
                None => assert_eq!(hint, None),
            }
        }
    }
}
