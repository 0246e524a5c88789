//! One API call and its outcome, as all modules of the account see them: free of any protocol.

use std::fmt;

use serde_json::Value;

use super::protocol::Protocol;

/// The API that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    Ecs,
    Ecr,
    Scaling,
    CloudMap,
    Logs,
    CloudWatch,
    /// AWS Systems Manager (Parameter Store).
    Ssm,
    SecretsManager,
    Elb,
    Sts,
    Ec2,
    Iam,
    /// Resource Groups Tagging (read calls).
    Tagging,
    /// AWS Certificate Manager.
    Acm,
    /// Service Quotas.
    Quotas,
}

/// One API call, decoded. Its `Debug` shows nothing of what parameters and secrets hold.
#[derive(Clone)]
pub struct ApiRequest {
    /// The API it is for.
    pub api: Api,
    /// The operation's name, such as `CreateService`.
    pub operation: String,
    /// The request's members by their API names. Query lists (`Names.member.1`) arrive as arrays, and
    /// every query value as a string.
    pub params: Value,
    /// The access key id of the signature's credential scope; `None` in a call that the account makes to itself.
    pub access_key: Option<String>,
    /// The region of the signature's credential scope; `None` where `access_key` is.
    pub region: Option<String>,
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ApiRequest");
        shown.field("api", &self.api).field("operation", &self.operation);
        if !matches!(self.api, Api::Ssm | Api::SecretsManager) {
            shown.field("params", &self.params);
        }
        shown.field("access_key", &self.access_key).field("region", &self.region).finish_non_exhaustive()
    }
}

impl ApiRequest {
    /// A call as a JSON client makes it, or the account to itself.
    pub(crate) fn of(api: Api, operation: &str, mut params: Value) -> Self {
        super::drop_nulls(&mut params);
        Self { api, operation: operation.to_owned(), params, access_key: None, region: None }
    }

    /// A call as a query client makes it, its parameters written as a form.
    #[cfg(test)]
    pub(crate) fn form(api: Api, operation: &str, form: &str) -> Self {
        let params = super::form::parse(form.as_bytes()).map(Value::Object).unwrap_or_default();
        Self::of(api, operation, params)
    }
}

/// An error as AWS declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The error's code on the wire, such as `ClusterNotFoundException` or, in ELBv2, `TargetGroupNotFound`.
    pub code: &'static str,
    /// The text as AWS words it.
    pub message: String,
    /// 400 for modelled errors, 500 for server faults.
    pub status: u16,
}

impl ApiError {
    /// A client error (HTTP 400, as all of ECS's modelled errors are).
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400 }
    }

    /// The same error under another HTTP status: STS and IAM use 403 and 404 too.
    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The refusal of an operation that is not served: AWS's code for one that does not exist, and, where AWS says
    /// nothing, where to look up what there is.
    pub(crate) fn unknown_operation(request: &ApiRequest) -> Self {
        let code = match request.api.protocol() {
            Protocol::Json { .. } => "UnknownOperationException",
            Protocol::Query { .. } | Protocol::Ec2 { .. } => "InvalidAction",
        };
        let (api, operation) = (request.api.name(), &request.operation);
        let text = format!(
            "the embedded cloud does not have {api}:{operation}; docs/operations.md lists what it has"
        );
        Self::new(code, text)
    }
}

/// What an operation gives: the reply's members by their API names, or the declared error.
pub(crate) type Outcome = Result<Value, ApiError>;
