//! Load balancers, target groups and listeners: creating them twice, changing them, what holds them.

use serde_json::json;

use super::{Lab, Serving, text};
use crate::base::Pace;
use crate::base::Settings;

#[test]
fn creating_the_same_again_finds_the_first_so_that_a_lost_reply_does_no_harm() {
    let mut lab = Lab::new();
    let (balancer, group) = (lab.create_balancer("ielts"), lab.create_group("tg", 80));
    assert_eq!(lab.create_balancer("ielts"), balancer);
    assert_eq!(lab.create_group("tg", 80), group);
    let other = format!("Name=tg&Protocol=HTTP&Port=81&TargetType=ip&VpcId={}", lab.vpc);
    assert_eq!(
        lab.refused("CreateTargetGroup", &other),
        (
            "DuplicateTargetGroupName".to_owned(),
            "A target group with the same name 'tg' exists, but with different settings".to_owned()
        )
    );
    let internal = format!(
        "Name=ielts&Scheme=internal&Subnets.member.1={}&Subnets.member.2={}",
        lab.subnets[0], lab.subnets[1]
    );
    assert_eq!(lab.refused("CreateLoadBalancer", &internal).0, "DuplicateLoadBalancerName");
}

#[test]
fn a_load_balancer_is_provisioned_slowly_on_aws_and_at_once_where_someone_waits() {
    for (pace, secs, expected) in
        [(Pace::default(), 0, "provisioning"), (Pace::default(), 120, "active"), (Pace::local(), 0, "active")]
    {
        let mut lab = Lab::with(Settings { pace, ..Settings::default() });
        lab.create_balancer("ielts");
        lab.wait(secs);
        let reply = lab.ok("DescribeLoadBalancers", "Names.member.1=ielts");
        let balancer = &reply["LoadBalancers"][0];
        assert_eq!(balancer["State"]["Code"], expected);
        let name = balancer["DNSName"].as_str().unwrap();
        let number = name
            .strip_prefix("ielts-")
            .and_then(|rest| rest.strip_suffix(".ap-southeast-1.elb.amazonaws.com"));
        assert!(number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())), "{name}");
    }
}

#[test]
fn names_that_are_not_there_are_refused_in_awss_words() {
    let mut lab = Lab::new();
    let arn = "arn:aws:elasticloadbalancing:ap-southeast-1:123456789012";
    let cases = [
        (
            "DescribeLoadBalancers",
            "Names.member.1=x".to_owned(),
            "LoadBalancerNotFound",
            "Load balancers '[x]' not found",
        ),
        (
            "DescribeTargetGroups",
            "Names.member.1=x".to_owned(),
            "TargetGroupNotFound",
            "One or more target groups not found",
        ),
        (
            "DescribeTargetHealth",
            format!("TargetGroupArn={arn}:targetgroup/x/0"),
            "TargetGroupNotFound",
            &format!("Target groups '{arn}:targetgroup/x/0' not found"),
        ),
        (
            "DescribeRules",
            format!("ListenerArn={arn}:listener/app/x/0/0"),
            "ListenerNotFound",
            "One or more listeners not found",
        ),
        (
            "DeleteRule",
            format!("RuleArn={arn}:listener-rule/app/x/0/0/0"),
            "RuleNotFound",
            "One or more rules not found",
        ),
        (
            "DescribeListeners",
            String::new(),
            "ValidationError",
            "You must specify either listener ARNs or a load balancer ARN",
        ),
        (
            "DescribeTargetHealth",
            String::new(),
            "ValidationError",
            "1 validation error detected: Value null at 'targetGroupArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            "Nonsense",
            String::new(),
            "InvalidAction",
            "the embedded cloud does not have elasticloadbalancing:Nonsense; docs/operations.md lists what it has",
        ),
    ];
    for (operation, form, code, message) in cases {
        assert_eq!(lab.refused(operation, &form), (code.to_owned(), message.to_owned()));
    }
}

