//! The health of targets: each state with its reason, thresholds, draining.

use super::{Lab, TASK};
use crate::base::Pace;
use crate::base::Settings;
use crate::elb::TargetState::{Draining, Healthy, Initial, Unhealthy, Unused};
use crate::elb::{deregister, health};
use crate::workload::{Answer, Effect};

const IP: &str = "10.0.1.4";

/// A lab with one registered backend target, and its target group.
fn registered() -> (Lab, String) {
    let mut lab = Lab::new();
    let backend = lab.serving().backend;
    lab.register(&backend, IP, 8080, TASK);
    (lab, backend)
}

/// The same, with the first check sent.
fn checked() -> (Lab, String) {
    let (mut lab, backend) = registered();
    lab.wait(3);
    (lab, backend)
}

fn healthy() -> (Lab, String) {
    let (mut lab, backend) = checked();
    lab.answer(&backend, TASK, Answer::Status(200));
    assert_eq!(lab.state(&backend, IP, 8080), (Healthy, None));
    (lab, backend)
}

#[test]
fn a_new_target_is_checked_at_its_port_and_path_and_one_pass_makes_it_healthy() {
    let (mut lab, backend) = registered();
    assert_eq!(lab.state(&backend, IP, 8080), (Initial, Some("Elb.RegistrationInProgress")));
    lab.wait(3);
    assert_eq!(lab.state(&backend, IP, 8080), (Initial, Some("Elb.InitialHealthChecking")));
    let expected = Effect::CheckTarget {
        target_group: backend.clone(),
        task: TASK.to_owned(),
        port: 8080,
        path: "/health".to_owned(),
        version: crate::workload::Version::Http1,
        timeout_secs: 5,
    };
    assert_eq!(lab.checks(), [expected]);
    lab.answer(&backend, TASK, Answer::Status(200));
    assert_eq!(lab.state(&backend, IP, 8080), (Healthy, None));
}

#[test]
fn a_target_that_starts_slowly_stays_initial_until_the_unhealthy_threshold() {
    let (mut lab, backend) = checked();
    lab.answer(&backend, TASK, Answer::Refused);
    assert_eq!(lab.state(&backend, IP, 8080).0, Initial);
    lab.wait(10);
    lab.answer(&backend, TASK, Answer::Status(200));
    assert_eq!(lab.state(&backend, IP, 8080).0, Healthy);
}

