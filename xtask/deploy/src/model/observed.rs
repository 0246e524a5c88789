//! What the account holds, read at one moment.

use std::collections::BTreeMap;

use serde::Serialize;

use super::arn_name;
use super::spec::{
    ListenerSpec, LoadBalancerSpec, LogGroupSpec, PolicySpec, RepositorySpec, RuleSpec, ScalableTargetSpec,
    ScheduledActionSpec, ServiceSpec, TargetGroupSpec, TaskDefinitionSpec,
};
use super::{ImageDigest, Owned, Owner, ServiceKey};

/// One read of the account. Absent means: asked for and not there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Observed {
    /// When it was read, in milliseconds since the Unix epoch.
    pub read_at_ms: u64,
    pub account: String,
    pub caller: String,
    /// Ids of what the file names by name: VPC, subnets and security groups, and ARNs of roles, by the text
    /// that `deploy.toml` has for them.
    pub ids: BTreeMap<String, String>,
    pub repositories: BTreeMap<String, RepositoryState>,
    pub log_groups: BTreeMap<String, LogGroupSpec>,
    pub cluster: Option<ClusterState>,
    pub namespace: Option<NamespaceState>,
    pub load_balancer: Option<LoadBalancerState>,
    /// The listener on the wanted port, when the load balancer has one.
    pub listener: Option<ListenerState>,
    /// The listener on port 80, where that is to redirect to the other one.
    pub redirect: Option<ListenerState>,
    /// All rules of that listener but the default one, by priority.
    pub rules: Vec<RuleState>,
    pub target_groups: BTreeMap<String, TargetGroupState>,
    /// Services by their short name.
    pub services: BTreeMap<ServiceKey, ServiceState>,
    /// The newest ACTIVE revision of each service's family, by the service's short name. A run that was
    /// killed between registering and updating left it there; it is used instead of registering it again.
    pub latest: BTreeMap<ServiceKey, TaskDefinitionState>,
    /// Scalable targets by the service's short name.
    pub scaling: BTreeMap<ServiceKey, ScalingState>,
    /// What this tool made in the region, by ARN, for whichever application and environment. It may name what is gone, and
    /// lag behind what was just made.
    /// `None` where tags cannot be read.
    pub made: Option<BTreeMap<String, Owner>>,
    /// What this tool made for this environment and is no longer in deploy.toml.
    pub orphans: Vec<Owned>,
    /// Services that are not deploy.toml's: of its cluster, and of wherever else this tool made some.
    pub neighbours: Vec<Neighbour>,
    /// Tasks of the cluster that run before the roll of a service, whoever's that is.
    pub before_roll: Vec<RunningTask>,
    /// Target groups of deploy.toml that its own service does not use and that have targets all the same, and how many.
    pub strays: BTreeMap<String, usize>,
    /// Reads that an endpoint lacks or refused and the deploy can do without: a sentence each.
    pub warnings: Vec<String>,
}

/// A service that deploy.toml does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Neighbour {
    pub name: String,
    pub cluster: String,
    pub arn: String,
    /// The target groups in which its tasks are registered, by name.
    pub target_groups: Vec<String>,
    /// The discovery names of its Service Connect endpoints in the environment's namespace.
    pub endpoints: Vec<String>,
}

/// A task that runs before the roll of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RunningTask {
    pub id: String,
    pub revision: String,
}

