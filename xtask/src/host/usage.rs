//! What processes have used.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// On all cores, in user and kernel mode.
    pub cpu: Duration,
    /// The most memory that one process has held.
    pub memory_mib: u64,
}

impl Usage {
    /// Of this process since its start; `None` where the system does not say.
    pub fn own() -> Option<Self> {
        Self::of(UsageWho::RUSAGE_SELF)
    }

    /// The processes that this one has started and that have ended, with theirs.
    pub fn children() -> Option<Self> {
        Self::of(UsageWho::RUSAGE_CHILDREN)
    }

    fn of(who: UsageWho) -> Option<Self> {
        let usage = getrusage(who).ok()?;
        let cpu = (usage.user_time() + usage.system_time()).num_microseconds();
        // Linux counts in KiB, macOS in bytes (getrusage(2)).
        let unit = if super::SYSTEM == "macos" { 1 << 20 } else { 1 << 10 };
        Some(Self {
            cpu: Duration::from_micros(u64::try_from(cpu).unwrap_or(0)),
            memory_mib: u64::try_from(usage.max_rss()).unwrap_or(0) / unit,
        })
    }
}
