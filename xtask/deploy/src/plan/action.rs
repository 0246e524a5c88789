//! The closed vocabulary of what the tool can do to an account.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::spec::{
    ClusterSpec, ListenerSpec, LoadBalancerSpec, LogGroupSpec, Member, NamespaceSpec, PolicySpec,
    RepositorySpec, RuleSpec, ScalableTargetSpec, ScheduledActionSpec, ServiceSpec, TargetGroupSpec,
    TaskDefinitionSpec,
};
use crate::model::{BeforeRoll, ImageDigest, Owned, ServiceKey, arn_name, short_id};
use crate::redact;

/// One write, or one push. Resources are named; the executor knows their ARNs.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "does")]
pub enum Action {
    CreateRepository(RepositorySpec),
    SetTagMutability(RepositorySpec),
    /// ECR PutLifecyclePolicy: keep the newest `keep_images`.
    PutLifecyclePolicy(RepositorySpec),
    /// The registry: upload what it lacks, then the manifest.
    PushImage {
        service: ServiceKey,
        repository: String,
        digest: ImageDigest,
    },
    /// CloudWatch Logs CreateLogGroup and PutRetentionPolicy.
    CreateLogGroup(LogGroupSpec),
    SetLogRetention(LogGroupSpec),
    CreateCluster(ClusterSpec),
    /// ECS PutClusterCapacityProviders, which takes the default strategy too.
    PutCapacityProviders {
        cluster: ClusterSpec,
        default_strategy: Vec<(String, u32, u32)>,
    },
    /// Cloud Map CreateHttpNamespace, and its operation's end.
    CreateNamespace(NamespaceSpec),
    CreateLoadBalancer(LoadBalancerSpec),
    /// ELBv2 ModifyLoadBalancerAttributes with just these attributes.
    SetLoadBalancerAttributes(LoadBalancerSpec),
    /// ELBv2 CreateListener, and AddListenerCertificates for the further ones.
    CreateListener(ListenerSpec),
    /// ELBv2 ModifyListener: default certificate and policy, or where it redirects to.
    ModifyListener(ListenerSpec),
    AddListenerCertificates {
        port: u16,
        /// ARNs of the certificates that it lacks.
        certificates: Vec<String>,
    },
    /// ELBv2 CreateTargetGroup and ModifyTargetGroupAttributes.
    CreateTargetGroup(TargetGroupSpec),
    /// ELBv2 ModifyTargetGroup: the health check.
    ModifyTargetGroup(TargetGroupSpec),
    /// ELBv2 ModifyTargetGroupAttributes with just these attributes.
    SetTargetGroupAttributes(TargetGroupSpec),
    CreateRule(RuleSpec),
    /// ELBv2 ModifyRule: what the rule that has this priority does.
    ModifyRule(RuleSpec),
    MoveRules {
        /// The rules, all moved by one call.
        moves: Vec<RuleMove>,
    },
    /// ELBv2 DeleteRule of the rule that has this priority.
    DeleteRule(RuleSpec),
    RegisterTaskDefinition {
        service: ServiceKey,
        spec: Box<TaskDefinitionSpec>,
        /// Tags that others put on the revision before it.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        kept: BTreeMap<String, String>,
    },
    /// ECS RunTask of a revision with another command, and the wait for its end.
    RunTask {
        service: ServiceKey,
        /// Its wanted settings: the task has the service's network.
        spec: Box<ServiceSpec>,
        revision: Revision,
        task: BeforeRoll,
        /// The task that runs already: an earlier run started it for this revision.
        #[serde(skip_serializing_if = "Option::is_none")]
        follows: Option<String>,
    },
    /// The wait for the end of a task before a roll that an earlier run left; ECS StopTask when it takes longer.
    EndTask {
        cluster: String,
        task: String,
        /// Such as `ielts-backend:7`.
        revision: String,
        limit_secs: u64,
    },
    DeregisterTaskDefinition {
        revision: String,
    },
    CreateService {
        service: ServiceKey,
        spec: Box<ServiceSpec>,
        /// The revision it starts with.
        revision: Revision,
        desired: u32,
    },
    /// ECS UpdateService with just these members. `desiredCount` is never one: it belongs to autoscaling.
    UpdateService {
        service: ServiceKey,
        spec: Box<ServiceSpec>,
        members: BTreeSet<Member>,
        /// The revision, when [`Member::TaskDefinition`] is sent.
        revision: Option<Revision>,
        force: bool,
    },
    /// ECS UpdateService with `desiredCount` alone: `scale`, or a service that has fewer tasks than its scaling allows, which
    /// Application Auto Scaling moves only at its next scaling activity.
    SetDesiredCount {
        service: ServiceKey,
        name: String,
        from: u32,
        to: u32,
    },
    RegisterScalableTarget(ScalableTargetSpec),
    PutScalingPolicy(PolicySpec),
    DeleteScalingPolicy(PolicySpec),
    PutScheduledAction(ScheduledActionSpec),
    DeleteScheduledAction(ScheduledActionSpec),
    DeregisterScalableTarget(ScalableTargetSpec),
    /// The delete call of its kind; of a service with `force`, and the wait until it is INACTIVE.
    Remove(Owned),
}

