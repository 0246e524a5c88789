//! A session of ExecuteCommand.

use crate::clock::Millis;
use crate::workload::Exec;

/// How long a session waits for the client that asked for it, in seconds.
pub(in crate::ecs) const UNOPENED: u64 = 60;

/// A session that was asked for.
#[derive(Debug)]
pub(in crate::ecs) struct Session {
    /// What the client opens the data channel with; it does so once.
    pub(in crate::ecs) token: Option<String>,
    pub(in crate::ecs) opened: bool,
    pub(in crate::ecs) made_at: Millis,
    pub(in crate::ecs) exec: Exec,
    pub(in crate::ecs) command: String,
}
