//! Requests: which are read, and what the others are answered.

use bytes::Bytes;
use http::request::Parts;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::wire::{Api, ApiRequest, decode, form};

const ECS: &str = "AmazonEC2ContainerServiceV20141113";

fn scope(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/ap-southeast-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=abc"
    )
}

fn parts(target: Option<&str>, authorization: Option<&str>) -> Parts {
    let mut request = http::Request::post("/");
    for (name, value) in [("x-amz-target", target), ("authorization", authorization)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.body(()).unwrap().into_parts().0
}

fn read(target: Option<&str>, service: &str, body: &str) -> ApiRequest {
    decode(&parts(target, Some(&scope(service))), body.as_bytes()).unwrap()
}

#[test]
fn every_api_is_found_by_its_target_or_by_its_credential_scope() {
    let json = [
        (Api::Ecs, ECS, "ListClusters"),
        (Api::Ecr, "AmazonEC2ContainerRegistry_V20150921", "DescribeRepositories"),
        (Api::Scaling, "AnyScaleFrontendService", "DescribeScalableTargets"),
        (Api::CloudMap, "Route53AutoNaming_v20170314", "ListNamespaces"),
        (Api::Logs, "Logs_20140328", "DescribeLogGroups"),
        (Api::Ssm, "AmazonSSM", "GetParameter"),
        (Api::SecretsManager, "secretsmanager", "GetSecretValue"),
        (Api::Tagging, "ResourceGroupsTaggingAPI_20170126", "GetResources"),
        (Api::Acm, "CertificateManager", "DescribeCertificate"),
        (Api::Quotas, "ServiceQuotasV20190624", "ListServiceQuotas"),
    ];
    for (api, prefix, operation) in json {
        let request = read(Some(&format!("{prefix}.{operation}")), "any", "{}");
        assert_eq!((request.api, request.operation.as_str()), (api, operation));
    }
    let query = [
        (Api::Elb, "elasticloadbalancing", "2015-12-01"),
        (Api::Sts, "sts", "2011-06-15"),
        (Api::Iam, "iam", "2010-05-08"),
        (Api::Ec2, "ec2", "2016-11-15"),
    ];
    for (api, service, version) in query {
        let request = read(None, service, &format!("Action=X&Version={version}&A=b"));
        assert_eq!((request.api, request.params), (api, json!({ "A": "b" })), "{service}");
        assert_eq!(request.access_key.as_deref(), Some("AKIDEXAMPLE"));
        assert_eq!(request.region.as_deref(), Some("ap-southeast-1"));
    }
}

#[test]
fn an_empty_body_is_a_call_without_members() {
    assert_eq!(read(Some(&format!("{ECS}.ListClusters")), "ecs", "").params, json!({}));
}

#[test]
fn credentials_in_a_query_string_are_none_because_a_web_page_can_send_them() {
    let credential = "X-Amz-Credential=AK%2F20261123%2Fus-east-1%2Fsts%2Faws4_request";
    let uri = format!("/?Action=GetCallerIdentity&Version=2011-06-15&{credential}");
    let get = http::Request::get(&uri).body(()).unwrap().into_parts().0;
    assert_eq!(decode(&get, b"").unwrap_err().status(), 403);
    let post = http::Request::post(&uri).body(()).unwrap().into_parts().0;
    assert_eq!(decode(&post, credential.as_bytes()).unwrap_err().status(), 403);
}

#[test]
fn a_web_identity_takes_its_role_without_a_signature_and_nobody_else_does() {
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=a";
    let request = decode(&parts(None, None), form.as_bytes()).unwrap();
    assert_eq!((request.api, request.access_key), (Api::Sts, None));
    let form = "Action=AssumeRole&Version=2011-06-15&RoleArn=a";
    assert_eq!(decode(&parts(None, None), form.as_bytes()).unwrap_err().status(), 403);
}

/// Target, authorization and body, and the status and code of the refusal.
type Refused<'a> = (Option<&'a str>, Option<&'a str>, &'a str, u16, &'a str);

#[test]
fn what_cannot_be_read_gets_the_refusal_that_aws_gives() {
    let list = format!("{ECS}.ListClusters");
    let (ecs, elb, s3) = (scope("ecs"), scope("elasticloadbalancing"), scope("s3"));
    let form = "Action=DescribeRules&Version=2015-12-01";
    let cases: [Refused<'_>; 14] = [
        (Some(&list), None, "{}", 400, "MissingAuthenticationTokenException"),
        (Some(&list), Some("Bearer token"), "{}", 400, "IncompleteSignatureException"),
        (Some(&list), Some("AWS4-HMAC-SHA256 Credential=a/b"), "{}", 400, "IncompleteSignatureException"),
        (Some("Nobody.ListClusters"), Some(&ecs), "{}", 400, "UnknownOperationException"),
        (Some("garbage"), Some(&ecs), "{}", 400, "UnknownOperationException"),
        (Some(&list), Some(&ecs), "{", 400, "SerializationException"),
        (Some(&list), Some(&ecs), "[1]", 400, "SerializationException"),
        (None, None, form, 403, "MissingAuthenticationToken<"),
        (None, Some("AWS4-HMAC-SHA256 nothing"), form, 400, "IncompleteSignature<"),
        (None, Some(&elb), "Version=2015-12-01", 400, "MissingAction"),
        (None, Some(&elb), "Action=DescribeRules&Version=2012-06-01", 400, "InvalidAction"),
        (None, Some(&s3), form, 400, "InvalidAction"),
        (None, Some(&elb), "Action=DescribeRules&Version=2015-12-01&A=1&A.B=2", 400, "MalformedQueryString"),
        (None, Some(&elb), "", 400, "MissingAction"),
    ];
    for (target, authorization, body, status, code) in cases {
        let refusal = decode(&parts(target, authorization), body.as_bytes()).unwrap_err();
        let text = String::from_utf8_lossy(refusal.body()).into_owned();
        assert_eq!(refusal.status(), status, "{target:?} {body}: {text}");
        assert!(text.contains(code), "{target:?} {body}: {text}");
        let json = refusal.headers()["content-type"] == "application/x-amz-json-1.1";
        assert_eq!(json, target.is_some(), "{target:?} {body}: the caller's own protocol");
        assert!(refusal.headers().contains_key("x-amzn-requestid"));
    }
}

#[test]
fn forms_become_nested_values() {
    let cases: &[(&str, Value)] = &[
        ("Names.member.1=a&Names.member.2=b", json!({ "Names": ["a", "b"] })),
        ("Names.member.10=b&Names.member.9=a", json!({ "Names": ["a", "b"] })),
        ("Names=", json!({ "Names": "" })),
        ("VpcId.1=vpc-1", json!({ "VpcId": ["vpc-1"] })),
        (
            "Filter.1.Name=tag%3AName&Filter.1.Value.1=a+b",
            json!({ "Filter": [{ "Name": "tag:Name", "Value": ["a b"] }] }),
        ),
        (
            "Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=1",
            json!({ "Actions": [{ "ForwardConfig": { "TargetGroups": [{ "Weight": "1" }] } }] }),
        ),
        ("Matcher.HttpCode=200-299&Port=80", json!({ "Matcher": { "HttpCode": "200-299" }, "Port": "80" })),
    ];
    for (form, expected) in cases {
        assert_eq!(form::parse(form.as_bytes()).map(Value::Object).as_ref(), Some(expected), "{form}");
    }
    let refused = ["A=1&A.B=2", "A.B=2&A=1", &format!("{}x=1", "a.".repeat(40))];
    for form in refused {
        assert!(form::parse(form.as_bytes()).is_none(), "{form}");
    }
}

proptest! {
    #[test]
    fn no_input_whatever_breaks_the_decoder(
        target in proptest::option::of("[ -~]{0,40}"),
        authorization in proptest::option::of("(AWS4-HMAC-SHA256 )?[ -~]{0,60}"),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let parts = parts(target.as_deref(), authorization.as_deref());
        if let Err(refusal) = decode(&parts, &Bytes::from(body)) {
            prop_assert!(refusal.status().is_client_error());
        }
    }
}
