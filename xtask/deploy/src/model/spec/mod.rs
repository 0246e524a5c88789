//! Resources in normal form: what is wanted and what was found become the same type, lists are sorted and
//! AWS's defaults are written out, so that two that mean the same are equal.
//!
//! Specs name other resources by *name*, never by ARN or id: a plan can be made, shown and compared before
//! those exist. The executor turns names into ARNs.

mod diff;
mod foundation;
mod routing;
mod scaling;
mod service;
mod task_definition;

pub use diff::{Change, changes};
pub use foundation::{ClusterSpec, LogGroupSpec, NamespaceSpec, RepositorySpec};
pub use routing::{HealthCheckSpec, ListenerSpec, LoadBalancerSpec, RuleSpec, TargetGroupSpec};
pub use scaling::{PolicySpec, ScalableTargetSpec};
pub use service::{
    ConnectServiceSpec, ConnectSpec, EarlySuccessSpec, LoadBalancerBinding, ServiceSpec, ThresholdSpec,
};
pub use task_definition::{
    COMMIT_VARIABLE, ContainerSpec, HealthCommandSpec, LogSpec, TaskDefinitionSpec, image_reference,
};