#[test]
fn deleting_what_is_gone_succeeds_and_what_is_in_use_does_not() {
    let mut lab = Lab::new();
    let Serving { balancer, listener, backend, .. } = lab.serving();
    let delete = format!("TargetGroupArn={backend}");
    assert_eq!(
        lab.refused("DeleteTargetGroup", &delete),
        (
            "ResourceInUse".to_owned(),
            format!("Target group '{backend}' is currently in use by a listener or a rule")
        )
    );
    let protect = format!(
        "LoadBalancerArn={balancer}&Attributes.member.1.Key=deletion_protection.enabled&Attributes.member.1.Value"
    );
    lab.ok("ModifyLoadBalancerAttributes", &format!("{protect}=true"));
    assert_eq!(
        lab.refused("DeleteLoadBalancer", &format!("LoadBalancerArn={balancer}")).0,
        "OperationNotPermitted"
    );
    lab.ok("ModifyLoadBalancerAttributes", &format!("{protect}=false"));
    for _ in 0..2 {
        lab.ok("DeleteLoadBalancer", &format!("LoadBalancerArn={balancer}"));
    }
    assert_eq!(lab.refused("DescribeRules", &format!("ListenerArn={listener}")).0, "ListenerNotFound");
    for _ in 0..2 {
        lab.ok("DeleteTargetGroup", &delete);
    }
    for (operation, member) in
        [("DeleteTargetGroup", "TargetGroupArn"), ("DeleteLoadBalancer", "LoadBalancerArn")]
    {
        let (code, message) = lab.refused(operation, &format!("{member}=x"));
        assert_eq!(code, "ValidationError", "what is no ARN at all is a mistake: {message}");
    }
}

#[test]
fn a_target_group_serves_one_load_balancer_only() {
    let mut lab = Lab::new();
    let Serving { balancer, frontend, .. } = lab.serving();
    let reply = lab.ok("DescribeTargetGroups", &format!("LoadBalancerArn={balancer}"));
    assert_eq!(reply["TargetGroups"].as_array().unwrap().len(), 2);
    assert_eq!(reply["TargetGroups"][0]["LoadBalancerArns"], json!([balancer]));
    let other = lab.create_balancer("other");
    let form = format!(
        "LoadBalancerArn={other}&Protocol=HTTP&Port=80&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={frontend}"
    );
    assert_eq!(lab.refused("CreateListener", &form).0, "TargetGroupAssociationLimit");
}

#[test]
fn a_second_listener_on_a_port_is_refused() {
    let mut lab = Lab::new();
    let Serving { balancer, listener, frontend, backend } = lab.serving();
    let form = |port: u16| {
        format!(
            "LoadBalancerArn={balancer}&Protocol=HTTP&Port={port}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={frontend}"
        )
    };
    let text_of = format!("A listener already exists on this port for this load balancer '{balancer}'");
    assert_eq!(lab.refused("CreateListener", &form(80)), ("DuplicateListener".to_owned(), text_of));
    lab.ok("CreateListener", &form(81));
    assert_eq!(
        lab.refused("ModifyListener", &format!("ListenerArn={listener}&Port=81")).1,
        "Listener port '81' is already in use"
    );
    let change = format!(
        "ListenerArn={listener}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={backend}"
    );
    let changed = lab.ok("ModifyListener", &change);
    assert_eq!(changed["Listeners"][0]["DefaultActions"][0]["TargetGroupArn"], backend);
    assert_eq!(changed["Listeners"][0]["Port"], 80, "what is not said stays");
}

#[test]
fn settings_outside_their_range_are_refused() {
    let mut lab = Lab::new();
    let vpc = lab.vpc.clone();
    let group = |extra: &str| format!("Name=tg&Protocol=HTTP&Port=80&TargetType=ip&VpcId={vpc}{extra}");
    let cases = [
        (
            "&HealthCheckIntervalSeconds=4",
            "at 'healthCheckIntervalSeconds' failed to satisfy constraint: Member must have value greater than or equal to 5",
        ),
        ("&HealthCheckIntervalSeconds=5", "Health check interval must be greater than the timeout."),
        ("&HealthyThresholdCount=1", "at 'healthyThresholdCount'"),
        ("&HealthCheckPath=health", "must begin with a '/' character"),
        ("&Matcher.HttpCode=200-600", "must be within '200-499' inclusive"),
        ("&Matcher.HttpCode=ok", "must be within '200-499' inclusive"),
        ("&HealthCheckPort=0", "must be either 'traffic-port' or in range"),
        ("&HealthCheckEnabled=false", "Health check enabled must be true"),
        ("&Port=80&Name=has_underscore", "alphanumeric characters and hyphens(-)"),
        ("&Name=a-name-that-is-longer-than-32-characters", "cannot be longer than '32' characters"),
        ("&VpcId=vpc-9", "The VPC ID 'vpc-9' is not found"),
    ];
    for (extra, part) in cases {
        let (code, message) = lab.refused("CreateTargetGroup", &group(extra));
        assert_eq!(code, "ValidationError");
        assert!(message.contains(part), "{extra}: {message}");
    }
    let one_subnet = format!("Name=lb&Subnets.member.1={}", lab.subnets[0]);
    assert_eq!(
        lab.refused("CreateLoadBalancer", &one_subnet).1,
        "At least two subnets in two different Availability Zones must be specified"
    );
}

