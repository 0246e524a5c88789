//! A secret does not exist, has no such key, or may not be read. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "secret-missing";

/// What Fargate says before the names of the parameters that are not there.
const NO_PARAMETER: &str = "invalid ssm parameters: ";
/// What it says before the key that a secret's JSON lacks.
const NO_KEY: &str = "did not contain json key ";
/// What Secrets Manager says of a secret that is not there; its ARN stands before.
const NO_SECRET: &str = "find the specified secret";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &["secret", "ssm"],
        &[
            "ResourceNotFound",
            "AccessDenied",
            "not authorized",
            NO_KEY,
            NO_PARAMETER,
            "invalid parameters",
            NO_SECRET,
        ],
    )?;
    let after = |mark: &str| reason.split_once(mark).map(|(_, rest)| rest.trim().trim_end_matches('.'));
    let cause = |text: String, remedy: &str| Some(Cause::plain(CODE, text, remedy));
    if let Some(names) = after(NO_PARAMETER) {
        let name = names.split(", ").next().unwrap_or(names);
        let remedy = format!(
            "make it with `aws ssm put-parameter --type SecureString --name {name} --value file://FILE` (on the embedded \
             cloud with `--endpoint-url`), or mend the container's `secrets` in deploy.toml"
        );
        return cause(format!("Parameter Store does not have `{names}`"), &remedy);
    }
    if let Some(key) = after(NO_KEY) {
        return cause(
            format!("a secret of Secrets Manager has no key `{key}`"),
            "put a value that has the key (`aws secretsmanager put-secret-value`), or mend the container's `secrets` in \
             deploy.toml",
        );
    }
    if reason.contains(NO_SECRET) {
        let arn = after("failed to fetch secret ").and_then(|rest| rest.split(' ').next());
        return cause(
            format!("Secrets Manager does not have {}", arn.unwrap_or("a secret")),
            "make it with `aws secretsmanager create-secret` (on the embedded cloud with `--endpoint-url`), or mend the \
             container's `secrets` in deploy.toml",
        );
    }
    cause(
        format!("a secret cannot be read: {reason}"),
        "let the execution role read it: `ssm:GetParameters`, `secretsmanager:GetSecretValue`, and `kms:Decrypt` where the \
         key is one of your own",
    )
}
