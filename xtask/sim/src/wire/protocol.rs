//! Which API speaks what: target prefixes, versions and namespaces, as the API models' metadata give them.

use super::Api;

/// How an API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON 1.1: POST with `X-Amz-Target: <prefix>.<operation>`.
    Json {
        /// The target's prefix, without the dot.
        prefix: &'static str,
        /// The member that holds an error's text: `message` or `Message`.
        message: &'static str,
    },
    /// A form in, XML out; lists as `<member>`.
    Query {
        /// The API's version.
        version: &'static str,
        /// The reply's XML namespace.
        xmlns: &'static str,
    },
    /// A form in, XML out in EC2's dialect; lists as `<item>`.
    Ec2 {
        /// The API's version.
        version: &'static str,
        /// The reply's XML namespace.
        xmlns: &'static str,
    },
}

impl Api {
    const ALL: [Self; 13] = [
        Self::Ecs,
        Self::Ecr,
        Self::Scaling,
        Self::CloudMap,
        Self::Logs,
        Self::CloudWatch,
        Self::Ssm,
        Self::SecretsManager,
        Self::Elb,
        Self::Sts,
        Self::Ec2,
        Self::Iam,
        Self::Tagging,
    ];

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Ecs => Protocol::Json { prefix: "AmazonEC2ContainerServiceV20141113", message: "message" },
            Self::Ecr => {
                Protocol::Json { prefix: "AmazonEC2ContainerRegistry_V20150921", message: "message" }
            }
            Self::Scaling => Protocol::Json { prefix: "AnyScaleFrontendService", message: "Message" },
            Self::CloudMap => Protocol::Json { prefix: "Route53AutoNaming_v20170314", message: "Message" },
            Self::Logs => Protocol::Json { prefix: "Logs_20140328", message: "message" },
            Self::CloudWatch => {
                Protocol::Json { prefix: "GraniteServiceVersion20100801", message: "message" }
            }
            Self::Ssm => Protocol::Json { prefix: "AmazonSSM", message: "message" },
            Self::SecretsManager => Protocol::Json { prefix: "secretsmanager", message: "Message" },
            Self::Tagging => {
                Protocol::Json { prefix: "ResourceGroupsTaggingAPI_20170126", message: "Message" }
            }
            Self::Elb => Protocol::Query {
                version: "2015-12-01",
                xmlns: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            },
            Self::Sts => {
                Protocol::Query { version: "2011-06-15", xmlns: "https://sts.amazonaws.com/doc/2011-06-15/" }
            }
            Self::Iam => {
                Protocol::Query { version: "2010-05-08", xmlns: "https://iam.amazonaws.com/doc/2010-05-08/" }
            }
            Self::Ec2 => {
                Protocol::Ec2 { version: "2016-11-15", xmlns: "http://ec2.amazonaws.com/doc/2016-11-15/" }
            }
        }
    }

    /// The JSON API whose targets begin with `prefix`.
    pub(super) fn of_target_prefix(prefix: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|api| matches!(api.protocol(), Protocol::Json { prefix: own, .. } if own == prefix))
    }

    /// The query API that requests for this service name are signed for.
    pub(super) fn of_signing_name(name: &str) -> Option<Self> {
        match name {
            "elasticloadbalancing" => Some(Self::Elb),
            "sts" => Some(Self::Sts),
            "ec2" => Some(Self::Ec2),
            "iam" => Some(Self::Iam),
            _ => None,
        }
    }

    /// The API's version, for query APIs.
    pub(super) fn version(self) -> Option<&'static str> {
        match self.protocol() {
            Protocol::Json { .. } => None,
            Protocol::Query { version, .. } | Protocol::Ec2 { version, .. } => Some(version),
        }
    }
}
