//! Each known text against the cause that it must give.

use std::collections::BTreeMap;

use super::super::snapshot::ContainerSnapshot;
use super::*;

fn stopped(code: &str, reason: &str, exit: Option<i32>, container_reason: Option<&str>) -> TaskSnapshot {
    TaskSnapshot {
        id: "0123456789abcdef".into(),
        stop_code: Some(code.into()),
        stopped_reason: Some(reason.into()),
        started_ms: Some(10_000),
        stopped_ms: Some(12_000),
        containers: vec![ContainerSnapshot {
            name: "backend".into(),
            exit_code: exit,
            reason: container_reason.map(str::to_owned),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn unhealthy(text: &str) -> Evidence {
    let target =
        TargetSnapshot { state: "unhealthy".into(), description: Some(text.into()), ..Default::default() };
    Evidence { targets: vec![target], ..Default::default() }
}

fn found(evidence: &Evidence) -> (&'static str, bool) {
    explain(evidence).map_or(("none", false), |cause| (cause.code, cause.plain))
}

#[test]
fn each_text_that_aws_uses_has_its_cause() {
    let cases = [
        (
            "image-not-found",
            "start",
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref x: not found",
        ),
        (
            "wrong-platform",
            "start",
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'",
        ),
        (
            "image-denied",
            "start",
            "The task can't pull the image 'x' from Amazon ECR using the task execution role 'y'",
        ),
        (
            "image-denied",
            "start",
            "CannotPullContainerError: AccessDeniedException: User is not authorized to perform ecr:BatchGetImage",
        ),
        ("image-unreachable", "start", "CannotPullContainerError: dial tcp: i/o timeout"),
        (
            "secret-missing",
            "start",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: AccessDeniedException",
        ),
        (
            "secret-missing",
            "start",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /ielts/key",
        ),
        (
            "secret-unreachable",
            "start",
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task and AWS Systems Manager Parameter Store. Check your task network configuration.",
        ),
        (
            "secret-unreachable",
            "start",
            "ResourceInitializationError: unable to pull secrets or registry auth: context deadline exceeded",
        ),
        (
            "log-group-missing",
            "start",
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException",
        ),
        (
            "volume-not-mounted",
            "start",
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-1.efs.us-east-1.amazonaws.com\" - check that your file system ID is correct : unsuccessful EFS utils command execution; code: 1",
        ),
        (
            "environment-file-missing",
            "start",
            "ResourceInitializationError: failed to download env files: file download command: non empty error stream: NoSuchBucket: The specified bucket does not exist: arn:aws:s3:::b/x.env",
        ),
        (
            "network-interface",
            "start",
            "Unexpected EC2 error while attempting to Create Network Interface in subnet x: InsufficientFreeAddressesInSubnet",
        ),
        (
            "program-missing",
            "start",
            "CannotStartContainerError: failed to start container process: exec: \"/app/nope\": executable file not found in the image",
        ),
        ("never-started", "start", "TaskFailedToStart: something new"),
        (
            "role-not-assumable",
            "event",
            "(service web) failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task.).",
        ),
        (
            "vcpu-limit",
            "event",
            "(service web) was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently.",
        ),
        (
            "capacity",
            "event",
            "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.",
        ),
        (
            "percent-deadlock",
            "event",
            "(service web) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
        ),
        ("throttled", "event", "(service web) operations are being throttled on elb. Will try again later."),
        ("launch-failed", "event", "(service web) was unable to place a task. Reason: Internal error."),
    ];
    for (code, from, text) in cases {
        let evidence = match from {
            "start" => Evidence {
                stopped: vec![stopped("TaskFailedToStart", text, None, None)],
                ..Default::default()
            },
            _ => Evidence { events: vec![text.into()], ..Default::default() },
        };
        assert_eq!(found(&evidence).0, code, "{text}");
    }
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let head = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ";
    let arn = "arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:db-AbCdEf";
    let cases = [
        (
            "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /a/b"
                .to_owned(),
            "Parameter Store does not have `/a/b`".to_owned(),
            "aws ssm put-parameter --type SecureString --name /a/b ",
        ),
        (
            format!(
                "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {arn} \
                 from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."
            ),
            format!("Secrets Manager does not have {arn}"),
            "aws secretsmanager create-secret",
        ),
        (
            "unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key user"
                .to_owned(),
            "a secret of Secrets Manager has no key `user`".to_owned(),
            "aws secretsmanager put-secret-value",
        ),
        (
            format!("unable to retrieve secret from asm: failed to fetch secret {arn}: AccessDeniedException"),
            "a secret cannot be read: ".to_owned(),
            "secretsmanager:GetSecretValue",
        ),
    ];
    for (text, cause, remedy) in cases {
        let task = stopped("TaskFailedToStart", &format!("{head}{text}"), None, None);
        let found = explain(&Evidence { stopped: vec![task], ..Default::default() }).unwrap();
        assert!(found.cause.starts_with(&cause), "{}", found.cause);
        assert!(found.remedy.contains(remedy), "{}", found.remedy);
    }
}

#[test]
fn an_exit_code_is_read_with_its_reason_and_the_log() {
    let exit = "Essential container in task exited";
    let oom = Some("OutOfMemoryError: Container killed due to memory usage");
    let cases = [
        (1, None, "no config", "exits-at-start"),
        (137, oom, "", "out-of-memory"),
        (137, None, "", "killed"),
        (139, None, "", "segfault"),
        (255, None, "exec /app: Exec format error", "exec-format"),
        (1, Some("CannotStartContainerError: exec format error"), "", "exec-format"),
        (1, None, "open /var/log/app.log: read-only file system", "readonly-root"),
        (1, None, "Error: EROFS: mkdir '/data'\nstart failed", "readonly-root"),
    ];
    for (code, reason, log, expected) in cases {
        let evidence = Evidence {
            stopped: vec![stopped("EssentialContainerExited", exit, Some(code), reason)],
            log_tail: log.lines().map(str::to_owned).collect(),
            ..Default::default()
        };
        assert_eq!(found(&evidence).0, expected);
        assert!(expected != "exits-at-start" || explain(&evidence).unwrap().cause.ends_with(log));
    }
}

#[test]
fn who_writes_to_tmp_is_advised_to_have_it_writable() {
    let advice = |log: &str| {
        let exited = stopped("EssentialContainerExited", "Essential container in task exited", Some(1), None);
        let log_tail = vec![log.to_owned()];
        explain(&Evidence { stopped: vec![exited], log_tail, ..Default::default() }).unwrap().remedy
    };
    assert!(advice("mkdir /tmp/hsperf: Read-only file system").starts_with("set `tmp = true`"));
    assert!(advice("mkdir /data: Read-only file system").starts_with("set `readonly-root = false`"));
}

#[test]
fn a_failing_health_check_is_reported_with_the_answer_it_got() {
    let cases = [
        ("Health checks failed with these codes: [404]", "health-status"),
        ("Health checks failed with these codes: [503]", "health-status"),
        ("Request timed out", "health-timeout"),
        ("Health checks failed", "health-refused"),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&unhealthy(text)).0, expected, "{text}");
        let event = format!(
            "(service web) (task a) (port 8080) is unhealthy in (target-group g) due to (reason {text})."
        );
        assert_eq!(found(&Evidence { events: vec![event], ..Default::default() }).0, expected, "{text}");
    }
}

#[test]
fn one_hiccup_does_not_end_a_good_release() {
    let exit = stopped("EssentialContainerExited", "Essential container in task exited", Some(1), None);
    let elb =
        stopped("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group g)", None, None);
    let with = |stopped: &[TaskSnapshot], base: Evidence| Evidence { stopped: stopped.to_vec(), ..base };
    let refused = || unhealthy("Health checks failed");
    let missing = || unhealthy("Health checks failed with these codes: [404]");
    let healthy = |evidence: Evidence| Evidence { ever_healthy: true, ..evidence };
    let cases = [
        (with(std::slice::from_ref(&exit), Evidence::default()), false),
        (with(&[exit.clone(), exit.clone()], Evidence::default()), true),
        (healthy(with(&[exit.clone(), exit], Evidence::default())), false),
        (missing(), false),
        (with(std::slice::from_ref(&elb), missing()), true),
        (healthy(with(std::slice::from_ref(&elb), missing())), false),
        (with(std::slice::from_ref(&elb), refused()), false),
        (with(&[elb.clone(), elb], refused()), true),
        (unhealthy("Health checks failed with these codes: [503]"), false),
    ];
    for (evidence, plain) in cases {
        assert_eq!(found(&evidence).1, plain, "{:?}", explain(&evidence));
    }
}

#[test]
fn what_is_normal_in_a_roll_is_never_blamed() {
    let reason = "Scaling activity initiated by (deployment ecs-svc/1)";
    let scaled = Evidence {
        stopped: vec![stopped("ServiceSchedulerInitiated", reason, Some(143), None)],
        events: vec![
            "(service web) has started 1 tasks: (task a).".into(),
            "(service web) registered 1 targets in (target-group g)".into(),
            "(service web) has begun draining connections on 1 tasks.".into(),
            "(service web) has reached a steady state.".into(),
        ],
        ..Default::default()
    };
    assert_eq!(explain(&scaled), None);
}

#[test]
fn no_two_causes_share_a_name() {
    let codes: Vec<_> = CAUSES.into_iter().flatten().map(|(code, _)| code).collect();
    assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), codes.len());
}

/// A task that ECS stopped for a failing check of the load balancer's (`ELB`) or of the container's own.
fn unfit(id: &str, whose: &str) -> TaskSnapshot {
    let reason = format!("Task failed {whose} health checks");
    TaskSnapshot { id: id.into(), ..stopped("ServiceSchedulerInitiated", &reason, None, None) }
}

mod chain;
mod containers;
mod health;
