//! What the compiler says of itself, and where this machine keeps sources: all that could show in a binary.

use std::path::{Path, PathBuf};

use crate::host::{Host, ProcessError, Program};

use super::invocation::Places;

/// Asks the compiler, and looks where cargo keeps sources.
pub(super) async fn places(host: &Host, workspace: &str) -> Result<Places, ProcessError> {
    // What cargo itself would call.
    let rustc = host.env.get("RUSTC").unwrap_or("rustc");
    let ask = async |args: &[&str]| said(host, &Program::new(rustc, args).in_dir(workspace)).await;
    let (version, sysroot) = futures_util::try_join!(ask(&["-vV"]), ask(&["--print", "sysroot"]))?;
    let cargo_home = cargo_home(host);
    Ok(Places {
        workspace: workspace.to_owned(),
        registries: cargo_home.as_deref().map(registries).unwrap_or_default(),
        cargo_home: cargo_home.and_then(|home| home.to_str().map(str::to_owned)),
        sysroot: sysroot.trim().to_owned(),
        host: line(&version, "host: ").unwrap_or_default().to_owned(),
        // A compiler that was built from an archive has no commit, and its standard library's paths say so too.
        compiler_commit: line(&version, "commit-hash: ").unwrap_or("unknown").to_owned(),
    })
}

async fn said(host: &Host, program: &Program) -> Result<String, ProcessError> {
    let output = host.shell.capture(program).await?;
    if output.exit.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let command = format!("{} {}", program.program.display(), program.args.join(" "));
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ProcessError::Failed { command, message })
}

/// What a line of `rustc -vV` says.
fn line<'v>(version: &'v str, name: &str) -> Option<&'v str> {
    version.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Cargo's own rule: `CARGO_HOME`, else `.cargo` in the home folder.
fn cargo_home(host: &Host) -> Option<PathBuf> {
    let own = host.env.get("CARGO_HOME").map(PathBuf::from);
    own.or_else(|| host.env.get("HOME").map(|home| Path::new(home).join(".cargo")))
}

fn registries(cargo_home: &Path) -> Vec<String> {
    // Absent before anything was ever fetched; then there is nothing to rename yet.
    let Ok(folders) = std::fs::read_dir(cargo_home.join("registry").join("src")) else { return Vec::new() };
    let mut found: Vec<String> =
        folders.filter_map(|folder| Some(folder.ok()?.path().to_str()?.to_owned())).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_commit_and_host_are_read_from_its_version() {
        let version =
            "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa\nhost: x\n";
        assert_eq!(line(version, "commit-hash: "), Some("59807616e1fa"));
        assert_eq!(line(version, "host: "), Some("x"));
        assert_eq!(line("rustc 1.95.0\nbinary: rustc\n", "commit-hash: "), None);
    }
}