#[test]
fn attributes_have_defaults_and_take_all_changes_or_none() {
    let mut lab = Lab::new();
    let group = lab.create_group("tg", 80);
    let named = format!("TargetGroupArn={group}");
    let value = |lab: &mut Lab, key: &str| {
        let reply = lab.ok("DescribeTargetGroupAttributes", &named);
        let rows = reply["Attributes"].as_array().unwrap();
        rows.iter().find(|row| row["Key"] == key).map(|row| text(&row["Value"]))
    };
    let delay = "deregistration_delay.timeout_seconds";
    assert_eq!(value(&mut lab, delay).as_deref(), Some("300"));
    let change = |delay_secs: &str, key: &str, other: &str| {
        format!(
            "{named}&Attributes.member.1.Key={delay}&Attributes.member.1.Value={delay_secs}&Attributes.member.2.Key={key}&Attributes.member.2.Value={other}"
        )
    };
    let refused = [
        change("5", "nonsense", "1"),
        change("5", "slow_start.duration_seconds", "29"),
        change("3601", "stickiness.enabled", "true"),
        change("5", "stickiness.enabled", "yes"),
    ];
    for form in refused {
        assert_eq!(lab.refused("ModifyTargetGroupAttributes", &form).0, "ValidationError");
        assert_eq!(value(&mut lab, delay).as_deref(), Some("300"), "{form}");
    }
    lab.ok("ModifyTargetGroupAttributes", &change("5", "slow_start.duration_seconds", "0"));
    assert_eq!(value(&mut lab, delay).as_deref(), Some("5"));
    lab.ok("ModifyTargetGroupAttributes", &change("5", "slow_start.duration_seconds", "30"));
    let algorithm = change("5", "load_balancing.algorithm.type", "least_outstanding_requests");
    let (code, text) = lab.refused("ModifyTargetGroupAttributes", &algorithm);
    assert!(code == "InvalidConfigurationRequest" && text.contains("Slow start"), "{text}");
    lab.ok("ModifyTargetGroupAttributes", &change("5", "stickiness.type", "app_cookie"));
    let (code, text) = lab.refused("ModifyTargetGroupAttributes", &change("5", "stickiness.enabled", "true"));
    assert!(code == "InvalidConfigurationRequest" && text.contains("use 'lb_cookie'"), "{text}");
}

#[test]
fn tags_of_every_kind_of_resource_are_kept_and_go_with_it() {
    let mut lab = Lab::new();
    let Serving { balancer, listener, backend, .. } = lab.serving();
    let rules = lab.ok("DescribeRules", &format!("ListenerArn={listener}"));
    let rule = text(&rules["Rules"][0]["RuleArn"]);
    for arn in [&balancer, &listener, &backend, &rule] {
        lab.ok(
            "AddTags",
            &format!("ResourceArns.member.1={arn}&Tags.member.1.Key=team&Tags.member.1.Value=a"),
        );
        lab.ok(
            "AddTags",
            &format!("ResourceArns.member.1={arn}&Tags.member.1.Key=team&Tags.member.1.Value=b"),
        );
        let reply = lab.ok("DescribeTags", &format!("ResourceArns.member.1={arn}"));
        assert_eq!(reply["TagDescriptions"][0]["Tags"], json!([{ "Key": "team", "Value": "b" }]));
    }
    lab.ok("RemoveTags", &format!("ResourceArns.member.1={backend}&TagKeys.member.1=team"));
    let reply = lab.ok("DescribeTags", &format!("ResourceArns.member.1={backend}"));
    assert_eq!(reply["TagDescriptions"][0]["Tags"], json!([]));
    lab.ok("DeleteLoadBalancer", &format!("LoadBalancerArn={balancer}"));
    assert_eq!(lab.refused("DescribeTags", &format!("ResourceArns.member.1={rule}")).0, "RuleNotFound");
    assert!(lab.account.base.tags.arns().all(|arn| *arn == backend), "nothing is left behind");
    let twice = format!("ResourceArns.member.1={backend}&Tags.member.1.Key=a&Tags.member.2.Key=a");
    assert_eq!(lab.refused("AddTags", &twice).0, "DuplicateTagKeys");
}