/// A rule that gets another priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RuleMove {
    /// The requests that it takes.
    pub requests: String,
    pub from: u32,
    /// The one that it gets.
    pub to: u32,
}

/// A revision: one that exists, or the one that an earlier step of the plan registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Revision {
    Existing(String),
    /// The one that this plan registers for the family.
    Registered(String),
}

impl Revision {
    /// Its ARN, of one that exists.
    pub fn existing(&self) -> Option<&str> {
        match self {
            Self::Existing(arn) => Some(arn),
            Self::Registered(_) => None,
        }
    }

    pub fn words(&self) -> String {
        match self {
            Self::Existing(arn) => arn_name(arn).to_owned(),
            Self::Registered(family) => format!("{family}:(new)"),
        }
    }
}

impl Action {
    /// Whether it changes what serves: not what is only made, or holds data.
    pub fn changes_what_serves(&self) -> bool {
        !matches!(
            self,
            Self::CreateRepository(_)
                | Self::SetTagMutability(_)
                | Self::PutLifecyclePolicy(_)
                | Self::PushImage { .. }
                | Self::CreateLogGroup(_)
                | Self::SetLogRetention(_)
                | Self::CreateCluster(_)
                | Self::PutCapacityProviders { .. }
                | Self::CreateNamespace(_)
                | Self::CreateLoadBalancer(_)
                | Self::CreateListener(_)
                | Self::CreateTargetGroup(_)
                | Self::RegisterTaskDefinition { .. }
                | Self::RunTask { .. }
                | Self::EndTask { .. }
                | Self::DeregisterTaskDefinition { .. }
        )
    }

    /// Whether it takes something away that was there.
    pub fn deletes(&self) -> bool {
        matches!(
            self,
            Self::DeleteRule(_)
                | Self::DeleteScalingPolicy(_)
                | Self::DeleteScheduledAction(_)
                | Self::DeregisterScalableTarget(_)
                | Self::DeregisterTaskDefinition { .. }
                | Self::Remove(_)
        )
    }

