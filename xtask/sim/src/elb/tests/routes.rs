//! Where requests go: the mission's rules, and what happens when targets are missing or ill.

use super::{Lab, Serving, TASK};
use crate::elb::{Request, Route, RouteTarget, deregister, listeners, route, route_of};
use crate::workload::Answer;

fn get(lab: &Lab, host: &str, target: &str) -> Route {
    route(&lab.account.elb, 80, "GET", host, target)
}

fn group(route: Route) -> String {
    match route {
        Route::Forward { target_group, .. } => target_group,
        other => panic!("{other:?}"),
    }
}

fn targets(route: Route) -> Vec<String> {
    match route {
        Route::Forward { targets, .. } => targets.into_iter().map(|target| target.task).collect(),
        other => panic!("{other:?}"),
    }
}

/// A rule for each way to match, and what it then does.
#[test]
fn the_public_health_path_reaches_the_backend_and_the_actuator_path_the_frontend() {
    let mut lab = Lab::new();
    let Serving { backend, frontend, .. } = lab.serving();
    let cases = [
        ("/api/skills", &backend),
        ("/api/health", &backend),
        ("/api/", &backend),
        ("/api/x?y=/z", &backend),
        ("/api", &frontend),
        ("/API/skills", &frontend),
        ("/", &frontend),
        ("/actuator/health", &frontend),
        ("/x?path=/api/skills", &frontend),
    ];
    for (target, expected) in cases {
        assert_eq!(&group(get(&lab, "any.example", target)), expected, "{target}");
    }
}

#[test]
fn exact_path_rules_of_higher_priority_put_the_health_paths_right() {
    let mut lab = Lab::new();
    let Serving { listener, backend, frontend, .. } = lab.serving();
    lab.create_rule(&listener, 10, "path-pattern", "/api/health", &frontend);
    lab.create_rule(&listener, 11, "path-pattern", "/actuator/health", &backend);
    for (target, expected) in
        [("/api/health", &frontend), ("/actuator/health", &backend), ("/api/healthy", &backend)]
    {
        assert_eq!(&group(get(&lab, "h", target)), expected, "{target}");
    }
}

#[test]
fn all_conditions_of_a_rule_must_hold() {
    let mut lab = Lab::new();
    let Serving { listener, backend, frontend, .. } = lab.serving();
    let form = format!(
        "ListenerArn={listener}&Priority=1&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={backend}\
         &Conditions.member.1.Field=host-header&Conditions.member.1.HostHeaderConfig.Values.member.1=*.Example.com\
         &Conditions.member.2.Field=http-request-method&Conditions.member.2.HttpRequestMethodConfig.Values.member.1=POST\
         &Conditions.member.3.Field=query-string&Conditions.member.3.QueryStringConfig.Values.member.1.Key=v\
         &Conditions.member.3.QueryStringConfig.Values.member.1.Value=2"
    );
    lab.ok("CreateRule", &form);
    let cases = [
        ("POST", "a.example.com:8088", "/x?v=2", &backend),
        ("POST", "A.EXAMPLE.COM", "/x?u=1&v=2", &backend),
        ("GET", "a.example.com", "/x?v=2", &frontend),
        ("POST", "example.com", "/x?v=2", &frontend),
        ("POST", "a.example.com", "/x?v=3", &frontend),
        ("POST", "a.example.com", "/x", &frontend),
    ];
    for (method, host, target, expected) in cases {
        assert_eq!(
            &group(route(&lab.account.elb, 80, method, host, target)),
            expected,
            "{method} {host} {target}"
        );
    }
}

#[test]
fn only_healthy_targets_get_requests_and_draining_ones_never_again() {
    let mut lab = Lab::new();
    let backend = lab.serving().backend;
    assert_eq!(targets(get(&lab, "h", "/api/x")), [""; 0], "no target: the door answers 503");
    lab.register(&backend, "10.0.1.4", 8080, TASK);
    lab.register(&backend, "10.0.2.4", 8080, "second");
    lab.wait(3);
    lab.answer(&backend, "second", Answer::Status(200));
    assert_eq!(targets(get(&lab, "h", "/api/x")), ["second"]);
    lab.answer(&backend, TASK, Answer::Status(200));
    let both = [TASK, "second"].map(|task| RouteTarget { task: task.to_owned(), port: 8080, healthy: true });
    let expected = Route::Forward { target_group: backend.clone(), targets: both.into(), sticky_secs: None };
    assert_eq!(get(&lab, "h", "/api/x"), expected);
    deregister(&mut lab.account.base, &mut lab.account.elb, lab.now, &backend, "10.0.2.4", 8080);
    assert_eq!(targets(get(&lab, "h", "/api/x")), [TASK]);
}

#[test]
fn without_a_healthy_target_the_load_balancer_fails_open() {
    let mut lab = Lab::new();
    let backend = lab.serving().backend;
    lab.register(&backend, "10.0.1.4", 8080, TASK);
    lab.register(&backend, "10.0.2.4", 8080, "leaving");
    lab.wait(30);
    deregister(&mut lab.account.base, &mut lab.account.elb, lab.now, &backend, "10.0.2.4", 8080);
    assert_eq!(targets(get(&lab, "h", "/api/x")), [TASK], "the ill one, but not the leaving one");
}

