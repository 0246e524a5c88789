//! Resources in normal form: what is wanted and what was found become the same type, lists are sorted and
//! AWS's defaults are written out, so that two that mean the same are equal.
//!
//! Specs name other resources by *name*, never by ARN or id: a plan can be made, shown and compared before
//! those exist. The executor turns names into ARNs.

mod diff;
mod foundation;
mod members;
mod routing;
mod rule;
mod scaling;
mod service;
mod task_definition;

pub use diff::{Change, changes};
pub use foundation::{ClusterSpec, LogGroupSpec, NamespaceSpec, RepositorySpec};
pub use members::Members;
pub use routing::{HealthCheckSpec, ListenerSpec, LoadBalancerSpec, TargetGroupSpec};
pub use rule::{
    Condition, ConditionField, FixedResponseSpec, RedirectSpec, RuleAction, RuleSpec, beginning, covers,
    normal, requests, takes_all,
};
pub use scaling::{PolicySpec, ScalableTargetSpec, ScheduledActionSpec, normal_members};
pub use service::{
    ConnectServiceSpec, ConnectSpec, EarlySuccessSpec, LoadBalancerBinding, Member, ServiceSpec,
    ThresholdSpec,
};
pub use task_definition::{COMMIT_VARIABLE, TaskDefinitionSpec, image_reference};
