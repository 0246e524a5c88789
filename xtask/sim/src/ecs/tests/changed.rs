//! The scheduler looks at what changed and at nothing else. That it overlooks nothing is checked after every look of every
//! test (`rollout::step`).

use serde_json::json;

use super::lab::{Lab, id};
use crate::ecs::rollout::take_changed;
use crate::elb;
use crate::workload::Answer;

/// The services that the scheduler would look at now.
fn open(lab: &mut Lab) -> Vec<String> {
    let open = take_changed(&mut lab.account.ecs_region());
    open.iter().for_each(|key| lab.account.ecs.look_at(key));
    open.into_iter().map(|key| key.service).collect()
}

#[test]
fn a_health_answer_and_a_read_cost_a_look_at_no_service_that_they_do_not_change() {
    let mut lab = Lab::new();
    let other = lab.target_group_behind_a_listener("api-tg", 81);
    lab.running(json!({}));
    let balancer = json!([{ "targetGroupArn": other, "containerName": "web", "containerPort": 8080 }]);
    lab.create(json!({ "serviceName": "api", "loadBalancers": balancer }));
    lab.run(300);
    let (task, group) = (id(&lab.tasks("RUNNING")[0]), lab.target_group.clone());
    let answers = |lab: &mut Lab, answer: Answer| {
        // Until a check was sent, whose answer is this one.
        lab.account.advance(lab.account.next().expect("targets are checked"));
        elb::answered(&mut lab.account.elb, &group, &task, &answer);
        open(lab)
    };
    for _ in 0..40 {
        assert_eq!(answers(&mut lab, Answer::Status(200)), [""; 0], "as healthy as before");
    }
    let found: Vec<_> =
        (0..40).map(|_| answers(&mut lab, Answer::Refused)).filter(|found| !found.is_empty()).collect();
    assert_eq!(found, [["web"]], "its health changed once");
    lab.ok("DescribeServices", json!({ "cluster": "prod", "services": ["web", "api"] }));
    assert_eq!(open(&mut lab), [""; 0]);
}