    /// A verb and what it is about, such as `create target group ielts-backend-tg`.
    pub fn title(&self) -> String {
        match self {
            Self::CreateRepository(spec) => format!("create repository {}", spec.name),
            Self::SetTagMutability(spec) => format!("set tag mutability of {}", spec.name),
            Self::PutLifecyclePolicy(spec) => format!("put lifecycle policy of {}", spec.name),
            Self::PushImage { repository, digest, .. } => {
                format!("push image {repository}@{}", digest.short())
            }
            Self::CreateLogGroup(spec) => format!("create log group {}", spec.name),
            Self::SetLogRetention(spec) => format!("set retention of log group {}", spec.name),
            Self::CreateCluster(spec) => format!("create cluster {}", spec.name),
            Self::PutCapacityProviders { cluster, .. } => {
                format!("set capacity providers of cluster {}", cluster.name)
            }
            Self::CreateNamespace(spec) => format!("create namespace {}", spec.name),
            Self::CreateLoadBalancer(spec) => format!("create load balancer {}", spec.name),
            Self::SetLoadBalancerAttributes(spec) => format!("set attributes of load balancer {}", spec.name),
            Self::CreateListener(spec) => match spec.redirect_to {
                Some(to) => format!("create listener {}:{}, redirects to {to}", spec.protocol, spec.port),
                None => format!("create listener {}:{}", spec.protocol, spec.port),
            },
            Self::ModifyListener(spec) => format!("modify listener {}:{}", spec.protocol, spec.port),
            Self::AddListenerCertificates { port, .. } => format!("add certificates to listener {port}"),
            Self::CreateTargetGroup(spec) => format!("create target group {}", spec.name),
            Self::ModifyTargetGroup(spec) => format!("modify health check of {}", spec.name),
            Self::SetTargetGroupAttributes(spec) => format!("set attributes of {}", spec.name),
            Self::CreateRule(spec) => format!("create rule {spec}"),
            Self::ModifyRule(spec) => format!("modify rule {spec}"),
            Self::MoveRules { moves } => {
                let each = moves.iter().map(|rule| format!("{} {} → {}", rule.requests, rule.from, rule.to));
                format!("move rules {}", each.collect::<Vec<_>>().join(", "))
            }
            Self::DeleteRule(spec) => format!("delete rule {} {}", spec.priority, spec.requests()),
            Self::RegisterTaskDefinition { spec, .. } => {
                format!("register task definition {}", spec.family())
            }
            Self::RunTask { revision, task, follows, .. } => {
                let (command, revision) = (redact::text(&task.command.join(" ")), revision.words());
                match follows {
                    Some(id) => {
                        format!("follow task {}, which runs `{command}` as {revision} now", short_id(id))
                    }
                    None => format!("run `{command}` once as {revision}"),
                }
            }
            Self::EndTask { task, revision, limit_secs: 0, .. } => {
                format!("stop task {} before the roll of {revision}", short_id(task))
            }
            Self::EndTask { task, revision, limit_secs, .. } => format!(
                "wait for task {} before the roll of {revision}, and stop it after {limit_secs} s",
                short_id(task)
            ),
            Self::DeregisterTaskDefinition { revision } => {
                format!("deregister task definition {}", arn_name(revision))
            }
            Self::CreateService { spec, .. } => format!("create service {}", spec.name),
            // `forceNewDeployment` replaces every task, also where nothing else changes: a person must see that.
            Self::UpdateService { spec, force: true, .. } => format!("redeploy service {}", spec.name),
            Self::UpdateService { spec, .. } => format!("update service {}", spec.name),
            Self::SetDesiredCount { name, from, to, .. } => {
                let verb = if from < to { "raise" } else { "lower" };
                format!("{verb} desired count of {name} {from} → {to}")
            }
            Self::RegisterScalableTarget(spec) => {
                format!("register scalable target {} {} to {}", spec.resource_id, spec.min, spec.max)
            }
            Self::PutScalingPolicy(spec) => format!("put scaling policy {}", spec.name),
            Self::DeleteScalingPolicy(spec) => format!("delete scaling policy {}", spec.name),
            Self::PutScheduledAction(spec) => format!("put scheduled action {}", spec.name),
            Self::DeleteScheduledAction(spec) => format!("delete scheduled action {}", spec.name),
            Self::DeregisterScalableTarget(spec) => {
                format!("deregister scalable target {}", spec.resource_id)
            }
            Self::Remove(owned) => format!("delete {} {}", owned.kind.words(), owned.name),
        }
    }
}
