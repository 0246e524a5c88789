//! AWS, by the operations that the tool uses: the wire comes in, domain types go out.
//!
//! The only user of the AWS SDK. One file per API or part of one; errors are classified once, by code; retries are
//! ours, seeded and reported. It knows nothing of plans: each function is one operation of AWS, or one and its
//! pages, and takes names and ids from its caller.

mod acm;
mod call;
mod cloudmap;
mod cloudwatch;
mod connect;
mod ec2;
mod ecr;
mod ecs;
mod elb;
mod error;
mod iam;
mod lite;
mod logs;
mod names;
pub mod operations;
mod quotas;
mod raw;
mod retry;
mod scaling;
mod secrets;
mod sts;
mod tagging;
#[cfg(test)]
pub(crate) mod tests;

pub use call::{CallOutcome, CallRecord, Effect, Observer};
pub use cloudmap::Namespace;
pub use connect::{Aws, Connect, Keys};
pub use ec2::{SecurityGroup, Subnet, Vpc};
pub use ecr::{FoundRepository, RegistryLogin};
pub use ecs::{
    Arns, CreateService, ExecSession, FoundService, RegisteredTaskDefinition, RevisionImage, RunTask,
    ServiceRevision, ServiceTasks, UpdateService,
};
pub use elb::{Balancer, FoundListener, FoundRule, FoundTargetGroup};
pub use error::{CredentialsProblem, Error, Failure, Kind, Source};
pub use iam::Role;
pub use logs::{FoundLine, LogEvent, LogFilter, LogPage, LogStart};
pub use names::{arn_account, arn_name, arn_partition};
pub use retry::Policy;
pub use scaling::FoundTarget;
pub use secrets::FoundSecret;
pub use sts::Caller;

pub type Tags = std::collections::BTreeMap<String, String>;
