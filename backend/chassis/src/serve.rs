//! Listening, and stopping without losing a request.
//!
//! ECS takes a task out of its target group first and sends SIGTERM after the deregistration delay; a Service
//! Connect client may still know the address by then. So the port stays open for a moment after SIGTERM while
//! readiness says OUT_OF_SERVICE, and closes only when nothing is in flight.
//!
//! Idle connections are never closed while serving: a balancer that reuses one at that moment answers 502, and
//! an Application Load Balancer keeps its connections for 60 s by default. `axum::serve` sets no idle timeout,
//! which is why it is used as it is.

use std::future::IntoFuture;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::Lifecycle;
use crate::http::observe;

/// The shortest time that the port stays open after SIGTERM: for connections that are made but not accepted yet,
/// and for clients that learn of the stop a moment late.
const LINGER: Duration = Duration::from_millis(500);

/// SIGTERM (ECS) and SIGINT (a person at a terminal).
#[derive(Debug)]
pub(crate) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// # Errors
    /// The handlers cannot be installed.
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        select! {
            biased;
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
        }
    }
}

/// Serves until a signal, then drains for at most `grace`; a second signal ends the wait.
///
/// # Errors
/// The listener failed for good.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    lifecycle: Lifecycle,
    mut signals: Signals,
    grace: Duration,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY is not set");
        }
    });
    let app = app.layer(from_fn_with_state(lifecycle.clone(), observe));
    let (close, closed) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        // An error means that the sender is gone, which is the end as well.
        let _ = closed.await;
    });
    select! {
        biased;
        ended = server.into_future() => {
            tracing::info!("stopped");
            ended
        }
        why = stop(&lifecycle, &mut signals, close, grace) => {
            tracing::warn!(in_flight = lifecycle.in_flight(), "stopped with connections open: {why}");
            Ok(())
        }
    }
}

/// Resolves only when connections are still open at the end of the grace time, with the reason.
async fn stop(
    lifecycle: &Lifecycle,
    signals: &mut Signals,
    close: oneshot::Sender<()>,
    grace: Duration,
) -> &'static str {
    let name = signals.next().await;
    lifecycle.drain();
    tracing::info!(signal = name, in_flight = lifecycle.in_flight(), "draining");
    let drained = async {
        // Half of the grace time is for the open port. Under a load that never pauses the other half finishes
        // what was accepted.
        let quiet = async {
            sleep(LINGER.min(grace / 4)).await;
            lifecycle.idle().await;
        };
        let _ = timeout(grace / 2, quiet).await;
        let _ = close.send(());
    };
    let over = async { tokio::join!(sleep(grace), drained) };
    select! {
        biased;
        _ = over => "the grace time is over",
        _ = signals.next() => "a second signal",
    }
}
