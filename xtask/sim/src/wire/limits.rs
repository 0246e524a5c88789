//! How many entries a list of a request may have, and how many a page: limits of the API models and of the API
//! references, where no operation gives its own text for them.

use serde_json::Value;

use super::{Api, ApiError, ApiRequest};

/// API, operations, member, most entries or highest number.
#[rustfmt::skip]
const TABLE: &[(Api, &[&str], &str, u64)] = &[
    (Api::Scaling, &["DescribeScalableTargets"], "ResourceIds", 50),
    (Api::Scaling, &["DescribeScalingPolicies"], "PolicyNames", 50),
    (Api::Scaling, &["DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScalingActivities"], "MaxResults", 50),
    (Api::Ecr, &["DescribeRepositories"], "repositoryNames", 100),
    (Api::Ecr, &["BatchGetImage", "BatchDeleteImage", "DescribeImages"], "imageIds", 100),
    (Api::Ecr, &["BatchGetImage"], "acceptedMediaTypes", 100),
    (Api::Ecr, &["BatchCheckLayerAvailability"], "layerDigests", 100),
    (Api::Ecr, &["GetAuthorizationToken"], "registryIds", 10),
    (Api::Ecr, &["DescribeRepositories", "DescribeImages", "ListImages"], "maxResults", 1000),
    (Api::Elb, &["DescribeLoadBalancers"], "LoadBalancerArns", 20),
    (Api::Elb, &["DescribeLoadBalancers", "DescribeTargetGroups"], "Names", 20),
    (Api::Elb, &["DescribeTargetGroups"], "TargetGroupArns", 20),
    (Api::Elb, &["DescribeListeners"], "ListenerArns", 20),
    (Api::Elb, &["DescribeRules"], "RuleArns", 20),
    (Api::Elb, &["AddTags", "RemoveTags", "DescribeTags"], "ResourceArns", 20),
    (Api::Elb, &["ModifyLoadBalancerAttributes"], "Attributes", 20),
    (Api::Elb, &["DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "DescribeTargetGroups"], "PageSize", 400),
    (Api::CloudMap, &["ListNamespaces"], "MaxResults", 100),
    (Api::Logs, &["FilterLogEvents"], "logStreamNames", 100),
    (Api::Logs, &["DescribeLogGroups", "DescribeLogStreams"], "limit", 50),
    (Api::Logs, &["FilterLogEvents", "GetLogEvents"], "limit", 10_000),
    (Api::Ec2, &["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeRouteTables", "DescribeNatGateways", "DescribeVpcEndpoints"], "MaxResults", 1000),
    (Api::Quotas, &["ListServiceQuotas"], "MaxResults", 100),
];

/// Refuses a request that goes over a limit, in the words of AWS's own validation.
pub(crate) fn check(request: &ApiRequest) -> Result<(), ApiError> {
    for (api, operations, member, most) in TABLE {
        if *api != request.api || !operations.contains(&request.operation.as_str()) {
            continue;
        }
        let (given, constraint) = match &request.params[member] {
            Value::Array(items) => (items.len() as u64, "length"),
            Value::Number(number) => (number.as_u64().unwrap_or_default(), "value"),
            Value::String(text) => (text.parse().unwrap_or_default(), "value"),
            _ => continue,
        };
        if given > *most {
            let text = format!(
                "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
                 Member must have {constraint} less than or equal to {most}"
            );
            return Err(ApiError::new(api.invalid(), text));
        }
    }
    Ok(())
}

impl Api {
    /// The code of every refusal of a parameter's form.
    pub(crate) fn invalid(self) -> &'static str {
        match self {
            Self::Scaling | Self::Ssm | Self::Acm => "ValidationException",
            Self::CloudMap => "InvalidInput",
            Self::CloudWatch | Self::Elb | Self::Sts | Self::Iam => "ValidationError",
            Self::Ec2 => "InvalidParameterValue",
            Self::Quotas => "IllegalArgumentException",
            _ => "InvalidParameterException",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_more_than_the_most_is_refused() {
        for (api, operations, member, most) in TABLE {
            for operation in *operations {
                let list =
                    |len: u64| ApiRequest::of(*api, operation, json!({ *member: vec!["x"; len as usize] }));
                assert_eq!(check(&list(*most)), Ok(()), "{operation}");
                let refused = check(&list(most + 1)).unwrap_err();
                assert!(refused.message.contains(&format!("'{member}'")), "{refused:?}");
                let number = ApiRequest::of(*api, operation, json!({ *member: most + 1 }));
                assert!(check(&number).is_err(), "{operation}");
            }
        }
        let form = ApiRequest::form(Api::Elb, "DescribeTargetGroups", "PageSize=401");
        assert_eq!(check(&form).unwrap_err().code, "ValidationError");
    }
}
