//! The embedded cloud: ECS, ECR with its registry, load balancing, scaling, Cloud Map, logs, Parameter Store,
//! Secrets Manager and STS, answering on the AWS wire with AWS's behaviour.
//!
//! Start at [`Account`]: plain `&mut self` state that is told the time. Nothing inside it sleeps, reads a
//! clock or draws a random number; the same calls at the same times give the same account. The
//! [`workload`] port starts tasks for it, and the [`door`]s let callers in: an in-process connector on
//! virtual time, or one loopback port on wall-clock time.

pub mod account;
pub mod cloudmap;
pub mod door;
pub mod ecr;
pub mod ecs;
pub mod elb;
pub mod fault;
pub mod identity;
pub mod logs;
pub mod policy;
pub mod scaling;
pub mod secret;
pub mod secretsmanager;
pub mod ssm;
pub mod tagging;
pub mod wire;
pub mod workload;

pub use account::{Account, Settings};
