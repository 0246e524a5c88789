//! The embedded cloud: ECS, ECR with its registry, load balancing, scaling, Cloud Map, logs, Parameter Store,
//! Secrets Manager and STS, answering on the AWS wire with AWS's behaviour.
//!
//! Start at [`Account`]: plain `&mut self` state that is given the time. Nothing inside it sleeps, reads a
//! clock or draws a random number; the same calls at the same times give the same account. The
//! [`workload`] port starts tasks for it, and the [`door`]s let callers in: an in-process connector on
//! virtual time, or one loopback port on wall-clock time.

mod account;
mod acm;
mod base;
mod clock;
mod cloudmap;
mod cloudwatch;
pub mod door;
mod ecr;
mod ecs;
mod elb;
pub mod fault;
mod identity;
mod ids;
mod logs;
mod page;
mod quotas;
mod scaling;
mod secret;
mod secretsmanager;
mod session;
mod ssm;
mod tagging;
mod wire;
pub mod workload;

pub use account::operations;
pub use base::{LandingZone, Named, Pace, Settings, ZoneCertificate, ZoneGroup, ZoneSubnet};

/// What stories look at and do that no deployment can.
#[doc(hidden)]
pub mod testing {
    use crate::account::Account;
    pub use crate::clock::Millis;
    pub use crate::elb::{Route, RouteTarget};
    pub use crate::wire::{Api, ApiError, ApiRequest, wildcard};

    /// Where a request without headers of its own, from this machine, goes.
    pub fn route(account: &Account, listener_port: u16, method: &str, host: &str, target: &str) -> Route {
        crate::elb::route(&account.elb, listener_port, method, host, target)
    }

    /// From now on the load balancer of this name is one that AWS could not set up.
    pub fn fail(account: &mut Account, now: Millis, load_balancer: &str, reason: &str) {
        crate::elb::fail(&mut account.base, &mut account.elb, now, load_balancer, reason);
    }
}
