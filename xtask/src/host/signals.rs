//! Requests to stop: Ctrl-C and SIGTERM.

use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    /// SIGTERM, as a CI system sends when a job is cancelled.
    Terminate,
}

/// The requests that come from now on. While it lives, neither signal ends the process by itself.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next request. Dropping the future loses none.
    pub async fn next(&mut self) -> Signal {
        #[cfg(unix)]
        {
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.terminate.recv() => Signal::Terminate,
            }
        }
        #[cfg(not(unix))]
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Changes of the terminal's size.
#[derive(Debug)]
pub struct Resizes {
    #[cfg(unix)]
    changed: tokio::signal::unix::Signal,
}

impl Resizes {
    /// # Errors
    /// When the operating system refuses the handler.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { changed: signal(SignalKind::window_change())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next change. Dropping the future loses none.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if self.changed.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::host::Daemon;

    #[tokio::test]
    async fn a_cancelled_job_gets_a_signal_and_is_not_killed() {
        let mut signals = Signals::listen().unwrap();
        Daemon { pid: std::process::id() }.terminate().unwrap();
        assert_eq!(signals.next().await, Signal::Terminate);
    }
}