#[test]
fn every_kind_of_failure_has_its_reason_and_its_text() {
    let cases = [
        (Answer::Status(404), "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
        (Answer::Status(204), "Target.ResponseCodeMismatch", "Health checks failed with these codes: [204]"),
        (Answer::TimedOut, "Target.Timeout", "Request timed out"),
        (Answer::Refused, "Target.FailedHealthChecks", "Health checks failed"),
    ];
    for (answer, reason, description) in cases {
        let (mut lab, backend) = checked();
        lab.answer(&backend, TASK, answer.clone());
        lab.wait(10);
        lab.answer(&backend, TASK, answer);
        let health = health(&lab.account.elb, &backend, IP, 8080);
        assert_eq!((health.state, health.reason), (Unhealthy, Some(reason)));
        assert_eq!(health.description.as_deref(), Some(description));
    }
}

#[test]
fn one_failed_check_does_not_take_a_healthy_target_out() {
    let (mut lab, backend) = healthy();
    for (answer, expected) in [
        (Answer::Refused, Healthy),
        (Answer::Status(200), Healthy),
        (Answer::Refused, Healthy),
        (Answer::Refused, Unhealthy),
    ] {
        lab.wait(10);
        lab.answer(&backend, TASK, answer);
        assert_eq!(lab.state(&backend, IP, 8080).0, expected);
    }
}

#[test]
fn an_unhealthy_target_needs_the_whole_healthy_threshold_in_a_row() {
    let (mut lab, backend) = healthy();
    let mut answer = |answer: Answer| {
        lab.wait(10);
        lab.answer(&backend, TASK, answer);
        lab.state(&backend, IP, 8080).0
    };
    answer(Answer::Refused);
    assert_eq!(answer(Answer::Refused), Unhealthy);
    for _ in 0..4 {
        assert_eq!(answer(Answer::Status(200)), Unhealthy);
    }
    assert_eq!(answer(Answer::Refused), Unhealthy, "the count starts over");
    for _ in 0..4 {
        assert_eq!(answer(Answer::Status(200)), Unhealthy);
    }
    assert_eq!(answer(Answer::Status(200)), Healthy);
}

#[test]
fn a_workload_that_never_answers_counts_as_timed_out() {
    let (mut lab, backend) = healthy();
    lab.wait(30);
    assert_eq!(lab.state(&backend, IP, 8080), (Unhealthy, Some("Target.Timeout")));
}

#[test]
fn an_answer_nobody_waits_for_changes_nothing() {
    let (mut lab, backend) = healthy();
    for _ in 0..5 {
        lab.answer(&backend, TASK, Answer::Refused);
    }
    assert_eq!(lab.state(&backend, IP, 8080).0, Healthy);
    lab.answer("arn:unknown", TASK, Answer::Refused);
    lab.answer(&backend, "another task", Answer::Refused);
}

#[test]
fn a_deregistered_target_drains_for_the_delay_and_is_gone() {
    let (mut lab, backend) = healthy();
    let form = format!(
        "TargetGroupArn={backend}&Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value=20"
    );
    lab.ok("ModifyTargetGroupAttributes", &form);
    deregister(&mut lab.account.base, &mut lab.account.elb, lab.now, &backend, IP, 8080);
    assert_eq!(lab.state(&backend, IP, 8080), (Draining, Some("Target.DeregistrationInProgress")));
    lab.wait(19);
    deregister(&mut lab.account.base, &mut lab.account.elb, lab.now, &backend, IP, 8080);
    lab.checks();
    lab.answer(&backend, TASK, Answer::Status(200));
    assert_eq!(
        lab.state(&backend, IP, 8080).0,
        Draining,
        "draining is not undone by an answer, nor prolonged"
    );
    lab.wait(1);
    assert_eq!(lab.state(&backend, IP, 8080), (Unused, Some("Target.NotRegistered")));
    lab.wait(60);
    assert_eq!(lab.checks(), [], "nobody checks what is gone");
}

#[test]
fn a_target_registered_again_while_draining_is_not_removed_by_the_old_timer() {
    let (mut lab, backend) = healthy();
    deregister(&mut lab.account.base, &mut lab.account.elb, lab.now, &backend, IP, 8080);
    lab.wait(200);
    lab.register(&backend, IP, 8080, TASK);
    lab.wait(3);
    lab.answer(&backend, TASK, Answer::Status(200));
    assert_eq!(lab.state(&backend, IP, 8080).0, Healthy);
    lab.wait(100);
    assert_ne!(lab.state(&backend, IP, 8080).0, Unused, "the delay of 300 s since the first time has passed");
}

#[test]
fn targets_of_a_group_without_a_listener_are_unused_and_not_checked() {
    let mut lab = Lab::new();
    let backend = lab.create_group("ielts-backend-tg", 8080);
    lab.register(&backend, IP, 8080, TASK);
    lab.wait(60);
    assert_eq!(lab.state(&backend, IP, 8080), (Unused, Some("Target.NotInUse")));
    assert_eq!(lab.checks(), []);
    let balancer = lab.create_balancer("ielts");
    let listener = lab.create_listener(&balancer, 80, &backend);
    assert_eq!(lab.state(&backend, IP, 8080), (Initial, Some("Elb.RegistrationInProgress")));
    lab.wait(3);
    assert_eq!(lab.checks().len(), 1);
    lab.ok("DeleteListener", &format!("ListenerArn={listener}"));
    assert_eq!(lab.state(&backend, IP, 8080), (Unused, Some("Target.NotInUse")));
    lab.wait(60);
    assert_eq!(lab.checks(), []);
}

#[test]
fn at_a_brisk_pace_checks_come_sooner_but_a_slow_start_is_not_unhealthy_sooner() {
    let mut lab = Lab::with(Settings { pace: Pace::local(), ..Settings::default() });
    let backend = lab.serving().backend;
    lab.register(&backend, IP, 8080, TASK);
    let mut sent = 0;
    for _ in 0..90 {
        lab.now = lab.now.plus_millis(100);
        lab.account.advance(lab.now);
        for _ in lab.checks() {
            sent += 1;
            lab.answer(&backend, TASK, Answer::Refused);
        }
    }
    assert!(sent > 10, "{sent} checks in 9 seconds, at an interval of 10");
    assert_eq!(lab.state(&backend, IP, 8080).0, Initial, "two intervals have not passed");
    lab.wait(1);
    lab.answer(&backend, TASK, Answer::Status(200));
    assert_eq!(lab.state(&backend, IP, 8080).0, Healthy);
}

#[test]
fn describe_target_health_shows_reason_and_description_only_when_not_healthy() {
    let (mut lab, backend) = healthy();
    lab.register(&backend, "10.0.2.4", 8080, "other");
    let reply = lab.ok("DescribeTargetHealth", &format!("TargetGroupArn={backend}"));
    let descriptions = reply["TargetHealthDescriptions"].as_array().unwrap();
    assert_eq!(descriptions.len(), 2);
    assert_eq!(descriptions[0]["Target"]["Id"], IP);
    assert_eq!(descriptions[0]["Target"]["AvailabilityZone"], "ap-southeast-1a");
    assert_eq!(descriptions[0]["HealthCheckPort"], "8080");
    assert_eq!(descriptions[0]["TargetHealth"]["State"], "healthy");
    assert!(descriptions[0]["TargetHealth"]["Reason"].is_null());
    assert_eq!(descriptions[1]["TargetHealth"]["State"], "initial");
    assert_eq!(descriptions[1]["TargetHealth"]["Description"], "Target registration is in progress");
    let form = format!("TargetGroupArn={backend}&Targets.member.1.Id=10.9.9.9&Targets.member.1.Port=1");
    let unknown = lab.ok("DescribeTargetHealth", &form);
    assert_eq!(unknown["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"], "Target.NotRegistered");
}

#[test]
fn an_address_registered_by_hand_never_becomes_healthy() {
    let mut lab = Lab::new();
    let backend = lab.serving().backend;
    lab.ok("RegisterTargets", &format!("TargetGroupArn={backend}&Targets.member.1.Id=10.0.1.9"));
    lab.wait(30);
    assert_eq!(lab.state(&backend, "10.0.1.9", 8080), (Unhealthy, Some("Target.Timeout")));
    lab.ok("DeregisterTargets", &format!("TargetGroupArn={backend}&Targets.member.1.Id=10.0.1.9"));
    assert_eq!(lab.state(&backend, "10.0.1.9", 8080).0, Draining);
    let elsewhere =
        lab.refused("RegisterTargets", &format!("TargetGroupArn={backend}&Targets.member.1.Id=192.168.0.1"));
    assert_eq!(elsewhere.0, "InvalidTarget");
}
