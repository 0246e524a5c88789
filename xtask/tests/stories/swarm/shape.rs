//! What the services of a case are, beside how they roll: workers, and services without tasks.
//!
//! Each is drawn from a stream of its own, so that another of them changes no other seed.

use deploy::model::Environment;
use xtask::host::Rng;

use super::case::pick;
use crate::workers::to_worker;

/// What the services of a case are.
#[derive(Debug)]
pub(super) struct Shape {
    /// Services without a load balancer, by their places in deploy.toml.
    workers: &'static [usize],
    /// Whether the last worker should have no tasks.
    idle: bool,
}

impl Shape {
    pub(super) fn draw(rng: &Rng) -> Self {
        let workers = rng.stream("workers");
        Self {
            workers: pick(&workers, &[&[], &[], &[], &[], &[], &[1], &[1], &[0], &[0, 1]]),
            idle: workers.below(3) == 0,
        }
    }

    /// Takes from the services what a table of an environment cannot take away.
    pub(super) fn take_away(&self, environment: &mut Environment) {
        for &place in self.workers {
            to_worker(environment, place);
        }
        if let (true, Some(&last)) = (self.idle, self.workers.last()) {
            let service = &mut environment.services[last];
            (service.desired_count, service.scaling) = (0, None);
        }
    }
}
