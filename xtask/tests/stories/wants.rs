//! What teams want of ECS beyond the usual: deploy.toml says it, AWS shows it, and a second deploy finds it as it is.

use std::collections::BTreeMap;

use deploy::event::ExitCode;
use serde::Deserialize;
use sim::door::cloud::{Cloud, Delivery};
use sim::workload::scripted::Script;
use toml::{Table, Value};

use crate::world::{FILE, World, production, story};

#[derive(Deserialize)]
struct Wants {
    want: Vec<Want>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Want {
    want: String,
    /// Wants of one group are deployed together; those without one are one group.
    #[serde(default)]
    group: String,
    /// Tables of the file that contradict the want, such as `service.frontend.routes`.
    #[serde(default)]
    without: Vec<String>,
    toml: String,
    of: String,
    #[serde(default)]
    shows: String,
    /// What must not be in the replies, where the want is that something is not there.
    lacks: Option<String>,
}

fn remove(from: &mut Table, path: &str) {
    match path.split_once('.') {
        Some((key, rest)) => remove(from[key].as_table_mut().unwrap(), rest),
        None => drop(from.remove(path).unwrap()),
    }
}

/// Lays tables into tables and puts arrays after arrays; anything else replaces what was there.
pub(crate) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// Asks as the AWS CLI does; the reply in one line. `target` is a JSON API's operation; without one, `body` is a query.
pub(crate) fn asked(cloud: &Cloud, target: Option<&str>, body: &str) -> String {
    let service = if target.is_some() { "any" } else { "elasticloadbalancing" };
    let scope =
        format!("AWS4-HMAC-SHA256 Credential=somebody/20261128/ap-southeast-1/{service}/aws4_request");
    let kind = if target.is_some() { "x-amz-json-1.1" } else { "x-www-form-urlencoded" };
    let request = http::Request::post("http://cloud.test/")
        .header("content-type", format!("application/{kind}"))
        .header("authorization", format!("{scope}, SignedHeaders=host, Signature=0"));
    let request = target.iter().fold(request, |request, target| request.header("x-amz-target", *target));
    let (parts, body) = request.body(body.to_owned()).unwrap().into_parts();
    let Delivery::Reply(reply) = cloud.call(cloud.clock().millis(), &parts, body.into()) else {
        panic!("no reply to {target:?}")
    };
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    assert_eq!(reply.status(), 200, "{target:?}: {text}");
    text.lines().map(str::trim).collect()
}

/// The values of an element in a reply in XML.
fn values<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (from, to) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&from).skip(1).filter_map(|rest| rest.split(&to).next()).collect()
}

/// What AWS says about a part of the environment, in its own words.
fn shown(cloud: &Cloud, of: &str) -> String {
    let ecs = |operation: &str, body: &str| {
        asked(cloud, Some(&format!("AmazonEC2ContainerServiceV20141113.{operation}")), body)
    };
    let scaling = |operation: &str| {
        let target = format!("AnyScaleFrontendService.{operation}");
        asked(cloud, Some(&target), r#"{"ServiceNamespace":"ecs"}"#)
    };
    let elb = |operation: &str, more: &str| {
        let arn = if more.is_empty() { String::new() } else { format!("&{more}") };
        asked(cloud, None, &format!("Action={operation}&Version=2015-12-01{arn}"))
    };
    let each = |list: String, element: &str, operation: &str| -> String {
        let read = |arn: &&str| elb(operation, &format!("{element}={arn}"));
        let details: String = values(&list, element).iter().map(read).collect();
        list.clone() + &details
    };
    let services = r#"["ielts-backend-service","ielts-frontend-service"]"#;
    match of {
        "task-definition" => ["ielts-backend", "ielts-frontend"]
            .map(|family| ecs("DescribeTaskDefinition", &format!(r#"{{"taskDefinition":"{family}"}}"#)))
            .concat(),
        "service" => {
            ecs("DescribeServices", &format!(r#"{{"cluster":"ielts-prod-cluster","services":{services}}}"#))
        }
        "tasks" => {
            let stopped = r#"{"cluster":"ielts-prod-cluster","desiredStatus":"STOPPED"}"#;
            let tasks: serde_json::Value = serde_json::from_str(&ecs("ListTasks", stopped)).unwrap();
            let tasks = &tasks["taskArns"];
            ecs("DescribeTasks", &format!(r#"{{"cluster":"ielts-prod-cluster","tasks":{tasks}}}"#))
        }
        "targets" => each(elb("DescribeTargetGroups", ""), "TargetGroupArn", "DescribeTargetGroupAttributes"),
        "load-balancer" => {
            each(elb("DescribeLoadBalancers", ""), "LoadBalancerArn", "DescribeLoadBalancerAttributes")
        }
        "rules" => {
            let balancers = elb("DescribeLoadBalancers", "");
            let of = format!("LoadBalancerArn={}", values(&balancers, "LoadBalancerArn")[0]);
            each(elb("DescribeListeners", &of), "ListenerArn", "DescribeRules")
        }
        "scaling" => ["DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"]
            .map(scaling)
            .concat(),
        other => panic!("nothing to read of {other}"),
    }
}

#[test]
fn no_want_is_dropped_in_silence() {
    let wants: Wants = toml::from_str(include_str!("wants.toml")).unwrap();
    let mut groups: BTreeMap<String, Vec<Want>> = BTreeMap::new();
    for want in wants.want {
        groups.entry(want.group.clone()).or_default().push(want);
    }
    for (group, wants) in groups {
        story(async || {
            let mut file: Table = toml::from_str(FILE).unwrap();
            for want in &wants {
                want.without.iter().for_each(|path| remove(&mut file, path));
                merge(&mut file, toml::from_str(&want.toml).expect(&want.want));
            }
            let mut world = World::of(production(&toml::to_string(&file).unwrap()), 0).await;
            world.scripts.set("run:ielts-backend", Script::exits(1_000, 0));
            let first = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(first.exit, ExitCode::Done, "{group}: {:#?}", first.events);
            let dropped = |want: &&Want| {
                let shown = shown(&world.cloud, &want.of);
                !shown.contains(&want.shows) || want.lacks.as_ref().is_some_and(|it| shown.contains(it))
            };
            let dropped: Vec<&Want> = wants.iter().filter(dropped).collect();
            assert!(dropped.is_empty(), "{group}: {dropped:#?}");
            let again = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(
                (again.exit, again.writes),
                (ExitCode::Done, Vec::new()),
                "{group}: {:#?}",
                again.events
            );
        });
    }
}
