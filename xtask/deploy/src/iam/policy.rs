//! The policy of the role that deploys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Need, Place, Resource};
use crate::model::{Environment, Service};

/// What calls bring with them that no call is named after.
///
/// Sources: Elastic Load Balancing, "API permissions" (creating a load balancer reads the network); ECS, "RegisterTaskDefinition" and "CreateService" depend on iam:PassRole; Application Auto Scaling, "Permissions
/// for scalable targets"; service-linked roles are made at the first use of a service in an account; the registry's own
/// requests are authorized as these ECR actions; a resource that is created with tags takes the right to tag it.
const BROUGHT: [Need; 25] = [
    Need { action: "application-autoscaling:TagResource", on: Resource::ScalableTarget },
    Need { action: "cloudwatch:DeleteAlarms", on: Resource::Any },
    Need { action: "cloudwatch:DescribeAlarms", on: Resource::Any },
    Need { action: "cloudwatch:PutMetricAlarm", on: Resource::Any },
    Need { action: "ec2:DescribeAccountAttributes", on: Resource::Any },
    Need { action: "ec2:DescribeAddresses", on: Resource::Any },
    Need { action: "ec2:DescribeInternetGateways", on: Resource::Any },
    Need { action: "ecr:BatchCheckLayerAvailability", on: Resource::Repository },
    Need { action: "ecr:BatchGetImage", on: Resource::Repository },
    Need { action: "ecr:BatchGetImage", on: Resource::Pulled },
    // A pull-through cache imports what it is asked for (ECR user guide).
    Need { action: "ecr:BatchImportUpstreamImage", on: Resource::Pulled },
    Need { action: "ecr:CompleteLayerUpload", on: Resource::Repository },
    Need { action: "ecr:GetDownloadUrlForLayer", on: Resource::Repository },
    Need { action: "ecr:InitiateLayerUpload", on: Resource::Repository },
    Need { action: "ecr:PutImage", on: Resource::Repository },
    Need { action: "ecr:TagResource", on: Resource::Repository },
    Need { action: "ecr:UploadLayerPart", on: Resource::Repository },
    Need { action: "ecs:DescribeServices", on: Resource::Service },
    Need { action: "ecs:TagResource", on: Resource::Tagged },
    Need { action: "ecs:UpdateService", on: Resource::Service },
    Need { action: "elasticloadbalancing:AddTags", on: Resource::LoadBalancing },
    Need { action: "iam:CreateServiceLinkedRole", on: Resource::Any },
    Need { action: "iam:PassRole", on: Resource::Role },
    Need { action: "logs:TagResource", on: Resource::LogGroup },
    Need { action: "servicediscovery:TagResource", on: Resource::Namespace },
];

/// The services whose service-linked roles a first deploy makes.
const LINKED: [&str; 3] =
    ["ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"];
/// For Spot: it is the cluster's, and of a cluster of others only where it has to be.
const PROVIDERS: &str = "ecs:PutClusterCapacityProviders";
/// The services that a role is passed to.
const PASSED_TO: [&str; 2] = ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"];

/// The least that `needs` take in this environment, and what they bring with them.
pub fn policy(environment: &Environment, place: Place<'_>, needs: &[Need]) -> Value {
    let mut grouped: BTreeMap<(Resource, &str), BTreeSet<&str>> = BTreeMap::new();
    let spot = environment.services.iter().any(Service::uses_spot);
    let writes = needs.iter().any(|need| !need.reads());
    let needs = needs.iter().filter(|need| spot || need.action != PROVIDERS);
    // A role that only reads makes nothing that could bring something with it.
    let brought = BROUGHT.iter().filter(|_| writes);
    for need in needs.chain(brought) {
        // Actions with a condition of their own stand alone.
        let alone = match need.action {
            "iam:PassRole" | "iam:CreateServiceLinkedRole" => need.action,
            _ => "",
        };
        grouped.entry((need.on, alone)).or_default().insert(need.action);
    }
    let statements: Vec<Value> = grouped
        .into_iter()
        .map(|((on, alone), actions)| (on, alone, actions, on.arns(place, environment)))
        // IAM refuses a statement about nothing.
        .filter(|(.., arns)| !arns.is_empty())
        .map(|(on, alone, actions, arns)| {
            let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": arns });
            if let Some(condition) = condition(on, alone, place, environment) {
                statement["Condition"] = condition;
            }
            statement
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn condition(on: Resource, action: &str, place: Place<'_>, environment: &Environment) -> Option<Value> {
    match (on, action) {
        (_, "iam:PassRole") => Some(json!({ "StringEquals": { "iam:PassedToService": PASSED_TO } })),
        (_, "iam:CreateServiceLinkedRole") => {
            Some(json!({ "StringEquals": { "iam:AWSServiceName": LINKED } }))
        }
        (Resource::InCluster, _) => {
            Some(json!({ "ArnEquals": { "ecs:cluster": Resource::Cluster.arns(place, environment) } }))
        }
        _ => None,
    }
}
