//! The evidence folder: where it goes, and when it is written.

use std::path::{Path, PathBuf};

use deploy::event::{Event, ExitCode, Kind};
use deploy::evidence::{RECORD, files, plain};

use super::args::{Global, Verb};
use super::failure::Failure;
use crate::host::{Folder, Host, Workspace};
use crate::report::Recorder;

/// Refuses a verb that leaves no evidence, and a folder that somebody else uses: it would be replaced.
pub(super) fn check(global: &Global, verb: &Verb) -> Result<(), Failure> {
    let Some(path) = &global.evidence else { return Ok(()) };
    if verb.only_looks() {
        return Err(Failure::usage("--evidence: this verb changes nothing and keeps no evidence"));
    }
    if (Folder { path: path.clone() }).is_free(RECORD) {
        return Ok(());
    }
    let text = format!("--evidence: {} is neither empty nor an evidence folder", path.display());
    Err(Failure::usage(text).hint("choose a folder that does not exist yet"))
}

/// Keeps the evidence where `--evidence` says, and after a failure in any case; prints where, or why not. `ended` is the
/// command's last event, which is yet to come.
pub(super) fn keep(host: &Host, global: &Global, events: &Recorder, exit: ExitCode, ended: &Kind) {
    let record = events.events();
    // Left moving as it was asked, and not at a deadline: no verdict was given.
    let left = exit == ExitCode::StillMoving && !record.iter().any(|event| is_bad(&event.kind));
    // Stopped before anything was written: there is nothing to look into.
    let unbegun = exit == ExitCode::Interrupted && events.calls().1 == 0;
    let failed =
        !left && !unbegun && !matches!(exit, ExitCode::Done | ExitCode::ChangesPending | ExitCode::Usage);
    let path = match &global.evidence {
        Some(path) => path.clone(),
        None if failed => match in_target(host, &record) {
            Ok(path) => path,
            Err(failure) => return warn(events, &failure.error),
        },
        None => return,
    };
    let kept = Kind::EvidenceKept { folder: shown(host, &path) };
    let mut all = record;
    for kind in [kept.clone(), ended.clone()] {
        all.push(Event { seq: all.len() as u64 + 1, at_ms: events.elapsed_ms(), kind });
    }
    match (Folder { path }).replace(&files(&all, &events.records())) {
        Ok(()) => events.emit(kept),
        Err(error) => warn(events, &error.to_string()),
    }
}

fn is_bad(kind: &Kind) -> bool {
    matches!(kind, Kind::Settled { verdict, .. } if !verdict.outcome.is_success())
}

/// The folder as it is shown: from the top of the workspace, where it is in there.
fn shown(host: &Host, path: &Path) -> String {
    let root = Workspace::find(&host.env).map(|workspace| workspace.root).unwrap_or_default();
    path.strip_prefix(&root).unwrap_or(path).display().to_string()
}

/// `target/evidence/` and the release's id, with the verb where that is not `deploy`.
fn in_target(host: &Host, record: &[Event]) -> Result<PathBuf, Failure> {
    let workspace = Workspace::find(&host.env).map_err(|error| Failure::from_error(&error))?;
    let name = record.iter().find_map(|event| match &event.kind {
        // Who only waits for a release does not replace what its own run left.
        Kind::Began { command, release: Some(release), .. } if command == "deploy" => Some(release.clone()),
        Kind::Began { command, release: Some(release), .. } => Some(format!("{release}-{command}")),
        Kind::Began { command, release: None, .. } => Some(command.clone()),
        _ => None,
    });
    let name = name.unwrap_or_else(|| "command".to_owned());
    Ok(workspace.root.join("target").join("evidence").join(plain(&name)))
}

fn warn(events: &Recorder, error: &str) {
    events.emit(Kind::Warned { text: format!("the evidence could not be written: {error}") });
}
