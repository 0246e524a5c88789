//! Logs as a failing deployment is explained by: appended by tasks, read by pages, filtered.

use serde_json::{Value, json};

use super::pattern::Pattern;
use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::wire::{Api, ApiError, ApiRequest};
use crate::workload::Report;

const GROUP: &str = "/ecs/ielts-backend";
const STREAM: &str = "ecs/backend/0123";

fn call(account: &mut Account, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.handle(Millis(5_000), &ApiRequest::of(Api::Logs, operation, params))
}

fn with_group() -> Account {
    let mut account = Account::new(Settings::default());
    call(&mut account, "CreateLogGroup", json!({ "logGroupName": GROUP })).unwrap();
    account
}

/// Line `n` at `1000 + n` ms.
fn with_lines(count: u64) -> Account {
    let mut account = with_group();
    for line in 0..count {
        print_line(&mut account, 1000 + line, STREAM, &format!("line {line}"));
    }
    account
}

fn print_line(account: &mut Account, at: u64, stream: &str, line: &str) {
    let report = Report::Log { group: GROUP.to_owned(), stream: stream.to_owned(), line: line.to_owned() };
    account.report(Millis(at), report);
}

fn messages(reply: &Value) -> Vec<String> {
    let events = reply["events"].as_array().unwrap();
    events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

fn read(account: &mut Account, more: Value) -> Value {
    let mut params = json!({ "logGroupName": GROUP, "logStreamName": STREAM });
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    call(account, "GetLogEvents", params).unwrap()
}

#[test]
fn what_a_task_prints_makes_its_stream_and_without_a_group_is_dropped() {
    let mut account = with_group();
    print_line(&mut account, 1, STREAM, "hello");
    print_line(&mut account, 2, STREAM, "");
    let stray = Report::Log { group: "/none".to_owned(), stream: STREAM.to_owned(), line: "x".to_owned() };
    account.report(Millis(3), stray);
    assert!(!account.logs.group_exists("/none"));
    assert_eq!(messages(&read(&mut account, json!({}))), ["hello"]);
}

#[test]
fn reading_forward_ends_where_the_token_stays_the_same() {
    let mut account = with_lines(5);
    let first = read(&mut account, json!({ "startFromHead": true, "limit": 2 }));
    assert_eq!(messages(&first), ["line 0", "line 1"]);
    let second = read(&mut account, json!({ "nextToken": first["nextForwardToken"], "limit": 10 }));
    assert_eq!(messages(&second), ["line 2", "line 3", "line 4"]);
    assert_ne!(second["nextForwardToken"], first["nextForwardToken"]);
    let end = read(&mut account, json!({ "nextToken": second["nextForwardToken"] }));
    assert_eq!((messages(&end).len(), &end["nextForwardToken"]), (0, &second["nextForwardToken"]));
    print_line(&mut account, 9_000, STREAM, "later");
    let more = read(&mut account, json!({ "nextToken": end["nextForwardToken"] }));
    assert_eq!(messages(&more), ["later"], "a follower sees what comes after");
}

#[test]
fn without_a_token_the_latest_lines_come_first_and_backward_leads_to_the_head() {
    let mut account = with_lines(5);
    let last = read(&mut account, json!({ "limit": 2 }));
    assert_eq!(messages(&last), ["line 3", "line 4"]);
    let before = read(&mut account, json!({ "nextToken": last["nextBackwardToken"], "limit": 10 }));
    assert_eq!(messages(&before), ["line 0", "line 1", "line 2"]);
    let head = read(&mut account, json!({ "nextToken": before["nextBackwardToken"] }));
    assert_eq!((messages(&head).len(), &head["nextBackwardToken"]), (0, &before["nextBackwardToken"]));
    let range = read(&mut account, json!({ "startTime": 1001, "endTime": 1003 }));
    assert_eq!(messages(&range), ["line 1", "line 2"], "the end is not included");
}

#[test]
fn a_stream_forgets_its_oldest_lines_but_positions_stay_true() {
    let mut account = with_lines(3);
    let token = read(&mut account, json!({ "startFromHead": true, "limit": 2 }))["nextForwardToken"].clone();
    for line in 0..50_000 {
        print_line(&mut account, 2_000, STREAM, &format!("more {line}"));
    }
    let reply = read(&mut account, json!({ "nextToken": token, "limit": 1 }));
    assert_eq!(messages(&reply), ["more 0"], "lines 0 to 2 are forgotten, nothing else is skipped");
}

#[test]
fn what_is_missing_or_malformed_is_refused_in_awss_words() {
    let mut account = with_group();
    let cases = [
        (
            "GetLogEvents",
            json!({ "logGroupName": "/none", "logStreamName": STREAM }),
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
        (
            "GetLogEvents",
            json!({ "logGroupName": GROUP, "logStreamName": STREAM }),
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        ),
        (
            "CreateLogGroup",
            json!({ "logGroupName": GROUP }),
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ),
        (
            "CreateLogGroup",
            json!({}),
            "InvalidParameterException",
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "Nonsense",
            json!({}),
            "UnknownOperationException",
            "the embedded cloud does not have logs:Nonsense; docs/operations.md lists what it has",
        ),
    ];
    for (operation, params, code, message) in cases {
        assert_eq!(call(&mut account, operation, params).unwrap_err(), ApiError::new(code, message));
    }
    let invalid = [
        ("CreateLogGroup", json!({ "logGroupName": "a b" })),
        ("CreateLogGroup", json!({ "logGroupName": "aws/web" })),
        ("CreateLogStream", json!({ "logGroupName": GROUP, "logStreamName": "a:b" })),
        ("PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 2 })),
        (
            "DescribeLogStreams",
            json!({ "logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "a" }),
        ),
        ("FilterLogEvents", json!({ "logGroupName": GROUP, "filterPattern": "{ $.level = 5 }" })),
    ];
    for (operation, params) in invalid {
        assert_eq!(
            call(&mut account, operation, params).unwrap_err().code,
            "InvalidParameterException",
            "{operation}"
        );
    }
}

#[test]
fn groups_are_found_by_prefix_or_part_and_show_their_retention() {
    let mut account = with_group();
    call(&mut account, "CreateLogGroup", json!({ "logGroupName": "/other", "tags": { "a": "b" } })).unwrap();
    call(&mut account, "PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 30 }))
        .unwrap();
    for (params, count) in [
        (json!({}), 2),
        (json!({ "logGroupNamePrefix": "/ecs" }), 1),
        (json!({ "logGroupNamePattern": "BACKEND" }), 1),
        (json!({ "logGroupNamePrefix": "x" }), 0),
    ] {
        let reply = call(&mut account, "DescribeLogGroups", params).unwrap();
        assert_eq!(reply["logGroups"].as_array().unwrap().len(), count);
    }
    let reply = call(&mut account, "DescribeLogGroups", json!({ "logGroupNamePrefix": GROUP })).unwrap();
    assert_eq!(reply["logGroups"][0]["retentionInDays"], 30);
    assert_eq!(
        reply["logGroups"][0]["arn"],
        format!("arn:aws:logs:ap-southeast-1:123456789012:log-group:{GROUP}:*")
    );
    let arn = json!({ "resourceArn": "arn:aws:logs:ap-southeast-1:123456789012:log-group:/other" });
    assert_eq!(call(&mut account, "ListTagsForResource", arn).unwrap()["tags"], json!({ "a": "b" }));
    call(&mut account, "DeleteLogGroup", json!({ "logGroupName": GROUP })).unwrap();
    assert!(!account.logs.group_exists(GROUP));
}

#[test]
fn streams_are_ordered_by_name_or_by_their_last_event() {
    let mut account = with_group();
    for (at, stream) in [(3, "a"), (1, "b"), (2, "c")] {
        print_line(&mut account, at, stream, "x");
    }
    let names = |account: &mut Account, more: Value| {
        let mut params = json!({ "logGroupIdentifier": GROUP });
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        let reply = call(account, "DescribeLogStreams", params).unwrap();
        let streams = reply["logStreams"].as_array().unwrap();
        streams.iter().map(|stream| stream["logStreamName"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(names(&mut account, json!({})), "abc");
    assert_eq!(names(&mut account, json!({ "descending": true })), "cba");
    assert_eq!(names(&mut account, json!({ "orderBy": "LastEventTime", "descending": true })), "acb");
    assert_eq!(names(&mut account, json!({ "logStreamNamePrefix": "b" })), "b");
}

#[test]
fn filtering_merges_all_streams_in_order_of_time_and_by_pages() {
    let mut account = with_group();
    for (at, stream, line) in
        [(30, "b", "ERROR three"), (10, "a", "ERROR one"), (20, "b", "ok"), (25, "a", "ERROR two")]
    {
        print_line(&mut account, at, stream, line);
    }
    let filter = |token: Value| json!({ "logGroupName": GROUP, "filterPattern": "ERROR", "limit": 2, "nextToken": token });
    let first = call(&mut account, "FilterLogEvents", filter(Value::Null)).unwrap();
    assert_eq!(messages(&first), ["ERROR one", "ERROR two"]);
    assert_eq!(first["events"][1]["logStreamName"], "a");
    let second = call(&mut account, "FilterLogEvents", filter(first["nextToken"].clone())).unwrap();
    assert_eq!(messages(&second), ["ERROR three"]);
    let one_stream = json!({ "logGroupName": GROUP, "logStreamNames": ["b"], "startTime": 25 });
    assert_eq!(messages(&call(&mut account, "FilterLogEvents", one_stream).unwrap()), ["ERROR three"]);
}

#[test]
fn events_put_by_hand_are_kept_in_order_or_refused() {
    let mut account = with_group();
    call(&mut account, "CreateLogStream", json!({ "logGroupName": GROUP, "logStreamName": STREAM })).unwrap();
    let put = |times: [u64; 2]| {
        let events = times.map(|at| json!({ "timestamp": at, "message": format!("at {at}") }));
        json!({ "logGroupName": GROUP, "logStreamName": STREAM, "logEvents": events })
    };
    call(&mut account, "PutLogEvents", put([1, 2])).unwrap();
    assert_eq!(
        call(&mut account, "PutLogEvents", put([4, 3])).unwrap_err().message,
        "Log events in a single PutLogEvents request must be in chronological order."
    );
    assert_eq!(messages(&read(&mut account, json!({}))), ["at 1", "at 2"]);
}

#[test]
fn patterns_of_terms_mean_what_cloudwatch_says() {
    let cases = [
        ("", "anything", true),
        ("ERROR", "an ERROR here", true),
        ("error", "an ERROR here", false),
        ("ERROR timeout", "timeout ERROR", true),
        ("ERROR timeout", "ERROR", false),
        ("\"no such\"", "no such file", true),
        ("\"no such\"", "such a no", false),
        ("ERROR -health", "ERROR health", false),
        ("-health", "other", true),
        ("?WARN ?ERROR", "WARN x", true),
        ("?WARN ?ERROR", "INFO x", false),
    ];
    for (pattern, message, expected) in cases {
        let parsed = Pattern::parse(pattern).unwrap();
        assert_eq!(parsed.matches(message), expected, "{pattern} on {message}");
    }
    for refused in ["{ $.a = 1 }", "[a, b]", "\"open", "-"] {
        assert_eq!(Pattern::parse(refused), None, "{refused}");
    }
}
