//! Faults as callers meet them, and the record of what was asked.

use serde_json::{Value, json};

use super::super::tests::raw::{call, json_call, query_call, read, try_call};
use super::*;
use crate::fault::On;
use crate::wire::Api;

const CREATE: &str = "AmazonEC2ContainerServiceV20141113.CreateCluster";
const LIST: &str = "AmazonEC2ContainerServiceV20141113.ListClusters";

fn cloud() -> Cloud {
    Cloud::new(Settings::default(), SimClock::virtual_time())
}

fn clusters(cloud: &Cloud) -> usize {
    call(cloud, LIST, &json!({}))["clusterArns"].as_array().unwrap().len()
}

fn create(cloud: &Cloud) -> Delivery {
    let body = json!({ "clusterName": "one" }).to_string();
    cloud.call(cloud.clock().millis(), &json_call(CREATE), body.into())
}

#[tokio::test(start_paused = true)]
async fn every_fault_reaches_the_caller_in_its_protocols_own_words() {
    let cloud = cloud();
    for (fault, json_status, json_text, query_status, query_text) in [
        (Fault::Throttle, 400, "\"ThrottlingException\"", 400, "<Code>Throttling</Code>"),
        (Fault::ServerError(500), 500, "\"ServerException\"", 500, "<Code>InternalFailure</Code>"),
        (
            Fault::ServerError(503),
            503,
            "\"ServiceUnavailableException\"",
            503,
            "<Code>ServiceUnavailable</Code>",
        ),
        (Fault::AccessDenied, 400, "perform: ecs:ListClusters on", 403, "<Code>AccessDenied</Code>"),
        (Fault::ExpiredToken, 400, "\"ExpiredTokenException\"", 403, "<Code>ExpiredToken</Code>"),
        (Fault::Delay(5), 200, "clusterArns", 200, "<Account>123456789012</Account>"),
        (Fault::StaleRead, 200, "clusterArns", 200, "<Account>123456789012</Account>"),
        (
            Fault::Status { code: 502, body: "<html>".to_owned(), content_type: "text/html".to_owned() },
            502,
            "<html>",
            502,
            "<html>",
        ),
    ] {
        let _rule = cloud.guard_rule(On::any().then(fault.clone()));
        let (status, body) = try_call(&cloud, LIST, &json!({}));
        assert_eq!(status, json_status, "{fault:?}: {body}");
        assert!(body.contains(json_text), "{fault:?}: {body}");
        let form = Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15");
        let (status, body) = read(cloud.call(cloud.clock().millis(), &query_call("sts"), form));
        assert_eq!(status, query_status, "{fault:?}: {body}");
        assert!(body.contains(query_text), "{fault:?}: {body}");
    }
    assert_eq!(try_call(&cloud, LIST, &json!({})).0, 200, "the last guard is gone, and its rule with it");
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_did_nothing_and_a_lost_reply_did_everything() {
    for (fault, happened) in [(Fault::Refuse, 0), (Fault::LoseRequest, 0), (Fault::LoseReply, 1)] {
        let cloud = cloud();
        cloud.add_rule(On::operation("CreateCluster").then(fault.clone()));
        let delivery = create(&cloud);
        assert_eq!(matches!(delivery, Delivery::Refused), fault == Fault::Refuse);
        assert!(!matches!(delivery, Delivery::Reply(_)), "{fault:?}");
        assert_eq!(clusters(&cloud), happened, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_holds_the_call_up_and_not_the_clock_of_others() {
    let cloud = cloud();
    cloud.add_rule(On::operation("CreateCluster").then(Fault::Delay(4_000)));
    let begun = cloud.clock().millis();
    let body = Bytes::from_static(b"{\"clusterName\":\"one\"}");
    let slow = tokio::spawn({
        let cloud = cloud.clone();
        async move { cloud.exchange(&json_call(CREATE), body).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(clusters(&cloud), 0);
    slow.await.unwrap();
    assert_eq!(clusters(&cloud), 1);
    let at: Vec<u64> = cloud.calls().iter().map(|call| call.at.since(begun)).collect();
    assert_eq!(at, [0, 4_000, 4_000]);
}

#[tokio::test(start_paused = true)]
async fn a_stale_read_misses_the_write_that_came_before_it() {
    let cloud = cloud();
    assert_eq!(clusters(&cloud), 0);
    create(&cloud);
    let rule = cloud.guard_rule(On::any().reads().then(Fault::StaleRead));
    assert_eq!(clusters(&cloud), 0);
    drop(rule);
    assert_eq!(clusters(&cloud), 1);
}

#[tokio::test(start_paused = true)]
async fn temporary_credentials_work_in_every_protocol_until_they_end() {
    let cloud = cloud();
    let form = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/ci&\
                RoleSessionName=run&DurationSeconds=900";
    let (status, xml) = read(cloud.call(cloud.clock().millis(), &query_call("sts"), form.into()));
    assert_eq!(status, 200, "{xml}");
    let key = xml.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap();
    let ask = |parts: Parts, body: &'static str| {
        let mut parts = parts;
        let header = parts.headers["authorization"].to_str().unwrap().replace("AKIDTEST", key);
        parts.headers.insert("authorization", header.parse().unwrap());
        read(cloud.call(cloud.clock().millis(), &parts, Bytes::from_static(body.as_bytes())))
    };
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    let (_, caller) = ask(query_call("sts"), identity);
    assert!(caller.contains("<Arn>arn:aws:sts::123456789012:assumed-role/ci/run</Arn>"), "{caller}");
    assert_eq!(ask(json_call(LIST), "{}").0, 200);
    tokio::time::advance(std::time::Duration::from_secs(900)).await;
    let (status, text) = ask(json_call(LIST), "{}");
    assert!(status == 400 && text.contains("ExpiredTokenException"), "{text}");
    let (status, text) = ask(query_call("sts"), identity);
    assert!(status == 403 && text.contains("<Code>ExpiredToken</Code>"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_first_rule_that_names_a_fault_wins_and_clearing_lets_everything_pass() {
    let cloud = cloud();
    let mut asked = 0;
    cloud.add_rule(move |call: &crate::fault::Call<'_>| {
        asked += 1;
        (asked == 2 && call.surface == Api::Ecs).then_some(Fault::Throttle)
    });
    cloud.add_rule(On::any().nth(1..=1).then(Fault::ServerError(500)));
    let statuses: Vec<u16> = (0..3).map(|_| try_call(&cloud, LIST, &json!({})).0).collect();
    assert_eq!(statuses, [500, 400, 200]);
    cloud.add_rule(On::any().then(Fault::Throttle));
    cloud.clear_rules();
    assert_eq!(try_call(&cloud, LIST, &json!({})).0, 200);
}

#[tokio::test(start_paused = true)]
async fn the_record_distinguishes_reads_from_writes_and_has_their_outcomes() {
    let cloud = cloud();
    cloud.add_rule(On::operation("CreateCluster").nth(1..=1).then(Fault::LoseReply));
    create(&cloud);
    call(&cloud, LIST, &json!({}));
    try_call(&cloud, "AmazonEC2ContainerServiceV20141113.MakeCoffee", &json!({}));
    let get = http::Request::get("/v2/").body(()).unwrap().into_parts().0;
    read(cloud.call(cloud.clock().millis(), &get, Bytes::new()));
    let nonsense = http::Request::get("/favicon.ico?secret=1").body(()).unwrap().into_parts().0;
    read(cloud.call(cloud.clock().millis(), &nonsense, Bytes::new()));
    let record: Vec<Value> = cloud
        .calls()
        .iter()
        .map(|call| json!([call.api.to_string(), call.operation, call.outcome, call.write, call.access_key]))
        .collect();
    assert_eq!(record[0], json!(["ecs", "CreateCluster", "reply lost: ok", true, "AKIDTEST"]));
    assert_eq!(record[1], json!(["ecs", "ListClusters", "ok", false, "AKIDTEST"]));
    assert_eq!(record[2], json!(["ecs", "MakeCoffee", "UnknownOperationException", true, "AKIDTEST"]));
    assert_eq!(record[3], json!(["registry", "GET base", "401", false, null]));
    assert_eq!((&record[4][0], &record[4][1]), (&json!("-"), &json!("GET /favicon.ico")));
}

/// Reports a line whenever the account or the clock gives it a chance to.
struct Chatty(Vec<u64>);

impl VirtualWorkload for Chatty {
    fn effect(&mut self, _: Millis, _: Effect) {}

    fn exec(&mut self, _: &Exec) -> Result<Play, String> {
        Err("no container".to_owned())
    }

    fn next(&self) -> Option<Millis> {
        self.0.first().copied().map(Millis)
    }

    fn pop_due(&mut self, now: Millis) -> Option<(Millis, Report)> {
        let at = self.next().filter(|at| *at <= now)?;
        self.0.remove(0);
        let (group, stream) = ("g".to_owned(), "s".to_owned());
        Some((at, Report::Log { group, stream, line: String::new() }))
    }
}

#[tokio::test(start_paused = true)]
async fn time_given_late_is_caught_up_with_and_time_given_early_does_not_run_backwards() {
    let clock = SimClock::virtual_time();
    let start = clock.millis();
    let moments = [start.0 + 10, start.0 + 10, start.0 + 30].to_vec();
    let cloud = Cloud::rehearsal(Settings::default(), clock, Chatty(moments));
    assert_eq!(cloud.next(), Some(start.plus_millis(10)));
    cloud.advance_to(start.plus_millis(29));
    assert_eq!(cloud.next(), Some(start.plus_millis(30)));
    cloud.advance_to(start);
    cloud.advance_to(start.plus_millis(30));
    assert_eq!(cloud.next(), None);
}

#[test]
fn another_region_is_another_and_empty_account() {
    let cloud = cloud();
    create(&cloud);
    let elsewhere = |target: &str, body: Value| {
        let mut head = json_call(target);
        let signed = head.headers["authorization"].to_str().unwrap().replace("ap-southeast-1", "eu-west-1");
        head.headers.insert("authorization", signed.parse().unwrap());
        let (status, reply) = read(cloud.call(cloud.clock().millis(), &head, body.to_string().into()));
        assert_eq!(status, 200, "{reply}");
        serde_json::from_str::<Value>(&reply).unwrap()
    };
    assert_eq!(elsewhere(LIST, json!({}))["clusterArns"], json!([]));
    elsewhere(CREATE, json!({ "clusterName": "two" }));
    let arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/two";
    assert_eq!(elsewhere(LIST, json!({}))["clusterArns"], json!([arn]), "it is kept");
    assert_eq!(clusters(&cloud), 1, "and the first one has not got it");
    let _stale = cloud.guard_rule(On::any().reads().then(Fault::StaleRead));
    assert_eq!(clusters(&cloud), 1, "a stale reply is of the same region");
}
