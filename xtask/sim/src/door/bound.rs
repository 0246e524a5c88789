//! The daemon's addresses.

use std::net::SocketAddr;

use crate::clock::Millis;

/// Where the daemon can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The APIs and the registry.
    pub endpoint: SocketAddr,
    /// The load balancer's first listener.
    pub alb: SocketAddr,
    /// Its second one, such as a redirect from port 80.
    pub second: SocketAddr,
    pub connect: SocketAddr,
    pub pid: u32,
    pub started: Millis,
}
