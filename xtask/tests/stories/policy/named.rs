//! What a call names, as the ARNs that a policy is asked about.
//!
//! Source: Service Authorization Reference, the tables of each service. What names no resource there, and what this tool's
//! policy does not limit, is `*`. Of what is yet to be made the ARN ends with `*` where AWS would put a number or an id.

use serde_json::Value;
use sim::testing::{Api, ApiRequest};

/// The resource of actions that have no resource-level permission.
pub(super) const ANY: &str = "*";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Place {
    /// The ARNs that the request names; never none.
    pub(super) fn named(&self, request: &ApiRequest) -> Vec<String> {
        let found = match request.api {
            Api::Ecs => self.ecs(request),
            Api::Ecr => self.ecr(request),
            Api::Logs => self.logs(request),
            Api::Elb => self.elb(request),
            Api::Scaling if !request.operation.starts_with("Describe") => {
                vec![self.arn("application-autoscaling", "scalable-target/*")]
            }
            Api::CloudMap if ["GetNamespace", "DeleteNamespace"].contains(&&*request.operation) => {
                self.arns(request, &["Id"], "servicediscovery", "namespace/", "")
            }
            Api::SecretsManager => self.arns(request, &["SecretId"], "secretsmanager", "secret:", "-*"),
            // DescribeParameters has no resource-level permission.
            Api::Ssm if !request.operation.starts_with("Describe") => given(request, &["Name", "Names"])
                .iter()
                .map(|name| self.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/'))))
                .collect(),
            Api::Iam => given(request, &["RoleName"])
                .iter()
                .map(|role| format!("arn:aws:iam::{}:role/{role}", self.account))
                .collect(),
            _ => Vec::new(),
        };
        if found.is_empty() { vec![ANY.to_owned()] } else { found }
    }

    /// The cluster's ARN, which `ecs:cluster` is compared with.
    pub(super) fn cluster(&self, request: &ApiRequest) -> Option<String> {
        (request.api == Api::Ecs).then(|| self.arn("ecs", &format!("cluster/{}", cluster(request))))
    }

    fn ecs(&self, request: &ApiRequest) -> Vec<String> {
        let cluster = cluster(request);
        let (service, task) = (format!("service/{cluster}/"), format!("task/{cluster}/"));
        match request.operation.as_str() {
            "CreateCluster" | "DeleteCluster" | "DescribeClusters" | "PutClusterCapacityProviders" => {
                self.arns(request, &["clusterName", "cluster", "clusters"], "ecs", "cluster/", "")
            }
            "CreateService" => self.arns(request, &["serviceName"], "ecs", &service, ""),
            "DeleteService" | "DescribeServices" | "ListServiceDeployments" | "UpdateService" => {
                self.arns(request, &["service", "services"], "ecs", &service, "")
            }
            "DescribeServiceDeployments" | "DescribeServiceRevisions" | "StopServiceDeployment" => {
                given(request, &["serviceDeploymentArn", "serviceDeploymentArns", "serviceRevisionArns"])
            }
            "DescribeTasks" | "StopTask" => self.arns(request, &["task", "tasks"], "ecs", &task, ""),
            "RunTask" => self.arns(request, &["taskDefinition"], "ecs", "task-definition/", ""),
            "RegisterTaskDefinition" => self.arns(request, &["family"], "ecs", "task-definition/", ":*"),
            "ListTagsForResource" | "TagResource" | "UntagResource" => given(request, &["resourceArn"]),
            _ => Vec::new(),
        }
    }

    fn ecr(&self, request: &ApiRequest) -> Vec<String> {
        let named = self.arns(request, &["repositoryName", "repositoryNames"], "ecr", "repository/", "");
        // A list without names is one of all of them.
        match request.operation == "DescribeRepositories" && named.is_empty() {
            true => vec![self.arn("ecr", "repository/*")],
            false => named,
        }
    }

    fn logs(&self, request: &ApiRequest) -> Vec<String> {
        match request.operation.as_str() {
            "DescribeLogGroups" => Vec::new(),
            "GetLogEvents" => {
                let stream = given(request, &["logStreamName"]).concat();
                let end = format!(":log-stream:{stream}");
                self.arns(request, &["logGroupName"], "logs", "log-group:", &end)
            }
            _ => self.arns(request, &["logGroupName", "resourceArn"], "logs", "log-group:", ""),
        }
    }

    fn elb(&self, request: &ApiRequest) -> Vec<String> {
        let elb = "elasticloadbalancing";
        match request.operation.as_str() {
            operation if operation.starts_with("Describe") => Vec::new(),
            "CreateLoadBalancer" => self.arns(request, &["Name"], elb, "loadbalancer/app/", "/*"),
            "CreateTargetGroup" => self.arns(request, &["Name"], elb, "targetgroup/", "/*"),
            "SetRulePriorities" => {
                let rules =
                    request.params["RulePriorities"].as_array().map(Vec::as_slice).unwrap_or_default();
                rules.iter().flat_map(|rule| texts(&rule["RuleArn"])).collect()
            }
            _ => given(
                request,
                &["LoadBalancerArn", "ListenerArn", "RuleArn", "TargetGroupArn", "ResourceArns"],
            ),
        }
    }

    /// What these members name, as ARNs: `before` and `after` stand around a name, and an ARN stays as it is.
    fn arns(
        &self,
        request: &ApiRequest,
        members: &[&str],
        service: &str,
        before: &str,
        after: &str,
    ) -> Vec<String> {
        let arn = |name: String| match name.starts_with("arn:") {
            true => name,
            false => self.arn(service, &format!("{before}{name}{after}")),
        };
        given(request, members).into_iter().map(arn).collect()
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }
}

/// The texts that a member holds, which may be one.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// The texts of these members.
fn given(request: &ApiRequest, members: &[&str]) -> Vec<String> {
    members.iter().flat_map(|member| texts(request.params.get(*member).unwrap_or(&Value::Null))).collect()
}

/// The name of the cluster that a request names by its name or ARN.
fn cluster(request: &ApiRequest) -> String {
    let named = given(request, &["cluster"]).concat();
    match named.rsplit('/').next() {
        None | Some("") => "default".to_owned(),
        Some(name) => name.to_owned(),
    }
}
