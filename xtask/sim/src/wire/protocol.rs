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
    Query { version: &'static str, xmlns: &'static str },
    /// A form in, XML out in EC2's dialect; lists as `<item>`.
    Ec2 { version: &'static str, xmlns: &'static str },
}

/// An API, its name in signatures and policies, and how it is spoken.
#[rustfmt::skip]
const TABLE: [(Api, &str, Protocol); 15] = [
    (Api::Ecs, "ecs", json("AmazonEC2ContainerServiceV20141113", "message")),
    (Api::Ecr, "ecr", json("AmazonEC2ContainerRegistry_V20150921", "message")),
    (Api::Scaling, "application-autoscaling", json("AnyScaleFrontendService", "Message")),
    (Api::CloudMap, "servicediscovery", json("Route53AutoNaming_v20170314", "Message")),
    (Api::Logs, "logs", json("Logs_20140328", "message")),
    (Api::CloudWatch, "cloudwatch", json("GraniteServiceVersion20100801", "message")),
    (Api::Ssm, "ssm", json("AmazonSSM", "message")),
    (Api::SecretsManager, "secretsmanager", json("secretsmanager", "Message")),
    (Api::Tagging, "tag", json("ResourceGroupsTaggingAPI_20170126", "Message")),
    (Api::Acm, "acm", json("CertificateManager", "message")),
    (Api::Quotas, "servicequotas", json("ServiceQuotasV20190624", "Message")),
    (Api::Elb, "elasticloadbalancing", query("2015-12-01", "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/")),
    (Api::Sts, "sts", query("2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/")),
    (Api::Iam, "iam", query("2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/")),
    (Api::Ec2, "ec2", Protocol::Ec2 { version: "2016-11-15", xmlns: "http://ec2.amazonaws.com/doc/2016-11-15/" }),
];

const fn json(prefix: &'static str, message: &'static str) -> Protocol {
    Protocol::Json { prefix, message }
}

const fn query(version: &'static str, xmlns: &'static str) -> Protocol {
    Protocol::Query { version, xmlns }
}

impl Api {
    fn row(self) -> (Self, &'static str, Protocol) {
        TABLE[TABLE.iter().position(|(api, ..)| *api == self).unwrap_or_default()]
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(api, ..)| *api)
    }

    pub(super) fn protocol(self) -> Protocol {
        self.row().2
    }

    /// The name in signatures and in a policy's actions.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// The JSON API whose targets begin with `prefix`.
    pub(super) fn of_target_prefix(prefix: &str) -> Option<Self> {
        let own =
            |protocol: &Protocol| matches!(protocol, Protocol::Json { prefix: own, .. } if *own == prefix);
        TABLE.iter().find(|(_, _, protocol)| own(protocol)).map(|(api, ..)| *api)
    }

    /// The query API that requests for this service name are signed for.
    pub(super) fn of_signing_name(name: &str) -> Option<Self> {
        let query = |protocol: &Protocol| !matches!(protocol, Protocol::Json { .. });
        TABLE.iter().find(|(_, own, protocol)| *own == name && query(protocol)).map(|(api, ..)| *api)
    }

    /// The API's version, for query APIs.
    pub(super) fn version(self) -> Option<&'static str> {
        match self.protocol() {
            Protocol::Json { .. } => None,
            Protocol::Query { version, .. } | Protocol::Ec2 { version, .. } => Some(version),
        }
    }
}
