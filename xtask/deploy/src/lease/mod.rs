//! The lease that keeps two deploys of one environment apart: what its tag on the cluster says, and what that means.
//!
//! A tag has no compare-and-swap. Whoever wants the lease writes the tag, waits a little and reads it again: the last
//! writer holds it, and everybody else sees another id than their own. It ends at its expiry, so that a killed run holds
//! nobody up for longer than [`TTL_SECS`].

mod text;

pub use text::Illegible;

use std::fmt;

use serde::Serialize;

pub const TAG: &str = "deploy-lease";
/// How long a lease holds without being renewed, in seconds.
pub const TTL_SECS: u64 = 180;
/// How often it is renewed, in seconds: two renewals may fail before it ends.
pub const RENEW_SECS: u64 = 60;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Holder {
    /// `user@host`, or the user that started the run.
    pub owner: String,
    /// The run's page; `None` outside a workflow.
    pub run: Option<String>,
    /// The process on the owner's machine; `None` in a workflow, whose machines come and go.
    pub process: Option<u32>,
}

/// A lease, as its tag has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Lease {
    /// Distinguishes this acquisition from every other.
    pub id: String,
    /// Until when it holds, in seconds since the Unix epoch.
    pub until: u64,
    /// The release that it is for.
    pub release: String,
    pub holder: Holder,
    /// From whom it was taken over, and why; `None` when it was free.
    pub taken: Option<String>,
}

impl Lease {
    /// Who deploys what, and for how long that is known. `now` is in seconds since the Unix epoch.
    pub fn sentence(&self, now: u64) -> String {
        let Self { holder, release, until, .. } = self;
        match until.checked_sub(now) {
            Some(left @ 1..) => {
                format!(
                    "being deployed by {holder}, release {release}; the lease holds for {left} s, and longer while that run lives"
                )
            }
            _ => {
                let ago = now.saturating_sub(*until);
                format!(
                    "the lease of {holder}, release {release}, expired {ago} s ago and was not given back"
                )
            }
        }
    }
}

/// State of the lease tag, as someone who wants the lease sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagState {
    Free,
    /// It was ours: an earlier run of the same workflow run, or of a process of this machine that is gone.
    Ours(Lease),
    Held(Lease),
    /// Somebody had it and neither renewed nor gave it back.
    Expired(Lease),
    /// The tag's text is not a lease: who has it, and until when, is unknown.
    Illegible(String),
}

/// Judges a tag. `now` is in seconds since the Unix epoch; `alive` returns whether a process of this machine exists.
pub fn judge(now: u64, tag: Option<&str>, mine: &Holder, alive: impl FnOnce(u32) -> bool) -> TagState {
    let Some(text) = tag else { return TagState::Free };
    let Ok(lease) = text.parse::<Lease>() else { return TagState::Illegible(text.to_owned()) };
    if lease.until <= now {
        return TagState::Expired(lease);
    }
    // Names are compared as the tag can hold them.
    let theirs = &lease.holder;
    let mine = text::legible(mine);
    let same = mine.owner == theirs.owner && mine.run == theirs.run;
    let gone = match (theirs.process, mine.process) {
        (Some(theirs), Some(mine)) => theirs == mine || !alive(theirs),
        // A job that is run again has the same run, and the machine of the attempt before is gone.
        (None, None) => mine.run.is_some(),
        _ => false,
    };
    if same && gone { TagState::Ours(lease) } else { TagState::Held(lease) }
}

impl fmt::Display for Holder {
    /// `ann@laptop`, or `octocat in https://…/runs/42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.run {
            Some(run) => write!(f, "{} in {run}", self.owner),
            None => f.write_str(&self.owner),
        }
    }
}

#[cfg(test)]
mod tests;
