//! Requests to stop: Ctrl-C and SIGTERM.

use std::io;

use tokio::sync::mpsc::UnboundedReceiver;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    /// SIGTERM, as a CI system sends when a job is cancelled.
    Terminate,
}

/// The requests that come from now on. While it lives, neither signal ends the process by itself.
#[derive(Debug)]
pub struct Signals(Source);

#[derive(Debug)]
enum Source {
    #[cfg(unix)]
    System {
        interrupt: tokio::signal::unix::Signal,
        terminate: tokio::signal::unix::Signal,
    },
    #[cfg(not(unix))]
    System,
    Given(UnboundedReceiver<Signal>),
}

impl Signals {
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            Ok(Self(Source::System { interrupt, terminate }))
        }
        #[cfg(not(unix))]
        Ok(Self(Source::System))
    }

    /// Requests of somebody else than the operating system.
    pub fn given(requests: UnboundedReceiver<Signal>) -> Self {
        Self(Source::Given(requests))
    }

    /// Waits for the next request. Dropping the future loses none.
    pub async fn next(&mut self) -> Signal {
        match &mut self.0 {
            #[cfg(unix)]
            Source::System { interrupt, terminate } => tokio::select! {
                biased;
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
            },
            #[cfg(not(unix))]
            Source::System => match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            },
            Source::Given(requests) => match requests.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            },
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
