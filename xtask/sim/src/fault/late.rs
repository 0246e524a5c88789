//! Lateness: what was made or deleted a moment ago and is not known everywhere yet.
//!
//! AWS's control planes answer from replicas, and a call may meet one that has not heard of the call before it
//! (ECS, API reference of RunTask: "eventual consistency"). What such a call gets is not a special error but the one
//! that is also given for good: only time distinguishes them.

use std::collections::BTreeMap;

use super::{Call, Fault, Rule};
use crate::clock::Millis;
use crate::door::clock::SimClock;
use crate::wire::ApiError;

/// Calls that come longer after the first one than this find it known. A service may drain for some
/// minutes between DeleteService and DeleteCluster.
const FRESH_MILLIS: u64 = 900_000;

/// What `calls` answer too early after `after`.
struct Late {
    after: &'static str,
    /// A JSON pointer to what both calls must name, or what the later one must hold.
    shared: &'static str,
    calls: &'static [&'static str],
    answer: Answer,
}

enum Answer {
    /// Code, and text in which `{}` is the name.
    Error(&'static str, &'static str),
    Unseen,
}

use Answer::{Error, Unseen};

const fn late(
    after: &'static str,
    shared: &'static str,
    calls: &'static [&'static str],
    answer: Answer,
) -> Late {
    Late { after, shared, calls, answer }
}

/// Sources: the retries of the Terraform AWS provider by API, and the issues named in the rows.
#[rustfmt::skip]
const TABLE: &[Late] = &[
    // terraform-provider-aws#11701.
    late("CreateCluster", "/clusterName", &["ListTagsForResource", "TagResource", "CreateService", "ListServices"],
        Error("ClusterNotFoundException", "Cluster not found.")),
    late("CreateCluster", "/clusterName", &["DescribeClusters"], Unseen),
    // The first cluster of an account makes this role.
    late("CreateCluster", "/clusterName", &["CreateService"],
        Error("InvalidParameterException", "Unable to assume the service linked role. Please verify that the ECS service linked role exists.")),
    late("CreateService", "/serviceName", &["DescribeServices", "ListServices"], Unseen),
    late("CreateService", "/serviceName", &["ListTasks", "ListServiceDeployments"],
        Error("ServiceNotFoundException", "Service not found.")),
    // terraform-provider-aws#11693, spinnaker#4371.
    late("CreateService", "/serviceName", &["RegisterScalableTarget"],
        Error("ValidationException", "ECS service doesn't exist: {}")),
    // The first scalable target of an account makes this role; Terraform retries this very text.
    late("CreateService", "/serviceName", &["RegisterScalableTarget"],
        Error("ValidationException", "Unable to assume IAM role: AWSServiceRoleForApplicationAutoScaling_ECSService")),
    late("RegisterScalableTarget", "/ResourceId", &["PutScalingPolicy"],
        Error("ObjectNotFoundException", "No scalable target registered for service namespace: ecs, resource ID: {}, scalable dimension: ecs:service:DesiredCount")),
    late("CreateLoadBalancer", "/Name", &["DescribeLoadBalancers", "DescribeListeners", "CreateListener", "DescribeTags"],
        Error("LoadBalancerNotFound", "Load balancers '[{}]' not found")),
    late("CreateListener", "", &["CreateRule", "DescribeRules"],
        Error("ListenerNotFound", "One or more listeners not found")),
    late("CreateTargetGroup", "/Name", &["ModifyTargetGroupAttributes", "DescribeTargetGroups", "DescribeTargetHealth", "CreateRule", "DescribeTags"],
        Error("TargetGroupNotFound", "Target groups '{}' not found")),
    late("CreateRule", "/Actions/0/TargetGroupArn", &["CreateService"],
        Error("InvalidParameterException", "The target group with targetGroupArn {} does not have an associated load balancer.")),
    late("CreateRepository", "/repositoryName", &["DescribeRepositories", "PutLifecyclePolicy", "PutImageTagMutability", "BatchGetImage"],
        Error("RepositoryNotFoundException", "The repository with name '{}' does not exist in the registry")),
    late("CreateLogGroup", "/logGroupName", &["PutRetentionPolicy", "FilterLogEvents", "ListTagsForResource"],
        Error("ResourceNotFoundException", "The specified log group does not exist.")),
    late("CreateHttpNamespace", "serviceConnectConfiguration", &["CreateService", "UpdateService"],
        Error("NamespaceNotFoundException", "Failed to retrieve namespace")),
    // aws-load-balancer-controller#3037.
    late("DeleteLoadBalancer", "", &["DeleteTargetGroup"],
        Error("ResourceInUse", "Target group is currently in use by a listener or a rule")),
    late("DeleteService", "/cluster", &["DeleteCluster"],
        Error("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")),
    late("DeleteService", "", &["DeleteNamespace"],
        Error("ResourceInUse", "Namespace has associated services")),
];

impl Late {
    /// What a call that this entry concerns must hold, by the earlier call.
    fn name(&self, earlier: &Call<'_>) -> Option<String> {
        if !self.shared.starts_with('/') {
            return Some(self.shared.to_owned());
        }
        let named = earlier.request?.params.pointer(self.shared)?.as_str()?;
        // A cluster may be named by its ARN, and the later call by its name.
        Some(named.rsplit(":cluster/").next().unwrap_or(named).to_owned())
    }

