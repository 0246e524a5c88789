//! Who made a resource, by the tags that the tool gives everything at its creation.
//!
//! Only what carries all three tags of an environment is ever deleted for it. What lacks them was made by somebody else:
//! it is changed as the file says, and otherwise left.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Environment, Observed};

/// The tag that only this tool gives.
pub const MANAGED_BY: (&str, &str) = ("managed-by", "cargo-xtask");

/// An application's environment, as tags name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Owner {
    pub app: String,
    pub environment: String,
}

impl Owner {
    /// The owner of what is made for an environment.
    pub fn of(environment: &Environment) -> Self {
        Self { app: environment.app.clone(), environment: environment.name.clone() }
    }

    /// Reads a resource's tags; `None` when this tool did not make it.
    pub fn read(tags: &BTreeMap<String, String>) -> Option<Self> {
        tags.get(MANAGED_BY.0).filter(|by| *by == MANAGED_BY.1)?;
        Some(Self { app: tags.get("app")?.clone(), environment: tags.get("environment")?.clone() })
    }

    /// The tags of what is made.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let own = [("app", self.app.as_str()), ("environment", &self.environment), MANAGED_BY];
        own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

/// Kinds of resources that are made, in the order in which they can be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OwnedKind {
    ScalableTarget,
    Service,
    Rule,
    Listener,
    LoadBalancer,
    TargetGroup,
    Namespace,
    /// Of ECS. It carries the lease, and so is the last to go.
    Cluster,
    Repository,
    LogGroup,
    /// A task definition's family, with all its revisions.
    Family,
}

impl OwnedKind {
    /// Whether it holds what nobody can make again: images, logs, the record of releases.
    pub fn holds_data(self) -> bool {
        matches!(self, Self::Repository | Self::LogGroup | Self::Family)
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::ScalableTarget => "scalable target",
            Self::Service => "service",
            Self::Rule => "rule",
            Self::Listener => "listener",
            Self::LoadBalancer => "load balancer",
            Self::TargetGroup => "target group",
            Self::Cluster => "cluster",
            Self::Namespace => "namespace",
            Self::Repository => "repository",
            Self::LogGroup => "log group",
            Self::Family => "task definitions of family",
        }
    }
}

/// A resource that this tool made for an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Owned {
    pub kind: OwnedKind,
    /// As people call it. Where the ARN holds no name (rules, listeners, scalable targets, namespaces) the ARN's end,
    /// until the resource was read.
    pub name: String,
    /// Its ARN; of a family, that of one revision.
    pub arn: String,
}

impl Owned {
    /// What an ARN names; `None` for what comes and goes by itself, such as tasks.
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, resource) = (parts.next()?, parts.nth(2)?);
        let (kind, rest) = resource.split_once(['/', ':'])?;
        let first = |rest: &str| rest.split('/').next().unwrap_or(rest).to_owned();
        let last = |rest: &str| rest.rsplit('/').next().unwrap_or(rest).to_owned();
        let (kind, name) = match (service, kind) {
            ("ecs", "cluster") => (OwnedKind::Cluster, rest.to_owned()),
            // The cluster stands before the name, but not in ARNs of the old short form (ECS developer guide, ARNs and IDs).
            ("ecs", "service") => (OwnedKind::Service, last(rest)),
            ("ecs", "task-definition") => (OwnedKind::Family, rest.split(':').next()?.to_owned()),
            ("elasticloadbalancing", "loadbalancer") => {
                (OwnedKind::LoadBalancer, rest.split('/').nth(1)?.to_owned())
            }
            ("elasticloadbalancing", "targetgroup") => (OwnedKind::TargetGroup, first(rest)),
            ("elasticloadbalancing", "listener") => (OwnedKind::Listener, last(rest)),
            ("elasticloadbalancing", "listener-rule") => (OwnedKind::Rule, last(rest)),
            ("application-autoscaling", "scalable-target") => (OwnedKind::ScalableTarget, last(rest)),
            ("servicediscovery", "namespace") => (OwnedKind::Namespace, last(rest)),
            ("ecr", "repository") => (OwnedKind::Repository, rest.to_owned()),
            ("logs", "log-group") => (OwnedKind::LogGroup, rest.trim_end_matches(":*").to_owned()),
            _ => return None,
        };
        Some(Self { kind, name, arn: arn.to_owned() })
    }

    /// The cluster of a service, by its ARN.
    pub fn cluster(&self) -> &str {
        self.arn.rsplit('/').nth(1).unwrap_or_default()
    }

    /// Whether `other` is a part of it and goes with it: listeners and rules of a load balancer, rules of a listener.
    pub fn takes_along(&self, other: &Self) -> bool {
        let within = |arn: &str| {
            let path = arn.split_once(":listener-rule/").or_else(|| arn.split_once(":listener/"));
            path.map(|(_, path)| format!("{path}/"))
        };
        match self.kind {
            OwnedKind::LoadBalancer | OwnedKind::Listener => {
                let own = self.arn.split_once(":loadbalancer/").or_else(|| self.arn.split_once(":listener/"));
                let of = |(_, own): (&str, &str)| {
                    within(&other.arn).is_some_and(|path| path.starts_with(&format!("{own}/")))
                };
                self.arn != other.arn && own.is_some_and(of)
            }
            _ => false,
        }
    }
}

