//! Replies in the three dialects, word for word.

use serde_json::{Value, json};

use crate::wire::{Api, ApiError, ApiRequest, Outcome, drop_nulls, encode};

fn reply(api: Api, operation: &str, outcome: Outcome) -> (u16, String) {
    let request = ApiRequest::of(api, operation, json!({}));
    let response = encode(&request, outcome, "id-1");
    assert_eq!(response.headers()["x-amzn-requestid"], "id-1");
    (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
}

#[test]
fn elb_lists_are_members_also_when_empty() {
    let result = json!({
        "TargetGroups": [{ "TargetGroupName": "a<b>&", "Port": 80, "HealthCheckEnabled": true, "LoadBalancerArns": [] }],
        "NextMarker": null,
    });
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <DescribeTargetGroupsResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
        <DescribeTargetGroupsResult><TargetGroups><member><TargetGroupName>a&lt;b&gt;&amp;</TargetGroupName>\
        <Port>80</Port><HealthCheckEnabled>true</HealthCheckEnabled><LoadBalancerArns></LoadBalancerArns></member>\
        </TargetGroups></DescribeTargetGroupsResult>\
        <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeTargetGroupsResponse>";
    assert_eq!(reply(Api::Elb, "DescribeTargetGroups", Ok(result)), (200, expected.to_owned()));
}

#[test]
fn elb_calls_without_output_still_have_a_result_element() {
    let (_, body) = reply(Api::Elb, "DeleteRule", Ok(Value::Null));
    assert!(body.contains("<DeleteRuleResult></DeleteRuleResult>"), "{body}");
}

#[test]
fn ec2_lists_are_items_and_the_result_has_no_wrapper() {
    let result = json!({ "vpcSet": [{ "vpcId": "vpc-1", "tagSet": [{ "key": "Name", "value": "v" }] }] });
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>id-1</requestId>\
        <vpcSet><item><vpcId>vpc-1</vpcId><tagSet><item><key>Name</key><value>v</value></item></tagSet></item></vpcSet>\
        </DescribeVpcsResponse>";
    assert_eq!(reply(Api::Ec2, "DescribeVpcs", Ok(result)), (200, expected.to_owned()));
}

#[test]
fn errors_have_the_shape_of_their_protocol() {
    let error = || ApiError::new("TargetGroupNotFound", "One or more target groups not found");
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let cases = [
        (
            Api::Elb,
            400,
            format!(
                "{xml}<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error>\
                 <Type>Sender</Type><Code>TargetGroupNotFound</Code>\
                 <Message>One or more target groups not found</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
            ),
        ),
        (
            Api::Ec2,
            400,
            format!(
                "{xml}<Response><Errors><Error><Code>TargetGroupNotFound</Code>\
                 <Message>One or more target groups not found</Message></Error></Errors><RequestID>id-1</RequestID></Response>"
            ),
        ),
        (
            Api::Ecs,
            400,
            r#"{"__type":"TargetGroupNotFound","message":"One or more target groups not found"}"#.to_owned(),
        ),
        (
            Api::Scaling,
            400,
            r#"{"__type":"TargetGroupNotFound","Message":"One or more target groups not found"}"#.to_owned(),
        ),
    ];
    for (api, status, body) in cases {
        assert_eq!(reply(api, "X", Err(error())), (status, body));
    }
    let (status, body) = reply(Api::Elb, "X", Err(error().with_status(500)));
    assert_eq!(status, 500);
    assert!(body.contains("<Type>Receiver</Type>"), "{body}");
}

#[test]
fn operations_that_are_not_served_are_refused_by_name_as_each_protocol_does() {
    let cases = [
        (Api::Ecs, r#"{"__type":"UnknownOperationException""#, "ecs"),
        (Api::Elb, "<Code>InvalidAction</Code>", "elasticloadbalancing"),
        (Api::Ec2, "<Code>InvalidAction</Code>", "ec2"),
    ];
    for (api, part, name) in cases {
        let request = ApiRequest::of(api, "Nonsense", json!({}));
        let (status, body) = reply(api, "Nonsense", Err(ApiError::unknown_operation(&request)));
        assert_eq!(status, 400);
        assert!(body.contains(part), "{body}");
        assert!(body.contains(&format!("{name}:Nonsense; docs/operations.md")), "{body}");
    }
}

#[test]
fn json_members_without_a_value_are_left_out() {
    let cases = [
        (json!({ "a": 1, "nextToken": null }), r#"{"a":1}"#),
        (json!({ "list": [{ "b": null }] }), r#"{"list":[{}]}"#),
        (Value::Null, "{}"),
    ];
    for (mut result, body) in cases {
        drop_nulls(&mut result);
        assert_eq!(reply(Api::Ecs, "X", Ok(result)), (200, body.to_owned()));
    }
}

#[test]
fn a_character_that_xml_cannot_hold_does_not_make_the_reply_unreadable() {
    let (_, body) = reply(Api::Elb, "X", Ok(json!({ "Body": "a\u{1}b\nc" })));
    assert!(body.contains("<Body>a\u{fffd}b\nc</Body>"), "{body}");
}