#[test]
fn long_lists_come_in_pages() {
    let mut lab = Lab::new();
    for index in 0..5 {
        lab.create_group(&format!("tg-{index}"), 80);
    }
    let first = lab.ok("DescribeTargetGroups", "PageSize=3");
    assert_eq!(first["TargetGroups"].as_array().unwrap().len(), 3);
    let marker = text(&first["NextMarker"]);
    let second = lab.ok("DescribeTargetGroups", &format!("PageSize=3&Marker={marker}"));
    assert_eq!(second["TargetGroups"][1]["TargetGroupName"], "tg-4");
    assert!(second["NextMarker"].is_null());
    assert_eq!(lab.refused("DescribeTargetGroups", "Marker=7").0, "ValidationError");
}

#[test]
fn a_changed_health_check_applies_to_the_next_check() {
    let mut lab = Lab::new();
    let group = lab.create_group("tg", 80);
    let reply = lab.ok(
        "ModifyTargetGroup",
        &format!("TargetGroupArn={group}&HealthCheckPath=/new&Matcher.HttpCode=200,302"),
    );
    let shown = &reply["TargetGroups"][0];
    assert_eq!(
        (&shown["HealthCheckPath"], &shown["HealthCheckIntervalSeconds"]),
        (&json!("/new"), &json!(10))
    );
    let check = &lab.account.elb.target_groups[&group].health_check;
    let passing: Vec<u16> = (200..310).filter(|status| check.passes(*status)).collect();
    assert_eq!(passing, [200, 302]);
}

#[test]
fn a_listener_lists_its_default_certificate_and_keeps_the_others_when_that_changes() {
    let mut lab = Lab::new();
    let balancer = lab.create_balancer("ielts");
    let fixed = "DefaultActions.member.1.Type=fixed-response&DefaultActions.member.1.FixedResponseConfig.StatusCode=404";
    let asked = format!("LoadBalancerArn={balancer}&Protocol=HTTPS&Port=443&{fixed}");
    assert_eq!(lab.refused("CreateListener", &asked).0, "ValidationError", "HTTPS needs a certificate");
    let two = "&Certificates.member.1.CertificateArn=a&Certificates.member.2.CertificateArn=b";
    assert_eq!(lab.refused("CreateListener", &format!("{asked}{two}")).0, "TooManyCertificates");
    let made = lab.ok("CreateListener", &format!("{asked}&Certificates.member.1.CertificateArn=a"));
    let listener = &made["Listeners"][0];
    assert_eq!(listener["SslPolicy"], "ELBSecurityPolicy-2016-08", "the API's default is old");
    let arn = text(&listener["ListenerArn"]);
    let named =
        |certificate: &str| format!("ListenerArn={arn}&Certificates.member.1.CertificateArn={certificate}");
    lab.ok("AddListenerCertificates", &named("b"));
    lab.ok("AddListenerCertificates", &named("b"));
    let changed = lab.ok("ModifyListener", &named("c"));
    assert_eq!(changed["Listeners"][0]["Certificates"], json!([{ "CertificateArn": "c" }]));
    let listed = lab.ok("DescribeListenerCertificates", &format!("ListenerArn={arn}"));
    let expected = json!([
        { "CertificateArn": "c", "IsDefault": true },
        { "CertificateArn": "b", "IsDefault": false },
    ]);
    assert_eq!(listed["Certificates"], expected);
    assert_eq!(lab.refused("RemoveListenerCertificates", &named("c")).0, "OperationNotPermitted");
    lab.ok("RemoveListenerCertificates", &named("b"));
}

#[test]
fn a_listener_shows_its_attributes_and_refuses_the_values_that_the_local_balancer_does_not_apply() {
    let mut lab = Lab::new();
    let Serving { listener, .. } = lab.serving();
    let shown = lab.ok("DescribeListenerAttributes", &format!("ListenerArn={listener}"));
    let keys: Vec<&str> =
        shown["Attributes"].as_array().unwrap().iter().map(|own| own["Key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"routing.http.response.server.enabled"), "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains("request")), "those are HTTPS listeners': {keys:?}");
    let change = |key: &str, value: &str| {
        format!("ListenerArn={listener}&Attributes.member.1.Key={key}&Attributes.member.1.Value={value}")
    };
    lab.ok("ModifyListenerAttributes", &change("routing.http.response.server.enabled", "true"));
    let refused =
        lab.refused("ModifyListenerAttributes", &change("routing.http.response.server.enabled", "false"));
    assert_eq!(refused.0, "InvalidConfigurationRequest");
    assert_eq!(lab.refused("ModifyListenerAttributes", &change("colour", "red")).0, "ValidationError");
}