    fn fault(&self, name: &str) -> Fault {
        match self.answer {
            Error(code, text) => Fault::Error(ApiError::new(code, text.replace("{}", name))),
            Unseen => Fault::Unseen(name.to_owned()),
        }
    }
}

/// A rule: for so long, counted from when it is first asked for, what was made a moment ago is not there yet, and what was
/// deleted is in use. Where AWS has several answers of this kind to a call, they follow each other.
pub struct Lateness {
    clock: SimClock,
    millis: u64,
    /// By entry and name: when the earlier call came, and when it was first asked about.
    made: BTreeMap<(usize, String), (Millis, Option<Millis>)>,
}

impl std::fmt::Debug for Lateness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lateness").field("millis", &self.millis).finish_non_exhaustive()
    }
}

impl Lateness {
    /// Lateness of this many milliseconds.
    pub fn new(clock: SimClock, millis: u64) -> Self {
        Self { clock, millis, made: BTreeMap::new() }
    }

    fn fault(&mut self, now: Millis, call: &Call<'_>) -> Option<Fault> {
        let asked = call.request.map(|request| request.params.to_string()).unwrap_or_default();
        let mut late = Vec::new();
        for ((entry, name), (made, first)) in &mut self.made {
            let fresh = now.since(*made) < FRESH_MILLIS;
            if fresh && TABLE[*entry].calls.contains(&call.operation) && asked.contains(name.as_str()) {
                let waited = now.since(*first.get_or_insert(now));
                if waited < self.millis {
                    late.push((waited, TABLE[*entry].fault(name)));
                }
            }
        }
        let (waited, _) = late.first()?;
        // Each answer gets an equal part of the time: a caller that is patient about one of them must be so about all.
        let turn = *waited as usize * late.len() / self.millis as usize;
        Some(late.swap_remove(turn).1)
    }
}

impl Rule for Lateness {
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault> {
        let now = self.clock.millis();
        if let Some(fault) = self.fault(now, call) {
            return Some(fault);
        }
        for (entry, late) in TABLE.iter().enumerate().filter(|(_, late)| late.after == call.operation) {
            if let Some(name) = late.name(call) {
                self.made.insert((entry, name), (now, None));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::{Api, ApiRequest};

    /// What befalls a call `millis` after the rule's beginning.
    fn ask(rule: &mut Lateness, millis: u64, operation: &str, params: Value) -> Option<Fault> {
        let now = rule.clock.millis().plus_millis(millis);
        let request = ApiRequest::of(Api::Ecs, operation, params);
        let call = Call::of(&request);
        let fault = rule.fault(now, &call);
        if fault.is_none() {
            rule.on_call(&call);
        }
        fault
    }

    fn code(fault: Option<Fault>) -> String {
        match fault {
            Some(Fault::Error(error)) => format!("{}: {}", error.code, error.message),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_scalable_target_is_too_early_twice_and_only_for_the_new_service() {
        let mut rule = Lateness::new(SimClock::virtual_time(), 10_000);
        let target = |name: &str| json!({ "ResourceId": format!("service/prod/{name}") });
        assert_eq!(ask(&mut rule, 0, "CreateService", json!({ "serviceName": "web" })), None);
        assert_eq!(ask(&mut rule, 0, "RegisterScalableTarget", target("shop")), None);
        let mut at = |millis| code(ask(&mut rule, millis, "RegisterScalableTarget", target("web")));
        assert_eq!(at(30_000), "ValidationException: ECS service doesn't exist: web");
        assert!(at(36_000).starts_with("ValidationException: Unable to assume IAM role"));
        assert_eq!(at(40_000), "None");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_deleted_is_in_use_for_a_while() {
        let mut rule = Lateness::new(SimClock::virtual_time(), 10_000);
        let cluster = || json!({ "cluster": "prod" });
        ask(
            &mut rule,
            0,
            "DeleteService",
            json!({ "cluster": "arn:aws:ecs:r:1:cluster/prod", "service": "web" }),
        );
        assert!(code(ask(&mut rule, 60_000, "DeleteCluster", cluster())).starts_with("ClusterContainsTasks"));
        assert_eq!(ask(&mut rule, 70_000, "DeleteCluster", cluster()), None);
        ask(&mut rule, 0, "DeleteLoadBalancer", json!({}));
        assert!(code(ask(&mut rule, 0, "DeleteTargetGroup", json!({}))).starts_with("ResourceInUse"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_service_is_missing_by_its_name() {
        let mut rule = Lateness::new(SimClock::virtual_time(), 5_000);
        ask(&mut rule, 0, "CreateService", json!({ "serviceName": "web" }));
        let both = || json!({ "services": ["shop", "web"] });
        assert_eq!(ask(&mut rule, 0, "DescribeServices", both()), Some(Fault::Unseen("web".to_owned())));
        assert_eq!(ask(&mut rule, 5_000, "DescribeServices", both()), None);
    }

    #[test]
    fn only_writes_make_others_late() {
        for late in TABLE {
            assert!(
                super::super::is_write(crate::fault::Surface::Api(Api::Ecs), late.after),
                "{}",
                late.after
            );
        }
    }
}
