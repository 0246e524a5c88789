//! `iam`: the policies of the role that deploys, for this `deploy.toml`. It asks AWS nothing.

use deploy::event::ExitCode;
use deploy::iam::{Jobs, Need, Place, Subject, policy, trust};
use serde_json::Value;

use super::Failure;
use super::args::{Global, Iam, Role, Trust};
use super::session::Settings;
use crate::aws::operations::{DEPLOY, DOCTOR, SECRETS, needs};
use crate::host::Host;
use crate::report::print_result;

pub(super) fn run(host: &Host, global: &Global, asked: &Iam) -> Result<ExitCode, Failure> {
    let settings = Settings::read(host, global)?;
    let environment = &settings.environment;
    let account = environment.account.as_deref().ok_or_else(|| {
        Failure::usage(format!("environment `{}` names no account, and policies do", environment.name))
            .hint("write `account = \"…\"` in deploy.toml, or choose another --env")
    })?;
    let place = Place { partition: partition(&environment.region), account };
    let document = match asked {
        Iam::Policy { role: role @ (Role::Smoke | Role::Doctor), .. } => {
            let doctor: &[&[Need]] = if *role == Role::Doctor { &[DOCTOR, SECRETS] } else { &[] };
            let reads = DEPLOY.iter().copied().filter(Need::reads);
            policy(environment, place, &reads.chain(doctor.concat()).collect::<Vec<_>>())
        }
        Iam::Policy { role: Role::Deploy, down, run, secrets } => {
            policy(environment, place, &needs(environment, *run, *secrets, *down))
        }
        Iam::Trust(Trust { repository, owner_id, repository_id, environment, branch }) => {
            let ids = owner_id.zip(*repository_id);
            let environment = environment.as_deref().unwrap_or(&settings.environment.name);
            let jobs = branch.as_deref().map_or(Jobs::Environment(environment), Jobs::Branch);
            trust(place, &Subject { repository, ids, jobs })
        }
    };
    print_result(&pretty(&document)?);
    Ok(ExitCode::Done)
}

fn pretty(document: &Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(document).map_err(|error| Failure::from_error(&error))
}

/// The partition of a region (AWS General Reference, "Partitions").
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
