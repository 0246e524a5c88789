//! The nouns that every other module speaks in.
//!
//! - [`Environment`]: what `deploy.toml` says of one environment. Its types are read by serde and are the JSON schema: their doc
//!   comments, ranges and defaults are the file's. A required or derived value is empty or 0, which the schema lets nobody
//!   write, until `config` has filled it in or refused the file.
//! - [`Release`]: the images and the commit to bring live.
//! - [`spec`]: resources in a normal form in which wanted and found can be compared field by field.
//! - [`Observed`]: what the account holds, read at one moment.

mod arn;
mod aws;
mod before_roll;
mod build;
mod capacity;
mod connect;
mod container;
mod environment;
mod image;
mod named;
mod network;
mod observed;
mod ownership;
mod release;
mod rollout;
mod route;
mod service;
mod sidecar;
mod smoke;
pub mod spec;
mod tag;
mod volume;

pub use arn::{arn_name, short_id};
pub use aws::{AwsTables, LoadBalancerTables};
pub use before_roll::BeforeRoll;
pub use build::{Build, BuildCache, BuildSecret, Engine, Repository};
pub use capacity::{CapacityProvider, ProviderName};
pub use connect::{Alias, AppProtocol, Connect, ConnectTls, Endpoint, Offer, Offered};
pub use container::{CONNECT_PROXY, Container, ContainerHealthCheck, LogGroup};
pub use environment::{Availability, Environment, Kind, Timeouts, Undo, Workload};
pub use image::ImageName;
pub use network::{Listener, LoadBalancer, Lookup, Network, Protocol, Scheme, SmokeFrom};
pub use observed::{
    ClusterState, ListenerState, LoadBalancerState, NamespaceState, Neighbour, Observed, RepositoryState,
    RuleState, RunningTask, ScalingState, ServiceState, TargetGroupState, TaskDefinitionState,
};
pub use ownership::{MANAGED_BY, Maker, Owned, OwnedKind, Owner};
pub use release::{Desired, ImageDigest, Pin, Platform, Release};
pub use rollout::{
    Alarms, CircuitBreaker, Cleanup, CustomMetric, Deployment, EarlySuccess, Metric, OnPlainCause, Patience,
    Policy, Scaling, Schedule, Statistic,
};
pub use route::{ContentType, Redirect, Respond, Route};
pub use service::{
    Architecture, HealthCheck, ProtocolVersion, Service, ServiceKey, ServiceNetwork, TargetGroup,
};
pub use sidecar::{Condition, LogRouter, Sidecar};
pub use smoke::SmokeCheck;
pub use tag::{fits_tag, reserved_tag, tag_text};
pub use volume::Volume;
