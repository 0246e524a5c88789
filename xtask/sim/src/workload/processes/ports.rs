//! Loopback ports: every container port of a task has one of its own, so that any number of tasks fit on one machine.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::workload::TaskId;

/// Below the range that Linux (32768 up) and macOS (49152 up) give to outgoing connections: between the choice of a
/// port and the application's bind, no connection of ours or of anybody else's can be given that port by the kernel.
const RANGE: Range<u16> = 20_000..30_000;

/// Which loopback port stands for which container port of which task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    by_container_port: BTreeMap<(TaskId, u16), u16>,
    /// Where the search goes on, so that a port that was just left is not taken at once.
    next: u16,
}

impl Ports {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loopback port of a container port; `None` when no such task runs here.
    pub(crate) fn of(&self, task: &TaskId, container_port: u16) -> Option<u16> {
        self.table().by_container_port.get(&(task.clone(), container_port)).copied()
    }

    /// Says where a task that is no process listens.
    #[cfg(test)]
    pub(crate) fn pretend(&self, task: &str, container_port: u16, port: u16) {
        self.table().by_container_port.insert((task.to_owned(), container_port), port);
    }

    /// Gives a free loopback port to a container port.
    ///
    /// # Errors
    /// `AddrInUse` when the whole range is taken.
    pub(super) fn reserve(&self, task: &TaskId, container_port: u16) -> Result<u16> {
        let mut table = self.table();
        let span = RANGE.end - RANGE.start;
        for _ in 0..span {
            let port = RANGE.start + table.next % span;
            table.next = table.next.wrapping_add(1) % span;
            let ours = table.by_container_port.values().any(|taken| *taken == port);
            if !ours && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                table.by_container_port.insert((task.clone(), container_port), port);
                return Ok(port);
            }
        }
        Err(Error::new(
            ErrorKind::AddrInUse,
            format!("every port from {} to {} is taken", RANGE.start, RANGE.end - 1),
        ))
    }

    /// Takes back the ports of a task that has ended.
    pub(super) fn release(&self, task: &TaskId) {
        self.table().by_container_port.retain(|(owner, _), _| owner != task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tasks_with_one_container_port_never_share_a_loopback_port() {
        let ports = Ports::default();
        let (one, two) = ("one".to_owned(), "two".to_owned());
        let first = ports.reserve(&one, 8080).unwrap();
        let second = ports.reserve(&two, 8080).unwrap();
        assert_ne!(first, second);
        assert_eq!(ports.of(&one, 8080), Some(first));
        ports.release(&one);
        assert_eq!((ports.of(&one, 8080), ports.of(&two, 8080)), (None, Some(second)));
    }

    #[test]
    fn a_port_that_somebody_else_listens_on_is_passed_over() {
        let ports = Ports::default();
        let first = ports.reserve(&"one".to_owned(), 1).unwrap();
        ports.release(&"one".to_owned());
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        ports.table().next = first - RANGE.start;
        assert_ne!(ports.reserve(&"two".to_owned(), 1).unwrap(), first);
    }
}
