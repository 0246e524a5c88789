//! Which operations are served: each API's own table, what it lends them of the account, and the page that lists them.

use std::fmt::Write;

use super::Account;
use crate::clock::Millis;
use crate::wire::{Api, ApiRequest, Operations, Outcome, operation};
use crate::{
    acm, cloudmap, cloudwatch, ecr, ecs, elb, identity, logs, quotas, scaling, secretsmanager, ssm, tagging,
};

impl Account {
    /// Carries out an operation, for a caller or for another API of the account.
    pub(crate) fn carry_out(&mut self, now: Millis, request: &ApiRequest) -> Outcome {
        match request.api {
            Api::Ecs => operation(ecs::OPERATIONS, request)?(&mut self.ecs_region(), now, request),
            Api::Ecr => operation(ecr::OPERATIONS, request)?(&mut self.base, &mut self.ecr, now, request),
            Api::Scaling => {
                operation(scaling::OPERATIONS, request)?(&mut self.scaling_region(), now, request)
            }
            Api::CloudMap => {
                let operation = operation(cloudmap::OPERATIONS, request)?;
                let registered = ecs::registered(&self.ecs_region());
                let (base, cloudmap, identity) = (&mut self.base, &mut self.cloudmap, &self.identity);
                operation(
                    &mut cloudmap::Region { base, cloudmap, identity, registered: &registered },
                    now,
                    request,
                )
            }
            Api::Logs => operation(logs::OPERATIONS, request)?(&mut self.base, &mut self.logs, now, request),
            Api::Ssm => match operation(ecs::SESSIONS, request) {
                Ok(of_session) => of_session(&mut self.ecs_region(), now, request),
                Err(_) => operation(ssm::OPERATIONS, request)?(
                    &mut self.base,
                    &mut self.ssm,
                    &self.identity,
                    now,
                    request,
                ),
            },
            Api::CloudWatch => operation(cloudwatch::OPERATIONS, request)?(
                &mut self.base,
                &mut self.cloudwatch,
                now,
                request,
            ),
            Api::SecretsManager => operation(secretsmanager::OPERATIONS, request)?(
                &mut self.base,
                &mut self.secrets_manager,
                now,
                request,
            ),
            Api::Elb => operation(elb::OPERATIONS, request)?(
                &mut self.base,
                &mut self.elb,
                &self.identity,
                now,
                request,
            ),
            Api::Tagging => operation(tagging::OPERATIONS, request)?(&self.base, request),
            Api::Sts => operation(identity::STS, request)?(&mut self.base, &mut self.identity, now, request),
            Api::Ec2 => operation(identity::EC2, request)?(&mut self.base, &mut self.identity, now, request),
            Api::Iam => operation(identity::IAM, request)?(&mut self.base, &mut self.identity, now, request),
            Api::Acm => operation(acm::OPERATIONS, request)?(&mut self.base, &mut self.acm, now, request),
            Api::Quotas => {
                operation(quotas::OPERATIONS, request)?(&mut self.base, &mut self.quotas, now, request)
            }
        }
    }
}

fn names(api: Api) -> Vec<&'static str> {
    fn of<F>(operations: Operations<F>) -> Vec<&'static str> {
        operations.iter().map(|(name, _)| *name).collect()
    }
    match api {
        Api::Ecs => of(ecs::OPERATIONS),
        Api::Ecr => of(ecr::OPERATIONS),
        Api::Scaling => of(scaling::OPERATIONS),
        Api::CloudMap => of(cloudmap::OPERATIONS),
        Api::Logs => of(logs::OPERATIONS),
        Api::Ssm => [of(ssm::OPERATIONS), of(ecs::SESSIONS)].concat(),
        Api::CloudWatch => of(cloudwatch::OPERATIONS),
        Api::SecretsManager => of(secretsmanager::OPERATIONS),
        Api::Elb => of(elb::OPERATIONS),
        Api::Tagging => of(tagging::OPERATIONS),
        Api::Sts => of(identity::STS),
        Api::Ec2 => of(identity::EC2),
        Api::Iam => of(identity::IAM),
        Api::Acm => of(acm::OPERATIONS),
        Api::Quotas => of(quotas::OPERATIONS),
    }
}

/// The text of `docs/operations.md`, which a test compares.
pub fn page() -> String {
    let mut page = String::from(
        "# Operations of the embedded cloud\n\n\
         Every other operation is refused by its name. Generated: `cargo run -p sim --example operations > docs/operations.md`.\n",
    );
    for api in Api::all() {
        let mut names = names(api);
        names.sort_unstable();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(page, "\n## {}\n\n{}", api.name(), names.join(", "));
    }
    page
}
