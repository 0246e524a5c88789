//! The nouns that every other module speaks in.
//!
//! - [`Environment`]: what `deploy.toml` says of one environment, complete and checked.
//! - [`Release`]: the images and the commit to bring live.
//! - [`spec`]: resources in a normal form in which wanted and found can be compared field by field.
//! - [`Observed`]: what the account holds, read at one moment.

mod build;
mod environment;
mod observed;
mod ownership;
mod release;
mod service;
pub mod spec;
mod tag;

pub use build::{Build, BuildCache, BuildSecret, Dockerfile, Engine};
pub use environment::{
    Environment, Kind, Listener, LoadBalancer, LoadBalancerSource, Lookup, Network, Protocol, SmokeFrom,
    Timeouts, Undo, Workload,
};
pub use observed::{
    ClusterState, ListenerState, LoadBalancerState, NamespaceState, Neighbour, Observed, RepositoryState,
    RuleState, ScalingState, ServiceState, TargetGroupState, TaskDefinitionState,
};
pub use ownership::{MANAGED_BY, Maker, Owned, OwnedKind, Owner};
pub use release::{Desired, ImageDigest, Pin, Platform, Release};
pub use service::{
    Architecture, CircuitBreaker, Cleanup, Connect, Container, ContainerHealthCheck, CustomMetric,
    Deployment, EarlySuccess, HealthCheck, LogGroup, Metric, OnPlainCause, Patience, Policy, Repository,
    Route, Scaling, Schedule, Service, ServiceKey, SmokeCheck, Statistic, TargetGroup,
};
pub use tag::{fits_tag, tag_text};
