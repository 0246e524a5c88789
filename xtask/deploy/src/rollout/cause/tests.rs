//! Each known text against the cause that it must give.

use std::collections::BTreeMap;

use super::super::snapshot::ContainerSnapshot;
use super::*;
use crate::model::spec::{HealthCheckSpec, TargetGroupSpec};

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

#[test]
fn what_ecs_stopped_the_newest_task_for_wins_over_what_the_targets_met_at_the_start() {
    let command = BTreeMap::from([("web".to_owned(), "curl -f http://localhost:8080/".to_owned())]);
    for leftover in
        ["Health checks failed", "Request timed out", "Health checks failed with these codes: [404]"]
    {
        let mut evidence = Evidence {
            stopped: vec![unfit("b", "container"), unfit("a", "container")],
            health_commands: command.clone(),
            ..unhealthy(leftover)
        };
        assert_eq!(found(&evidence), ("container-health", true), "{leftover}");
        let cause = explain(&evidence).unwrap();
        assert!(cause.cause.ends_with("`curl -f http://localhost:8080/`"), "{}", cause.cause);
        evidence.stopped.insert(0, unfit("c", "ELB"));
        assert_ne!(found(&evidence).0, "container-health", "{leftover}");
    }
}

#[test]
fn what_the_load_balancer_met_explains_a_probe_that_asks_the_same_path() {
    let remedy = |met: &str, command: &str| {
        let evidence = Evidence {
            stopped: vec![unfit("b", "container"), unfit("a", "container")],
            health_commands: BTreeMap::from([("web".to_owned(), command.to_owned())]),
            port: 8080,
            health_path: "/health".into(),
            ..unhealthy(met)
        };
        explain(&evidence).unwrap().remedy
    };
    let refused = remedy("Health checks failed with these codes: [401]", "/app/app probe");
    assert!(refused.contains("(GET /health on port 8080, answered with 401)"), "{refused}");
    let slow = remedy("Request timed out", "/app/app probe");
    assert!(slow.contains("(GET /health on port 8080, not answered in time)"), "{slow}");
    // Starting, and a program that is not there.
    for (met, command) in [
        ("Health checks failed with these codes: [503]", "/app/app probe"),
        ("Request timed out", "curl -f http://localhost:8080/health"),
    ] {
        assert!(remedy(met, command).starts_with("run that command in the image"), "{met}");
    }
}

#[test]
fn a_health_check_on_another_port_is_named_with_that_port() {
    for met in ["Health checks failed", "Request timed out"] {
        let evidence = Evidence { port: 8080, check_port: Some(9090), ..unhealthy(met) };
        let cause = explain(&evidence).unwrap();
        assert!(cause.cause.contains("on port 9090 (the container's port is 8080)"), "{}", cause.cause);
        assert!(
            cause.remedy.starts_with("leave `target-group.health.port` out of deploy.toml"),
            "{}",
            cause.remedy
        );
        let same = Evidence { check_port: Some(8080), ..evidence };
        assert!(explain(&same).unwrap().cause.contains("on port 8080,"));
    }
}

#[test]
fn a_slow_start_is_reported_with_the_number_to_write() {
    let remedy = |grace_secs, last_ms, line: &str| {
        let lines = vec![line.to_owned()];
        let log = TaskLog { task: "a".into(), last_ms: Some(last_ms), lines, ..Default::default() };
        let (stopped, logs) = (vec![unfit("a", "ELB")], vec![log]);
        explain(&Evidence { stopped, logs, grace_secs, ..unhealthy("Health checks failed") }).unwrap().remedy
    };
    assert!(remedy(20, 45_000, "x").starts_with("raise `health-check-grace-secs` to 60 (it is 20)"));
    assert!(remedy(60, 58_000, "x").starts_with("raise `health-check-grace-secs` to 80 (it is 60)"));
    // It printed one line and then nothing until it was stopped: it is slow, or it listens elsewhere.
    let either = remedy(3, 400, "starting");
    assert!(either.starts_with("the application must listen on 0.0.0.0"), "{either}");
    assert!(
        either.ends_with(
            "raise `health-check-grace-secs` to 60 (it is 3): a task printed its last line after 1 s and was stopped after 2 s"
        ),
        "{either}"
    );
    let elsewhere = remedy(60, 2_000, "Listening on 127.0.0.1:3000");
    assert!(elsewhere.ends_with("; it said: Listening on 127.0.0.1:3000"), "{elsewhere}");
}

#[test]
fn what_the_newest_health_checks_met_wins_over_what_earlier_ones_did() {
    let event = |reason: &str| {
        format!(
            "(service web) (task a) (port 8080) is unhealthy in (target-group g) due to (reason {reason})."
        )
    };
    let (refused, timeout) = ("Health checks failed", "Request timed out");
    for (events, expected) in [
        (vec![event(timeout), event(refused)], "health-refused"),
        (vec![event(refused), event(timeout)], "health-timeout"),
    ] {
        for target in [refused, timeout] {
            assert_eq!(found(&Evidence { events: events.clone(), ..unhealthy(target) }).0, expected);
        }
    }
}

#[test]
fn tasks_that_fail_a_changed_check_name_the_port_that_it_asks() {
    let health =
        HealthCheckSpec { path: "/up".into(), port: Some(9090), matcher: "201".into(), ..Default::default() };
    let group = TargetGroupSpec { name: "web-tg".into(), health, ..Default::default() };
    let said = |check_port, description: &str| {
        let target = TargetSnapshot {
            port: 8080,
            check_port,
            description: Some(description.into()),
            ..Default::default()
        };
        changed_check(&group, &target)
    };
    let head = "tasks that run fail the changed health check of web-tg: GET /up on port ";
    let other = format!("{head}9090 (the container's port is 8080): ");
    assert_eq!(
        said(Some(9090), "Health checks failed"),
        format!("{other}nobody listens there (Health checks failed)")
    );
    assert_eq!(said(None, "Request timed out"), format!("{other}no answer in time (Request timed out)"));
    assert_eq!(
        said(Some(8080), "Health checks failed with these codes: [200]"),
        format!("{head}8080: answered 200; `health.matcher` in deploy.toml wants 201")
    );
}

mod chain;
mod containers;
