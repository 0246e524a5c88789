//! Why a task failed to start: AWS says it in `stoppedReason`, with the stop code `TaskFailedToStart`.

use super::{Cause, Evidence, Known, failed_to_start, said};

pub(super) const CAUSES: &[Known] = &[
    ("image-not-found", |evidence| {
        let reason = failed_to_start(
            evidence,
            &PULL,
            &["not found", "does not exist", "repository-does-not-exist", "name unknown"],
        )?;
        Some(Cause::plain(
            format!("its image cannot be pulled: {reason}"),
            "push the image again: the tag or digest is not in the repository, or its lifecycle policy removed it",
        ))
    }),
    ("wrong-platform", |evidence| {
        let reason = failed_to_start(evidence, &PULL, &["matching platform", "matching manifest"])?;
        Some(Cause::plain(
            format!("its image is for another processor: {reason}"),
            "build the image for the `architecture` that deploy.toml names, or change `architecture`",
        ))
    }),
    ("image-denied", |evidence| {
        let reason = failed_to_start(
            evidence,
            &PULL,
            &["AccessDenied", "not authorized", "403", "using the task execution role", "denied"],
        )?;
        Some(Cause::plain(
            format!("its image may not be pulled: {reason}"),
            "let the execution role pull it: `ecr:GetAuthorizationToken`, `ecr:BatchGetImage`, `ecr:GetDownloadUrlForLayer`",
        ))
    }),
    ("image-unreachable", |evidence| {
        let reason = failed_to_start(evidence, &PULL, &[])?;
        Some(Cause::open(
            format!("its image cannot be pulled: {reason}"),
            "check the way from the subnets to the registry: a NAT gateway, or VPC endpoints for ecr.api, ecr.dkr and s3",
        ))
    }),
    ("secret-missing", secret_missing),
    ("secret-unreachable", |evidence| {
        let reason = failed_to_start(evidence, &["unable to pull secrets or registry auth", "secret"], &[])?;
        Some(Cause::open(
            format!("secrets or registry credentials cannot be fetched: {reason}"),
            "check the way from the subnets to AWS: a NAT gateway, or VPC endpoints for secretsmanager, ssm, ecr.api and ecr.dkr",
        ))
    }),
    ("log-group-missing", |evidence| {
        let reason = failed_to_start(
            evidence,
            &[
                "failed to validate logger args",
                "failed to initialize logging driver",
                "create stream has been retried",
                "log group",
            ],
            &[],
        )?;
        Some(Cause::plain(
            format!("its log cannot be opened: {reason}"),
            "check that the log group exists and that the execution role may write to it (logs:CreateLogStream, logs:PutLogEvents)",
        ))
    }),
    ("volume-not-mounted", |evidence| {
        let reason = failed_to_start(evidence, &["to set up EFS volumes", "EFS utils"], &[])?;
        Some(Cause::plain(
            format!("a volume of EFS cannot be mounted: {reason}"),
            "check that the file system has a mount target in each subnet's zone whose security group lets the tasks in on port \
             2049, and that the task role may mount it; the embedded cloud has no EFS: set `efs = \"\"` there",
        ))
    }),
    ("environment-file-missing", |evidence| {
        let reason = failed_to_start(evidence, &["failed to download env files"], &[])?;
        Some(Cause::plain(
            format!("a file of environment variables cannot be read: {reason}"),
            "upload it, and let the execution role read it: `s3:GetObject`, `s3:GetBucketLocation`; the embedded cloud has no \
             S3: set `environment-files = []` there",
        ))
    }),
    ("network-interface", |evidence| {
        let reason = failed_to_start(
            evidence,
            &[
                "Network Interface",
                "network interface",
                "insufficient free addresses",
                "InsufficientFreeAddresses",
            ],
            &[],
        )?;
        Some(Cause::open(
            format!("no network interface could be made for it: {reason}"),
            "check free addresses of the subnets, the security groups and the network interface quota",
        ))
    }),
    ("role-not-assumable", |evidence| {
        let reason = said(evidence, &["failed to launch a task"], &["unable to assume the role"])?;
        Some(Cause::plain(
            format!("ECS cannot assume a role of the task: {reason}"),
            "let `ecs-tasks.amazonaws.com` assume the execution role and the task role (their trust policies)",
        ))
    }),
];

/// In the texts of an image that cannot be pulled.
const PULL: [&str; 2] = ["CannotPull", "can't pull"];

/// What Fargate says before the names of the parameters that are not there.
const NO_PARAMETER: &str = "invalid ssm parameters: ";
/// What it says before the key that a secret's JSON lacks.
const NO_KEY: &str = "did not contain json key ";
/// What Secrets Manager says of a missing secret, after its ARN.
const NO_SECRET: &str = "find the specified secret";

/// A secret does not exist, has no such key, or may not be read.
fn secret_missing(evidence: &Evidence) -> Option<Cause> {
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
    let cause = |text: String, remedy: &str| Some(Cause::plain(text, remedy));
    if let Some(names) = after(NO_PARAMETER) {
        let name = names.split(", ").next().unwrap_or(names);
        let remedy = format!(
            "make it with `aws ssm put-parameter --type SecureString --name {name} --value file://FILE` (on the embedded \
             cloud with `--endpoint-url`), or, where deploy.toml names it, correct the container's `secrets`"
        );
        return cause(format!("Parameter Store does not have `{names}`"), &remedy);
    }
    if let Some(key) = after(NO_KEY) {
        return cause(
            format!("a secret of Secrets Manager has no key `{key}`"),
            "put a value that has the key (`aws secretsmanager put-secret-value`), or, where deploy.toml names it, \
             correct the container's `secrets`",
        );
    }
    if reason.contains(NO_SECRET) {
        let arn = after("failed to fetch secret ").and_then(|rest| rest.split(' ').next());
        return cause(
            format!("Secrets Manager does not have {}", arn.unwrap_or("a secret")),
            "make it with `aws secretsmanager create-secret` (on the embedded cloud with `--endpoint-url`), or, \
             where deploy.toml names it, correct the container's `secrets`",
        );
    }
    cause(
        format!("a secret cannot be read: {reason}"),
        "let the execution role read it: `ssm:GetParameters`, `secretsmanager:GetSecretValue`, and `kms:Decrypt` where the \
         key is one of your own",
    )
}
