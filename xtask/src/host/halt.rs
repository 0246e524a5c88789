//! A request to stop, from the signal handler to the code that can stop in good order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Whether a stop was asked for. Clones share the same request.
#[derive(Clone, Debug)]
pub struct Halt {
    asked: watch::Receiver<bool>,
    heeded: Arc<AtomicBool>,
}

#[derive(Debug)]
pub struct Switch {
    asked: watch::Sender<bool>,
    heeded: Arc<AtomicBool>,
}

impl Halt {
    /// A request that was not made yet, and the switch that makes it.
    pub fn new() -> (Switch, Self) {
        let (sender, receiver) = watch::channel(false);
        let heeded = Arc::new(AtomicBool::new(false));
        (Switch { asked: sender, heeded: heeded.clone() }, Self { asked: receiver, heeded })
    }

    /// Sets whether a request is acted on: otherwise the program can simply end.
    pub fn heed(&self, heeded: bool) {
        self.heeded.store(heeded, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until a stop is asked for.
    pub async fn wait(&self) {
        let mut asked = self.asked.clone();
        // The switch lives as long as the command; without it nobody will ever ask.
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Switch {
    /// Asks for a stop. Returns whether somebody acts on it: not when it was asked for before, and
    /// not when nobody acts on it.
    pub fn ask(&self) -> bool {
        self.heeded.load(Ordering::Relaxed) && !self.asked.send_replace(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_request_is_not_swallowed_by_the_first() {
        let (switch, halt) = Halt::new();
        assert!(!switch.ask(), "nobody heeds it yet");
        assert!(!halt.asked());
        halt.heed(true);
        assert!(switch.ask());
        assert!(halt.asked());
        assert!(!switch.ask());
    }
}
