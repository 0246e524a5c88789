//! Which operations are served: each API's own table, what looks them up, and the page that lists them.

use std::fmt::Write;

use super::{Account, Millis};
use crate::wire::{Api, ApiError, ApiRequest, Outcome};
use crate::{
    acm, cloudmap, cloudwatch, ecr, ecs, elb, identity, logs, quotas, scaling, secretsmanager, ssm, tagging,
};

/// An API's operations: name, and the function that carries it out.
pub(crate) type Operations = &'static [(&'static str, fn(&mut Account, Millis, &ApiRequest) -> Outcome)];

fn of(api: Api) -> Operations {
    match api {
        Api::Ecs => ecs::OPERATIONS,
        Api::Ecr => ecr::OPERATIONS,
        Api::Scaling => scaling::OPERATIONS,
        Api::CloudMap => cloudmap::OPERATIONS,
        Api::Logs => logs::OPERATIONS,
        Api::Ssm => ssm::OPERATIONS,
        Api::CloudWatch => cloudwatch::OPERATIONS,
        Api::SecretsManager => secretsmanager::OPERATIONS,
        Api::Elb => elb::OPERATIONS,
        Api::Tagging => tagging::OPERATIONS,
        Api::Sts => identity::STS,
        Api::Ec2 => identity::EC2,
        Api::Iam => identity::IAM,
        Api::Acm => acm::OPERATIONS,
        Api::Quotas => quotas::OPERATIONS,
    }
}

impl Account {
    /// Carries out an operation, for a caller or for another API of the account.
    pub(crate) fn carry_out(&mut self, now: Millis, request: &ApiRequest) -> Outcome {
        match of(request.api).iter().find(|(name, _)| *name == request.operation) {
            Some((_, operation)) => operation(self, now, request),
            None => Err(ApiError::unknown_operation(request)),
        }
    }
}

/// The text of `docs/operations.md`, which a test compares.
pub fn page() -> String {
    let mut page = String::from(
        "# Operations of the embedded cloud\n\n\
         Every other operation is refused by its name. Generated: `cargo run -p sim --example operations > docs/operations.md`.\n",
    );
    for api in Api::all() {
        let mut names: Vec<&str> = of(api).iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(page, "\n## {}\n\n{}", api.name(), names.join(", "));
    }
    page
}
