//! Whatever happened before: once tasks are well again, a new deployment completes.

use proptest::prelude::*;
use serde_json::json;

use super::lab::{Lab, id};
use crate::account::Account;
use crate::clock::Millis;
use crate::workload::scripted::Script;

/// Something that goes wrong, or that somebody does.
#[derive(Clone, Debug)]
enum Act {
    Script(Script),
    Roll,
    Force,
    Desired(u32),
    StopTask,
    StopDeployment,
    Grace(u32),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Script(Script::default())),
        Just(Act::Script(Script::crashes(2_000, 1))),
        Just(Act::Script(Script::crashes(45_000, 1))),
        Just(Act::Script(Script::never_listens())),
        Just(Act::Script(Script::default().answering("/health", 30_000, 500))),
        Just(Act::Script(Script::fails_to_start("CannotPullContainerError: not found"))),
        Just(Act::Script(Script { ignores_sigterm: true, ..Script::default() })),
        Just(Act::Roll),
        Just(Act::Force),
        (0u32..5).prop_map(Act::Desired),
        Just(Act::StopTask),
        Just(Act::StopDeployment),
        (0u32..60).prop_map(Act::Grace),
        (0u64..200).prop_map(Act::Wait),
    ]
}

/// What must hold at every moment.
fn check(account: &Account, _now: Millis) {
    let Some(service) = account.ecs.services.values().next() else { return };
    for task in account.ecs.live() {
        assert!(service.deployment(&task.deployment).is_some(), "a live task of a deployment that vanished");
    }
    let moving = service.service_deployments.iter().filter(|record| !record.status.is_final()).count();
    assert!(moving <= 1, "one service deployment at a time");
    let newest = &service.service_deployments[0].arn;
    assert_eq!(&service.primary.service_deployment, newest, "PRIMARY belongs to the newest record");
}

fn perform(lab: &mut Lab, act: Act) {
    match act {
        Act::Script(script) => lab.script("web", script),
        Act::Roll => {
            lab.roll(json!({}));
        }
        Act::Force => {
            lab.update(json!({ "forceNewDeployment": true }));
        }
        Act::Desired(count) => {
            lab.update(json!({ "desiredCount": count }));
        }
        Act::Grace(secs) => {
            lab.update(json!({ "healthCheckGracePeriodSeconds": secs }));
        }
        Act::StopTask => {
            if let Some(task) = lab.tasks("RUNNING").first() {
                let task = id(task);
                lab.ok("StopTask", json!({ "cluster": "prod", "task": task }));
            }
        }
        Act::StopDeployment => {
            let arn = lab.service("web")["currentServiceDeployment"].clone();
            // Whether it can be stopped now depends on the story.
            let outcome = lab.call("StopServiceDeployment", json!({ "serviceDeploymentArn": arn }));
            assert!(outcome.is_ok() || outcome.is_err_and(|error| error.code == "ConflictException"));
        }
        Act::Wait(secs) => {
            let end = lab.now.plus_secs(secs);
            lab.watch_until(end, &mut check);
        }
    }
    check(&lab.account, lab.now);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_service_recovers_from_any_story(
        acts in proptest::collection::vec(act(), 1..14),
        rollback in any::<bool>(),
        breaker in any::<bool>(),
    ) {
        let mut lab = Lab::new();
        lab.create(json!({ "deploymentConfiguration":
            { "deploymentCircuitBreaker": { "enable": breaker, "rollback": rollback } } }));
        for act in acts {
            perform(&mut lab, act);
        }
        lab.script("web", Script::default());
        let last = lab.roll(json!({ "desiredCount": 3, "healthCheckGracePeriodSeconds": 0 }));
        // A back-off of up to 15 minutes may be running out, and old tasks drain.
        let end = lab.now.plus_secs(1200);
        lab.watch_until(end, &mut check);
        let service = lab.service("web");
        prop_assert_eq!(&service["deployments"][0]["id"], &last);
        prop_assert_eq!(&service["deployments"][0]["rolloutState"], "COMPLETED");
        prop_assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
        prop_assert_eq!(&service["runningCount"], 3);
        prop_assert!(service["events"][0]["message"].as_str().is_some_and(|text| text.ends_with("has reached a steady state.")));
    }
}
