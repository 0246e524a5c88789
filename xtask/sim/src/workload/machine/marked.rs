//! The processes of a session, which inherit a variable with its id: found in `/proc`, whatever group or session they made
//! their own. Elsewhere than on Linux none is found.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

/// In the environment of a session's command.
pub(super) const VARIABLE: &str = "EMBEDDED_CLOUD_SESSION";

/// Between two looks: a process that was killed may have started another one before.
const LOOK: Duration = Duration::from_millis(20);
/// One that waits for a disk cannot be killed, and is not waited for.
const LOOKS: u32 = 100;

/// Kills what is left of a session.
pub(super) async fn kill(session: String) {
    let mark = format!("{VARIABLE}={session}");
    for _ in 0..LOOKS {
        let found = marked(&mark);
        if found.is_empty() {
            return;
        }
        for pid in found {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
        sleep(LOOK).await;
    }
}

/// A process that has ended has no environment any more, and neither has one of another user.
fn marked(mark: &str) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let has = |entry: &fs::DirEntry| {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    entries.filter(has).filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}
