//! Whether the process is on its way out, and how many requests it is answering.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by the server, which drains, and the readiness check, which reports it. Clones are the same object.
#[derive(Debug, Clone)]
pub struct Lifecycle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    draining: watch::Sender<bool>,
    in_flight: watch::Sender<usize>,
}

impl Lifecycle {
    /// A process that serves and has nothing in flight.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a second one by accident would never drain"
    )]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            draining: watch::Sender::new(false),
            in_flight: watch::Sender::new(0),
        }))
    }

    /// SIGTERM has arrived: requests are still answered, but a balancer should send no new ones.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.0.draining.borrow()
    }

    /// From now on [`is_draining`](Self::is_draining) holds; there is no way back.
    pub fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    /// Counts a request for as long as the value lives: also one whose client has gone away.
    pub(crate) fn enter(&self) -> InFlight {
        self.0.in_flight.send_modify(|count| *count += 1);
        InFlight(self.clone())
    }

    pub(crate) fn in_flight(&self) -> usize {
        *self.0.in_flight.borrow()
    }

    /// Resolves at a moment with no request in flight.
    pub(crate) async fn idle(&self) {
        // The sender lives in `self`, so the channel cannot be closed while this waits.
        let _ = self
            .0
            .in_flight
            .subscribe()
            .wait_for(|count| *count == 0)
            .await;
    }
}

#[derive(Debug)]
pub(crate) struct InFlight(Lifecycle);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.send_modify(|count| *count -= 1);
    }
}
