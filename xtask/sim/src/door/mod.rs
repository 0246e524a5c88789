//! The doors: how callers reach the account, and how traffic reaches its tasks.
//!
//! [`cloud`] is the shared handle that all of them stand on. [`connector`] lets the AWS SDK in without a socket, on
//! virtual time. [`server`] is the loopback daemon: the APIs and the registry on one port, the load balancer's
//! data plane and the Service Connect proxy on two more.

mod admission;
mod alb;
mod bound;
pub mod clock;
pub mod cloud;
mod connect;
pub mod connector;
mod endpoint;
pub(crate) mod forward;
mod guard;
mod history;
mod listen;
mod page;
mod pool;
mod pull;
mod refusal;
mod regions;
mod registry;
pub mod server;
mod session;
mod tls;
mod viewer;
mod websocket;

#[cfg(test)]
mod tests;
