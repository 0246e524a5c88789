//! The operations that this layer calls, as the IAM actions that allow them and what those are about.
//!
//! A test holds the table against the code: a call that is not in it would be one that the printed policy denies.

use deploy::iam::{Need, Resource};
use deploy::model::Environment;
use deploy::secrets::named;

const fn need(action: &'static str, on: Resource) -> Need {
    Need { action, on }
}

/// What the verbs call that deploy, look and act on what is deployed.
pub const DEPLOY: &[Need] = &[
    need("application-autoscaling:DeleteScalingPolicy", Resource::ScalableTarget),
    need("application-autoscaling:DeleteScheduledAction", Resource::ScalableTarget),
    need("application-autoscaling:DeregisterScalableTarget", Resource::ScalableTarget),
    need("application-autoscaling:DescribeScalableTargets", Resource::Any),
    need("application-autoscaling:DescribeScalingActivities", Resource::Any),
    need("application-autoscaling:DescribeScalingPolicies", Resource::Any),
    need("application-autoscaling:DescribeScheduledActions", Resource::Any),
    need("application-autoscaling:PutScalingPolicy", Resource::ScalableTarget),
    need("application-autoscaling:PutScheduledAction", Resource::ScalableTarget),
    need("application-autoscaling:RegisterScalableTarget", Resource::ScalableTarget),
    need("cloudwatch:DescribeAlarms", Resource::Any),
    need("ec2:DescribeSecurityGroups", Resource::Any),
    need("ec2:DescribeSubnets", Resource::Any),
    need("ec2:DescribeVpcs", Resource::Any),
    need("ecr:BatchGetImage", Resource::Repository),
    need("ecr:CreateRepository", Resource::Repository),
    need("ecr:DeleteLifecyclePolicy", Resource::Repository),
    need("ecr:DescribeImages", Resource::Repository),
    need("ecr:DescribeRepositories", Resource::Repository),
    need("ecr:GetAuthorizationToken", Resource::Any),
    need("ecr:GetLifecyclePolicy", Resource::Repository),
    need("ecr:PutImageTagMutability", Resource::Repository),
    need("ecr:PutLifecyclePolicy", Resource::Repository),
    need("ecs:CreateCluster", Resource::Cluster),
    need("ecs:CreateService", Resource::Service),
    need("ecs:DeregisterTaskDefinition", Resource::Any),
    need("ecs:DescribeClusters", Resource::Cluster),
    need("ecs:DescribeServiceDeployments", Resource::ServiceDeployment),
    need("ecs:DescribeServiceRevisions", Resource::ServiceDeployment),
    // Also of services that are not in the file: one of them may use a target group of it.
    need("ecs:DescribeServices", Resource::Any),
    need("ecs:DescribeTaskDefinition", Resource::Any),
    need("ecs:DescribeTasks", Resource::Task),
    need("ecs:ListServiceDeployments", Resource::Service),
    need("ecs:ListServices", Resource::InCluster),
    need("ecs:ListTagsForResource", Resource::Cluster),
    need("ecs:ListTaskDefinitions", Resource::Any),
    need("ecs:ListTasks", Resource::InCluster),
    need("ecs:PutClusterCapacityProviders", Resource::Cluster),
    need("ecs:RegisterTaskDefinition", Resource::TaskDefinition),
    need("ecs:StopServiceDeployment", Resource::ServiceDeployment),
    need("ecs:TagResource", Resource::Tagged),
    need("ecs:UntagResource", Resource::Cluster),
    need("ecs:UpdateService", Resource::Service),
    need("elasticloadbalancing:AddListenerCertificates", Resource::LoadBalancing),
    need("elasticloadbalancing:CreateListener", Resource::LoadBalancing),
    need("elasticloadbalancing:CreateLoadBalancer", Resource::LoadBalancing),
    need("elasticloadbalancing:CreateRule", Resource::LoadBalancing),
    need("elasticloadbalancing:CreateTargetGroup", Resource::LoadBalancing),
    need("elasticloadbalancing:DeleteRule", Resource::LoadBalancing),
    need("elasticloadbalancing:DescribeListenerCertificates", Resource::Any),
    need("elasticloadbalancing:DescribeListeners", Resource::Any),
    need("elasticloadbalancing:DescribeLoadBalancerAttributes", Resource::Any),
    need("elasticloadbalancing:DescribeLoadBalancers", Resource::Any),
    need("elasticloadbalancing:DescribeRules", Resource::Any),
    need("elasticloadbalancing:DescribeTargetGroupAttributes", Resource::Any),
    need("elasticloadbalancing:DescribeTargetGroups", Resource::Any),
    need("elasticloadbalancing:DescribeTargetHealth", Resource::Any),
    need("elasticloadbalancing:ModifyListener", Resource::LoadBalancing),
    need("elasticloadbalancing:ModifyLoadBalancerAttributes", Resource::LoadBalancing),
    need("elasticloadbalancing:ModifyRule", Resource::LoadBalancing),
    need("elasticloadbalancing:ModifyTargetGroup", Resource::LoadBalancing),
    need("elasticloadbalancing:ModifyTargetGroupAttributes", Resource::LoadBalancing),
    need("elasticloadbalancing:SetRulePriorities", Resource::LoadBalancing),
    need("iam:GetRole", Resource::Role),
    need("logs:CreateLogGroup", Resource::LogGroup),
    need("logs:DeleteRetentionPolicy", Resource::LogGroup),
    need("logs:DescribeLogGroups", Resource::Any),
    need("logs:FilterLogEvents", Resource::LogGroup),
    need("logs:GetLogEvents", Resource::LogGroup),
    need("logs:PutRetentionPolicy", Resource::LogGroup),
    need("servicediscovery:CreateHttpNamespace", Resource::Any),
    need("servicediscovery:GetNamespace", Resource::Namespace),
    need("servicediscovery:GetOperation", Resource::Any),
    need("servicediscovery:ListNamespaces", Resource::Any),
    need("tag:GetResources", Resource::Any),
];

