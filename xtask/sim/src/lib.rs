//! The embedded cloud: ECS, ECR with its registry, load balancing, scaling, Cloud Map, logs, Parameter Store,
//! Secrets Manager and STS, answering on the AWS wire with AWS's behaviour.
//!
//! Start at [`Account`]: plain `&mut self` state that is given the time. Nothing inside it sleeps, reads a
//! clock or draws a random number; the same calls at the same times give the same account. The
//! [`workload`] port starts tasks for it, and the [`door`]s let callers in: an in-process connector on
//! virtual time, or one loopback port on wall-clock time.

mod account;
mod acm;
mod cloudmap;
mod cloudwatch;
pub mod door;
mod ecr;
mod ecs;
mod elb;
pub mod fault;
mod identity;
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

pub use account::{Settings, operations};
pub use acm::ZoneCertificate;
pub use ecs::Pace;
pub use identity::{LandingZone, Named, ZoneGroup, ZoneSubnet};

/// What stories look at and do that no deployment can.
#[doc(hidden)]
pub mod testing {
    pub use crate::account::Millis;
    pub use crate::elb::{Route, RouteTarget, fail, route};
    pub use crate::wire::{Api, ApiError, ApiRequest, wildcard};
}