impl RunningTask {
    pub fn family(&self) -> &str {
        let name = arn_name(&self.revision);
        name.split_once(':').map_or(name, |(family, _)| family)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RepositoryState {
    pub spec: RepositorySpec,
    /// `<registry>/<name>`, as image references have it.
    pub uri: String,
    /// Which of the wanted digests it holds; `None` when it could not be asked.
    pub holds: Option<Vec<ImageDigest>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ClusterState {
    pub arn: String,
    pub status: String,
    /// The capacity providers that it has.
    pub capacity_providers: Vec<String>,
    /// Its default strategy: provider, weight and base.
    pub default_strategy: Vec<(String, u32, u32)>,
    /// `None` where the endpoint does not show them together with the cluster.
    #[serde(skip)]
    pub tags: Option<BTreeMap<String, String>>,
    /// How many services are ACTIVE in it, and how many tasks run or start.
    #[serde(skip)]
    pub active: (u32, u32),
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NamespaceState {
    pub arn: String,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct LoadBalancerState {
    pub arn: String,
    pub dns_name: String,
    pub spec: LoadBalancerSpec,
    pub vpc: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ListenerState {
    pub arn: String,
    pub spec: ListenerSpec,
}

/// A rule of the listener.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RuleState {
    pub arn: String,
    pub spec: RuleSpec,
}

impl ClusterState {
    /// Not one that was deleted, which ECS still shows as `INACTIVE`.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}

impl ServiceState {
    /// Not one that was deleted, which ECS still shows as `DRAINING` or `INACTIVE`.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}

impl RuleState {
    /// Such as `rule 100 /api/* → web-tg`.
    pub fn words(&self) -> String {
        format!("rule {}", self.spec)
    }

    /// Its settings, when this tool can write a rule like it.
    pub fn writable(&self) -> Option<&RuleSpec> {
        Some(&self.spec).filter(|spec| spec.is_writable())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TargetGroupState {
    pub arn: String,
    pub spec: TargetGroupSpec,
    /// Load balancers that use it (at most one).
    pub load_balancers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ServiceState {
    pub arn: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    pub spec: ServiceSpec,
    /// The revision that its PRIMARY deployment runs.
    pub task_definition: TaskDefinitionState,
    /// The PRIMARY deployment's id, `ecs-svc/…`.
    pub primary: Option<String>,
    /// The PRIMARY deployment's `rolloutState`.
    pub rollout: Option<String>,
    /// `currentServiceDeployment`, an ARN.
    pub service_deployment: Option<String>,
    pub desired: u32,
    pub running: u32,
    /// How many deployments it has.
    pub deployments: u32,
    /// Whether it is deployed in another way than this tool can: `CODE_DEPLOY`, `BLUE_GREEN`, `DAEMON` and so on.
    pub foreign_way: Option<String>,
    /// When the PRIMARY deployment was made, in milliseconds since the Unix epoch.
    pub deployed_at_ms: Option<u64>,
    /// Since when it offers its endpoints of Service Connect, in milliseconds since the Unix epoch, where a client's deployment is
    /// older: such a client does not know them. `None` where none is, and where ECS has forgotten.
    pub endpoints_since_ms: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TaskDefinitionState {
    pub arn: String,
    pub spec: TaskDefinitionSpec,
    /// Its tags: release, commit and so on.
    pub tags: BTreeMap<String, String>,
    /// `registeredAt`, in milliseconds since the Unix epoch.
    pub registered_ms: u64,
    /// Whether its `status` is `ACTIVE`: nothing new can be started from another.
    pub active: bool,
}

impl TaskDefinitionState {
    /// The revision, written as `family:revision`.
    pub fn name(&self) -> &str {
        arn_name(&self.arn)
    }

    /// The digest of its own container's image, where it is named by one.
    pub fn digest(&self) -> Option<ImageDigest> {
        let (_, digest) = self.spec.image()?.split_once('@')?;
        Some(ImageDigest(digest.to_owned()))
    }

    /// Its number in its family; 0 when its ARN has none.
    pub fn number(&self) -> u32 {
        self.arn.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// A service's scalable target and policies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ScalingState {
    pub arn: Option<String>,
    pub target: Option<ScalableTargetSpec>,
    pub policies: Vec<PolicySpec>,
    /// Its scheduled actions, by name.
    pub schedules: Vec<ScheduledActionSpec>,
    /// The members of the target's `SuspendedState` that somebody set: what does not act.
    pub suspended: Vec<String>,
}
