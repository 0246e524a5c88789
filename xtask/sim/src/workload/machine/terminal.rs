//! A command on a terminal of this machine, for a session of ECS Exec.

use std::future::Future;
use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use pty_process::{Command, Pty, Size};
use rustix::process::{Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::select;
use tokio::time::timeout;

use super::processes::{Leftovers, group};
use crate::session::CHUNK;
use crate::workload::terminal::{Line, Terminal, Typed, terminal};

/// What a command that has ended may still have printed; one that it left behind may keep the terminal open.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Between the hangup of a terminal and SIGKILL.
const HANGUP: Duration = Duration::from_millis(500);

/// Starts a command, which lasts until it ends, `ended` resolves, or the terminal is dropped. `first` is printed before it, it
/// is noted in `leftovers`, and `clear` removes what it left behind.
pub(super) fn start(
    command: Command,
    first: Option<String>,
    leftovers: Option<Arc<Leftovers>>,
    ended: impl Future<Output = ()> + Send + 'static,
    clear: impl Future<Output = ()> + Send + 'static,
) -> Result<Terminal> {
    let (pty, pts) = pty_process::open().map_err(from_pty)?;
    pty.resize(Size::new(24, 80)).map_err(from_pty)?;
    let child = command.kill_on_drop(true).spawn(pts).map_err(from_pty)?;
    if let (Some(leftovers), Some(pid)) = (&leftovers, child.id()) {
        leftovers.note(pid)?;
    }
    let (here, line) = terminal();
    if let Some(first) = first {
        // There is room: nothing was printed yet.
        let _ = line.output.try_send(first.into_bytes());
    }
    tokio::spawn(attend(pty, child, line, leftovers, ended, clear));
    Ok(here)
}

fn from_pty(error: pty_process::Error) -> std::io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        other => std::io::Error::other(other),
    }
}

async fn attend(
    pty: Pty,
    mut child: Child,
    line: Line,
    leftovers: Option<Arc<Leftovers>>,
    ended: impl Future<Output = ()> + Send,
    clear: impl Future<Output = ()> + Send,
) {
    let pid = child.id();
    let Line { mut input, output } = line;
    let (mut reader, mut writer) = pty.into_split();
    {
        let read = async move {
            let mut piece = [0; CHUNK];
            // Linux says EIO once nobody has the terminal open.
            while let Ok(length @ 1..) = reader.read(&mut piece).await {
                if output.send(piece[..length].to_vec()).await.is_err() {
                    return;
                }
            }
        };
        let write = async {
            while let Some(typed) = input.recv().await {
                // A command that takes no more has ended, which the others find out.
                let _ = match typed {
                    Typed::Bytes(bytes) => writer.write_all(&bytes).await,
                    Typed::Size { cols, rows } => writer.resize(Size::new(rows, cols)).map_err(from_pty),
                };
            }
        };
        let mut read = std::pin::pin!(read);
        select! {
            () = read.as_mut() => {}
            _ = child.wait() => {
                // It may be longer than the client has patience, and is cut off then.
                let _ = timeout(LAST_WORDS, read).await;
            }
            () = write => {}
            () = ended => {}
        }
    }
    drop(writer);
    if let Some(group) = pid.and_then(group) {
        // A group in which nothing is left needs no signal.
        let _ = kill_process_group(group, Signal::HUP);
        let _ = timeout(HANGUP, child.wait()).await;
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait().await;
    }
    clear.await;
    // A note that stays names a process that is gone: the next start of a cloud finds that out.
    let _ = pid.zip(leftovers).map(|(pid, leftovers)| leftovers.forget(pid));
}
