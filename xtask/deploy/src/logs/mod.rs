//! What tasks print, as `cargo xtask logs` shows it: lines, and what became of the tasks that print them.

mod structured;

pub use structured::{Level, Structured, structured};

use serde::Serialize;

use crate::model::ServiceKey;

/// One line of the output of `logs`, for programs as it is and for people by [`crate::view::log_entry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Milliseconds since the Unix epoch, by the clock of whoever wrote it.
    pub at_ms: u64,
    pub service: ServiceKey,
    /// The id of the task; `None` where the entry is about the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(flatten)]
    pub what: LogEvent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum LogEvent {
    /// A container printed something. Secrets are masked.
    Line { container: String, message: String },
    /// A task came to RUNNING after `--follow` began.
    Started {
        /// `family:revision`.
        revision: String,
    },
    Stopped {
        /// `stopCode` and `stoppedReason`.
        reason: String,
        /// `backend exit code 1` for each container that ran.
        containers: Vec<String>,
    },
    /// The log could not be read. It is read again from the same place, so that no line is left out.
    Interrupted { error: String },
    /// The log could not be read, and is not read again.
    Unread { error: String },
}
