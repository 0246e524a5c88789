//! Scheduled actions: they move the bounds at their time.

use super::*;

fn at(account: &mut Account, now: u64, operation: &str, more: Value) -> Result<Value, ApiError> {
    account.advance(Millis(now));
    account.handle(Millis(now), &ApiRequest::of(Api::Scaling, operation, target(more)))
}

fn desired(account: &mut Account, now: u64) -> Option<u32> {
    account.advance(Millis(now));
    ecs::desired_count(&account.ecs, "prod", "backend")
}

#[test]
fn a_scheduled_action_moves_the_bounds_at_its_time_and_the_desired_count_with_them() {
    let mut account = with_service();
    at(&mut account, FRIDAY, "RegisterScalableTarget", json!({ "MinCapacity": 1, "MaxCapacity": 10 }))
        .unwrap();
    let morning = json!({ "ScheduledActionName": "morning", "Schedule": "cron(0 9 ? * MON-FRI *)",
        "Timezone": "Asia/Singapore", "ScalableTargetAction": { "MinCapacity": 4, "MaxCapacity": 20 } });
    let night = json!({ "ScheduledActionName": "night", "Schedule": "at(2026-11-27T20:00:00)",
        "Timezone": "Asia/Singapore", "ScalableTargetAction": { "MinCapacity": 0, "MaxCapacity": 2 } });
    for action in [&morning, &night] {
        at(&mut account, FRIDAY, "PutScheduledAction", action.clone()).unwrap();
    }
    let hour = 3_600_000;
    assert_eq!(desired(&mut account, FRIDAY + hour / 2 - 1), Some(1));
    assert_eq!(desired(&mut account, FRIDAY + hour / 2), Some(4));
    assert_eq!(desired(&mut account, FRIDAY + 12 * hour), Some(2), "20:00 in Singapore");
    assert_eq!(desired(&mut account, FRIDAY + 48 * hour), Some(2), "no working day");
    assert_eq!(desired(&mut account, FRIDAY + 73 * hour), Some(4), "Monday");
    let reply = at(&mut account, FRIDAY + 73 * hour, "DescribeScalingActivities", json!({})).unwrap();
    let activities: Vec<(&str, &str)> = reply["ScalingActivities"]
        .as_array()
        .unwrap()
        .iter()
        .take(2)
        .map(|activity| (activity["Description"].as_str().unwrap(), activity["Cause"].as_str().unwrap()))
        .collect();
    assert_eq!(
        activities,
        [
            ("Setting desired count to 4.", "minimum capacity was set to 4"),
            (
                "Setting min capacity to 4 and max capacity to 20",
                "scheduled action name morning was triggered"
            ),
        ]
    );
    let shown = at(&mut account, FRIDAY + 73 * hour, "DescribeScheduledActions", json!({})).unwrap();
    let shown = &shown["ScheduledActions"][0];
    assert_eq!((&shown["Schedule"], &shown["Timezone"]), (&morning["Schedule"], &json!("Asia/Singapore")));
    assert_eq!(shown["ScalableTargetAction"], morning["ScalableTargetAction"]);
}

#[test]
fn a_changed_or_deleted_action_acts_no_more_as_it_did() {
    let mut account = with_service();
    at(&mut account, FRIDAY, "RegisterScalableTarget", json!({ "MinCapacity": 1, "MaxCapacity": 10 }))
        .unwrap();
    let hourly = |min: u32| json!({ "ScheduledActionName": "hourly", "Schedule": "rate(1 hour)", "ScalableTargetAction": { "MinCapacity": min } });
    let hour = 3_600_000;
    at(&mut account, FRIDAY, "PutScheduledAction", hourly(3)).unwrap();
    at(&mut account, FRIDAY, "PutScheduledAction", hourly(2)).unwrap();
    assert_eq!(desired(&mut account, FRIDAY + hour), Some(2));
    let later = json!({ "ScheduledActionName": "hourly", "ScalableTargetAction": { "MinCapacity": 5 },
        "StartTime": (FRIDAY + 3 * hour) / 1000, "EndTime": (FRIDAY + 4 * hour) / 1000 });
    at(&mut account, FRIDAY + hour, "PutScheduledAction", later).unwrap();
    assert_eq!(desired(&mut account, FRIDAY + 3 * hour - 1), Some(2));
    assert_eq!(desired(&mut account, FRIDAY + 3 * hour), Some(5));
    at(
        &mut account,
        FRIDAY + 3 * hour,
        "RegisterScalableTarget",
        json!({ "MinCapacity": 1, "MaxCapacity": 4 }),
    )
    .unwrap();
    assert_eq!(desired(&mut account, FRIDAY + 5 * hour), Some(4), "it has ended");
    let suspended = json!({ "SuspendedState": { "ScheduledScalingSuspended": true } });
    at(&mut account, FRIDAY + 5 * hour, "RegisterScalableTarget", suspended).unwrap();
    at(&mut account, FRIDAY + 5 * hour, "PutScheduledAction", hourly(9)).unwrap();
    assert_eq!(desired(&mut account, FRIDAY + 8 * hour), Some(4));
    at(&mut account, FRIDAY + 8 * hour, "DeleteScheduledAction", json!({ "ScheduledActionName": "hourly" }))
        .unwrap();
    let gone = at(
        &mut account,
        FRIDAY + 8 * hour,
        "DeleteScheduledAction",
        json!({ "ScheduledActionName": "hourly" }),
    );
    assert!(gone.unwrap_err().message.ends_with("scheduled action name: hourly"));
}

#[test]
fn a_scheduled_action_that_could_never_act_is_refused() {
    let mut account = with_service();
    let action = |schedule: &str, zone: &str, bounds: Value| json!({ "ScheduledActionName": "a", "Schedule": schedule, "Timezone": zone, "ScalableTargetAction": bounds });
    let bounds = json!({ "MinCapacity": 1, "MaxCapacity": 2 });
    let hourly = "rate(1 hour)";
    let unregistered = at(&mut account, FRIDAY, "PutScheduledAction", action(hourly, "UTC", bounds.clone()));
    assert_eq!(unregistered.unwrap_err().message, NOT_REGISTERED);
    at(&mut account, FRIDAY, "RegisterScalableTarget", json!({ "MinCapacity": 1, "MaxCapacity": 10 }))
        .unwrap();
    for (params, part) in [
        (action("30 9 * * *", "UTC", bounds.clone()), "Invalid schedule expression"),
        (action(hourly, "Mars/Olympus", bounds), "Timezone 'Mars/Olympus'"),
        (action(hourly, "UTC", json!({})), "Min capacity or max capacity"),
        (action(hourly, "UTC", json!({ "MinCapacity": 3, "MaxCapacity": 2 })), "cannot be less"),
        (json!({ "ScheduledActionName": "a:b" }), "'a:b' is not valid"),
        (json!({ "ScheduledActionName": "a" }), "A schedule must be specified"),
    ] {
        let error = at(&mut account, FRIDAY, "PutScheduledAction", params).unwrap_err();
        assert!(error.code == "ValidationException" && error.message.contains(part), "{error:?}");
    }
}
