//! The doors: how callers reach the account, and how traffic reaches its tasks.
//!
//! [`cloud`] is the shared handle that all of them stand on. [`connector`] lets the AWS SDK in without a socket, on
//! virtual time. [`server`] is the loopback daemon: the APIs and the registry on one port, the load balancer's
//! data plane and the Service Connect proxy on two more.

pub mod clock;
pub mod cloud;
pub mod connector;
mod history;
mod refusal;
mod registry;