/// What `secrets list` and `status` ask of the stores, without reading a value.
pub const SECRETS: &[Need] =
    &[need("secretsmanager:DescribeSecret", Resource::Secret), need("ssm:DescribeParameters", Resource::Any)];

/// What `secrets set` calls besides.
pub const SET: &[Need] =
    &[need("secretsmanager:PutSecretValue", Resource::Secret), need("ssm:PutParameter", Resource::Parameter)];

/// What `doctor` reads beyond a deploy's own calls.
pub const DOCTOR: &[Need] = &[
    need("acm:DescribeCertificate", Resource::Any),
    need("ec2:DescribeNatGateways", Resource::Any),
    need("ec2:DescribeRouteTables", Resource::Any),
    need("ec2:DescribeVpcEndpoints", Resource::Any),
    // Also of the role that deploys.
    need("iam:GetRole", Resource::Any),
    need("iam:SimulatePrincipalPolicy", Resource::Any),
    need("servicequotas:ListServiceQuotas", Resource::Any),
];

/// What `run` calls besides, and a deploy with a `before-roll`. Whoever may run tasks acts with their roles.
pub const RUN: &[Need] =
    &[need("ecs:RunTask", Resource::TaskDefinition), need("ecs:StopTask", Resource::Task)];

/// What `down` calls beyond a deploy's own calls.
pub const DOWN: &[Need] = &[
    need("ecs:DeleteCluster", Resource::Cluster),
    need("ecs:DeleteService", Resource::Service),
    need("elasticloadbalancing:DeleteListener", Resource::LoadBalancing),
    need("elasticloadbalancing:DeleteLoadBalancer", Resource::LoadBalancing),
    need("elasticloadbalancing:DeleteTargetGroup", Resource::LoadBalancing),
    need("servicediscovery:DeleteNamespace", Resource::Namespace),
];

/// What the verbs need in this environment.
pub fn needs(environment: &Environment, run: bool, set: bool, down: bool) -> Vec<Need> {
    let secrets = !named(environment).is_empty();
    let set = [(secrets, SECRETS), (secrets && set, SET)].map(|(needs, what)| if needs { what } else { &[] });
    let run = run || environment.services.iter().any(|service| service.before_roll.is_some());
    [DEPLOY, &set.concat(), if run { RUN } else { &[] }, if down { DOWN } else { &[] }].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Takes no right: everybody may ask who they are.
    const FREE: &str = "sts:GetCallerIdentity";

    /// Opens a shell in production: a developer's own right, and never the deploying role's.
    const DEVELOPERS: &str = "ecs:ExecuteCommand";

    /// `Op::read("ecs", "ListTasks")` and its like, in all files of this layer.
    fn called() -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws")];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                let constant =
                    text.split("const SERVICE: &str = \"").nth(1).and_then(|rest| rest.split('"').next());
                for kind in ["Op::read(", "Op::write(", "Op::write_once("] {
                    for rest in text.split(kind).skip(1) {
                        let arguments = rest.split(')').next().unwrap();
                        let Some((service, name)) = arguments.split_once(", ") else { continue };
                        let service =
                            if service == "SERVICE" { constant.unwrap() } else { service.trim_matches('"') };
                        let name = name.trim_matches('"');
                        if name.chars().all(char::is_alphanumeric) {
                            found.insert(format!("{service}:{name}"));
                        }
                    }
                }
            }
        }
        found
    }

    #[test]
    fn no_call_is_left_out_of_the_policy_and_no_right_is_asked_for_nothing() {
        let mut known: BTreeSet<String> = DEPLOY
            .iter()
            .chain(SECRETS)
            .chain(DOCTOR)
            .chain(SET)
            .chain(RUN)
            .chain(DOWN)
            .map(|need| need.action.to_owned())
            .collect();
        known.extend([FREE.to_owned(), DEVELOPERS.to_owned()]);
        assert_eq!(called(), known);
    }
}
