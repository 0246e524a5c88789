//! Loopback ports: every container port of a task has one of its own, so that any number of tasks fit on one machine.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::workload::TaskId;

/// Below the range that Linux (32768 up) and macOS (49152 up) give to outgoing connections: between the choice of a
/// port and the application's bind, no connection of ours or of anybody else's can be given that port by the kernel.
const RANGE: Range<u16> = 20_000..30_000;

/// The loopback port of each container port of each task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(Arc<Mutex<Table>>);

type Table = BTreeMap<(TaskId, u16), Entry>;

#[derive(Clone, Copy, Debug)]
struct Entry {
    port: u16,
    /// The application listens on its task's own loopback address.
    inside_only: bool,
}

/// How many ports this process has looked at. The search continues from there, so that a port that was just left is
/// not taken again at once.
static LOOKED_AT: AtomicU16 = AtomicU16::new(0);

/// All ports of the range, from where the search was. Other daemons of this machine begin elsewhere: until an
/// application binds its port, nobody else can see that it is taken.
fn candidates() -> impl Iterator<Item = u16> {
    let span = RANGE.end - RANGE.start;
    // Multiplied, as daemons that start together have neighbouring ids.
    let own = (std::process::id().wrapping_mul(131) % u32::from(span)) as u16;
    (0..span).map(move |_| RANGE.start + (own + LOOKED_AT.fetch_add(1, Ordering::Relaxed) % span) % span)
}

impl Ports {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loopback port of a container port; `None` when no such task runs here.
    pub(crate) fn of(&self, task: &TaskId, container_port: u16) -> Option<u16> {
        self.table().get(&(task.clone(), container_port)).map(|entry| entry.port)
    }

    /// The same for the load balancer, which is outside the task.
    pub(crate) fn host_port(&self, task: &TaskId, container_port: u16) -> Option<u16> {
        let entry = self.table().get(&(task.clone(), container_port)).copied();
        entry.filter(|entry| !entry.inside_only).map(|entry| entry.port)
    }

    /// Says where a task that is no process listens.
    #[cfg(test)]
    pub(crate) fn pretend(&self, task: &str, container_port: u16, port: u16) {
        self.table().insert((task.to_owned(), container_port), Entry { port, inside_only: false });
    }

    /// Gives a free loopback port to a container port.
    ///
    /// # Errors
    /// `AddrInUse` when the whole range is taken.
    pub(super) fn reserve(&self, task: &TaskId, container_port: u16, inside_only: bool) -> Result<u16> {
        self.reserve_of(candidates(), task, container_port, inside_only)
    }

    fn reserve_of(
        &self,
        mut candidates: impl Iterator<Item = u16>,
        task: &TaskId,
        container_port: u16,
        inside_only: bool,
    ) -> Result<u16> {
        let mut table = self.table();
        let free = |port: &u16| {
            !table.values().any(|taken| taken.port == *port)
                && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
        };
        let Some(port) = candidates.find(free) else {
            let message = format!("every port from {} to {} is taken", RANGE.start, RANGE.end - 1);
            return Err(Error::new(ErrorKind::AddrInUse, message));
        };
        table.insert((task.clone(), container_port), Entry { port, inside_only });
        Ok(port)
    }

    /// Takes back the ports of a task that has ended.
    pub(super) fn release(&self, task: &TaskId) {
        self.table().retain(|(owner, _), _| owner != task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tasks_with_one_container_port_never_share_a_loopback_port() {
        let ports = Ports::default();
        let (one, two) = ("one".to_owned(), "two".to_owned());
        let first = ports.reserve(&one, 8080, false).unwrap();
        let second = ports.reserve(&two, 8080, true).unwrap();
        assert_ne!(first, second);
        assert_eq!(ports.of(&one, 8080), Some(first));
        assert_eq!((ports.host_port(&one, 8080), ports.host_port(&two, 8080)), (Some(first), None));
        ports.release(&one);
        assert_eq!((ports.of(&one, 8080), ports.of(&two, 8080)), (None, Some(second)));
    }

    #[test]
    fn a_port_that_somebody_else_listens_on_is_passed_over() {
        let ports = Ports::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        let free = candidates().find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap();
        let two = [taken, free];
        assert_eq!(ports.reserve_of(two.into_iter(), &"one".to_owned(), 1, false).unwrap(), free);
        let none = ports.reserve_of(two.into_iter(), &"two".to_owned(), 1, false).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::AddrInUse);
    }
}
