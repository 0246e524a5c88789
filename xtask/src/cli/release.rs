//! A new release: its id, its commit, who releases it, and whether it comes after what runs.

use std::time::{Duration, UNIX_EPOCH};

use deploy::lease::Holder;
use deploy::model::Release;

use super::args;
use super::session::Settings;
use crate::host::{Actor, Daemon, Git, Host, Workspace};
use crate::release::{Claim, Planned};

/// A release without its images yet, and what is missing in it for want of a commit. Its id sorts by time
/// and names the commit: `20261123-080012-3f2a9c1`.
pub(super) fn begin(host: &Host, settings: &Settings) -> (Release, Option<String>) {
    let git = Git::facts(&host.shell, &settings.workspace.root);
    let lacks = git.unknown.map(|why| {
        format!("the release names no commit, and nothing keeps it from replacing a newer one: {why}")
    });
    let actor = Actor::system(&host.env, &host.shell);
    let now = UNIX_EPOCH + Duration::from_millis(host.clock.now_ms());
    let digits: String =
        humantime::format_rfc3339_seconds(now).to_string().chars().filter(char::is_ascii_digit).collect();
    let (date, time) = digits.split_at(8.min(digits.len()));
    let commit = git.commit.as_deref().and_then(|commit| commit.get(..7)).unwrap_or("nocommit");
    let release = Release {
        id: format!("{date}-{time}-{commit}"),
        commit: git.commit,
        committed: git.committed,
        dirty: git.dirty,
        actor: actor.run_url.unwrap_or(actor.name),
        ..Release::default()
    };
    (release, lacks)
}

/// Who deploys. A workflow run is known by its page; its machine, and so its process, is gone when it is run again.
pub(super) fn claim(host: &Host, asked: &args::Lease) -> Claim {
    let Actor { name, run_url } = Actor::system(&host.env, &host.shell);
    let process = run_url.is_none().then(|| Daemon::own().pid);
    Claim { holder: Holder { owner: name, run: run_url, process }, take: asked.take_lease.clone() }
}

/// Refuses the plan when what runs is of a newer commit.
pub(super) fn refuse_older(host: &Host, workspace: &Workspace, planned: &mut Planned) {
    let ours = planned.desired.release.commit.clone().unwrap_or_default();
    let base = |theirs: &str| Git::merge_base(&host.shell, &workspace.root, &ours, theirs);
    deploy::plan::refuse_older(&mut planned.plan, &planned.desired, &planned.observed, base);
}