/// Who made a resource, as an environment sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker<'a> {
    /// This tool, for this environment.
    Ours,
    /// This tool, for another environment or application.
    Another(&'a Owner),
    /// Somebody else, or the tags could not be read.
    Somebody,
}

impl Observed {
    /// Who made the resource of this ARN.
    pub fn maker(&self, environment: &Environment, arn: &str) -> Maker<'_> {
        match self.made.as_ref().and_then(|made| made.get(arn)) {
            Some(owner) if *owner == Owner::of(environment) => Maker::Ours,
            Some(owner) => Maker::Another(owner),
            None => Maker::Somebody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(resource: &str) -> Option<(OwnedKind, String)> {
        let (service, rest) = resource.split_once(' ').unwrap();
        Owned::parse(&format!("arn:aws:{service}:eu-west-1:1:{rest}")).map(|owned| (owned.kind, owned.name))
    }

    #[test]
    fn an_arn_says_what_it_names() {
        for (resource, kind, name) in [
            ("ecs cluster/c", OwnedKind::Cluster, "c"),
            ("ecs service/c/s", OwnedKind::Service, "s"),
            ("ecs task-definition/f:12", OwnedKind::Family, "f"),
            ("elasticloadbalancing loadbalancer/app/a/1", OwnedKind::LoadBalancer, "a"),
            ("elasticloadbalancing targetgroup/t/1", OwnedKind::TargetGroup, "t"),
            ("elasticloadbalancing listener-rule/app/a/1/2/3", OwnedKind::Rule, "3"),
            ("ecr repository/ielts/backend", OwnedKind::Repository, "ielts/backend"),
            ("logs log-group:/ecs/x", OwnedKind::LogGroup, "/ecs/x"),
        ] {
            assert_eq!(parse(resource), Some((kind, name.to_owned())), "{resource}");
        }
        assert_eq!(parse("ecs task/c/1"), None, "tasks inherit their revision's tags");
    }

    #[test]
    fn what_goes_with_a_load_balancer_is_not_deleted_by_itself() {
        let owned = |rest: &str| Owned::parse(&format!("arn:aws:elasticloadbalancing:r:1:{rest}")).unwrap();
        let balancer = owned("loadbalancer/app/a/1");
        assert!(balancer.takes_along(&owned("listener/app/a/1/2")));
        assert!(balancer.takes_along(&owned("listener-rule/app/a/1/2/3")));
        assert!(!balancer.takes_along(&owned("listener-rule/app/a/11/2/3")));
        assert!(owned("listener/app/a/1/2").takes_along(&owned("listener-rule/app/a/1/2/3")));
        assert!(!owned("listener/app/a/1/2").takes_along(&owned("listener/app/a/1/2")));
    }

    #[test]
    fn only_what_has_all_three_tags_has_an_owner() {
        let owner = Owner { app: "a".into(), environment: "e".into() };
        let mut tags = owner.tags();
        assert_eq!(Owner::read(&tags), Some(owner));
        tags.insert(MANAGED_BY.0.into(), "terraform".into());
        assert_eq!(Owner::read(&tags), None);
    }
}
