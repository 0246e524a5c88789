//! The APIs that are called without an SDK crate of their own.

/// An API that is called this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum Api {
    /// Certificate Manager: JSON 1.1.
    Acm,
    /// CloudWatch: JSON 1.0.
    CloudWatch,
    /// Amazon EC2: query protocol, its own XML.
    Ec2,
    Iam,
    Logs,
    /// Service Quotas: JSON 1.1.
    Quotas,
    /// Application Auto Scaling: JSON 1.1; policies and schedules alone.
    Scaling,
    /// Secrets Manager: JSON 1.1.
    SecretsManager,
    /// Systems Manager: JSON 1.1.
    Ssm,
    /// Resource Groups Tagging: JSON 1.1.
    Tagging,
}

impl Api {
    /// First part of the host name, and the name that requests are signed for.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::CloudWatch => "monitoring",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Logs => "logs",
            Self::Quotas => "servicequotas",
            Self::Scaling => "application-autoscaling",
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "ssm",
            Self::Tagging => "tagging",
        }
    }

    /// Its name in `AWS_ENDPOINT_URL_<NAME>` and in a profile's `services` section.
    pub(super) fn service_id(self) -> &'static str {
        match self {
            Self::Acm => "ACM",
            Self::CloudWatch => "CloudWatch",
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
            Self::Logs => "CloudWatch Logs",
            Self::Quotas => "Service Quotas",
            Self::Scaling => "Application Auto Scaling",
            Self::SecretsManager => "Secrets Manager",
            Self::Ssm => "SSM",
            Self::Tagging => "Resource Groups Tagging API",
        }
    }

    /// How bodies are marked where it speaks JSON.
    pub(super) fn json(self) -> &'static str {
        match self {
            Self::CloudWatch => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        }
    }
}