#[test]
fn fixed_responses_and_redirects_are_answered_by_the_load_balancer() {
    let mut lab = Lab::new();
    let Serving { listener, .. } = lab.serving();
    let head = |priority: u32, path: &str| {
        format!(
            "ListenerArn={listener}&Priority={priority}&Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1={path}"
        )
    };
    let fixed = "Actions.member.1.Type=fixed-response&Actions.member.1.FixedResponseConfig.StatusCode=503&Actions.member.1.FixedResponseConfig.ContentType=text/html&Actions.member.1.FixedResponseConfig.MessageBody=closed";
    lab.ok("CreateRule", &format!("{}&{fixed}", head(1, "/closed")));
    let redirect = "Actions.member.1.Type=redirect&Actions.member.1.RedirectConfig.Protocol=HTTPS&Actions.member.1.RedirectConfig.Port=443&Actions.member.1.RedirectConfig.StatusCode=HTTP_301";
    lab.ok("CreateRule", &format!("{}&{redirect}", head(2, "/old/*")));
    let closed =
        Route::Fixed { status: 503, content_type: "text/html".to_owned(), body: "closed".to_owned() };
    assert_eq!(get(&lab, "h", "/closed"), closed);
    let cases = [("/old/a?b=c", "https://h.example:443/old/a?b=c"), ("/old/", "https://h.example:443/old/")];
    for (target, location) in cases {
        let expected = Route::Redirect { status: 301, location: location.to_owned() };
        assert_eq!(get(&lab, "h.example:8088", target), expected);
    }
}

#[test]
fn two_load_balancers_on_one_port_are_distinguished_by_their_name() {
    let mut lab = Lab::new();
    let Serving { frontend, .. } = lab.serving();
    let other = lab.create_balancer("other");
    let group_of_other = lab.create_group("other-tg", 80);
    lab.create_listener(&other, 80, &group_of_other);
    lab.create_listener(&other, 8081, &group_of_other);
    let ports: Vec<u16> = listeners(&lab.account.elb).iter().map(|served| served.port).collect();
    assert_eq!(ports, [80, 8081]);
    let reply = lab.ok("DescribeLoadBalancers", "Names.member.1=other");
    let name = reply["LoadBalancers"][0]["DNSName"].as_str().unwrap().to_owned();
    assert_eq!(group(get(&lab, &format!("{name}:80"), "/")), group_of_other);
    assert_eq!(group(get(&lab, "127.0.0.1", "/")), frontend);
    assert_eq!(route(&lab.account.elb, 9999, "GET", "h", "/"), Route::NoListener);
}

#[test]
fn a_header_and_the_clients_address_choose_a_target_group_too() {
    let mut lab = Lab::new();
    let Serving { listener, backend, frontend, .. } = lab.serving();
    let head = format!(
        "ListenerArn={listener}&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={backend}\
         &Conditions.member.1.Field"
    );
    let values = "&Conditions.member.1.HttpHeaderConfig.Values.member";
    lab.ok(
        "CreateRule",
        &format!(
            "{head}=http-header&Priority=1&Conditions.member.1.HttpHeaderConfig.HttpHeaderName=X-Canary\
             {values}.1=yes{values}.2=beta-*"
        ),
    );
    let source = "&Conditions.member.1.SourceIpConfig.Values.member";
    lab.ok(
        "CreateRule",
        &format!("{head}=source-ip&Priority=2{source}.1=203.0.113.0/24{source}.2=2001:db8::/32"),
    );
    let cases = [
        (Some(("x-canary", "YES")), "198.51.100.1", &backend),
        (Some(("x-canary", "beta-7")), "198.51.100.1", &backend),
        (Some(("x-canary", "no")), "198.51.100.1", &frontend),
        (Some(("x-forwarded-for", "203.0.113.9")), "198.51.100.1", &frontend),
        (None, "203.0.113.9", &backend),
        (None, "203.0.114.9", &frontend),
        (None, "2001:db8:1::2", &backend),
        (None, "2001:db9::2", &frontend),
    ];
    for (header, client, expected) in cases {
        let mut headers = http::HeaderMap::new();
        headers.extend(header.map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        }));
        let client = client.parse().unwrap();
        let request = Request { method: "GET", host: "h", target: "/x", headers: &headers, client };
        assert_eq!(&group(route_of(&lab.account.elb, 80, request)), expected, "{header:?} {client}");
    }
}

#[test]
fn a_group_of_another_protocol_version_is_not_routed_to_in_silence() {
    let mut lab = Lab::new();
    let Serving { balancer, .. } = lab.serving();
    let made = lab.ok(
        "CreateTargetGroup",
        &format!("Name=rpc&Protocol=HTTP&Port=50051&TargetType=ip&ProtocolVersion=GRPC&VpcId={}", lab.vpc),
    );
    let group = &made["TargetGroups"][0];
    assert_eq!(
        (&group["Matcher"]["GrpcCode"], &group["HealthCheckPath"]),
        (&"12".into(), &"/AWS.ALB/healthcheck".into())
    );
    let arn = super::text(&group["TargetGroupArn"]);
    let listener = |protocol: &str| {
        format!(
            "LoadBalancerArn={balancer}&Port=444&Protocol={protocol}&Certificates.member.1.CertificateArn=\
             arn:aws:acm:ap-southeast-1:123456789012:certificate/x&DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn={arn}"
        )
    };
    let plain = listener("HTTP").replace(
        "&Certificates.member.1.CertificateArn=arn:aws:acm:ap-southeast-1:123456789012:certificate/x",
        "",
    );
    let (code, text) = lab.refused("CreateListener", &plain);
    assert_eq!(code, "InvalidLoadBalancerAction");
    assert_eq!(
        text,
        "Listener protocol 'HTTP' is not supported with a target group with the protocol-version 'GRPC'"
    );
    lab.ok("CreateListener", &listener("HTTPS"));
    let reached = route(&lab.account.elb, 444, "POST", "h", "/pkg.Service/Call");
    assert_eq!(reached, Route::Unserved { protocol_version: "GRPC".to_owned() });
}
