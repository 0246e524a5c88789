//! Listener rules: priorities, what a rule may say, and how it is shown afterwards.

use serde_json::json;

use super::{Lab, Serving, rule, text};

#[test]
fn rules_are_listed_by_priority_with_the_default_last() {
    let mut lab = Lab::new();
    let Serving { listener, backend, .. } = lab.serving();
    lab.create_rule(&listener, 7, "path-pattern", "/x", &backend);
    let rules = lab.ok("DescribeRules", &format!("ListenerArn={listener}"));
    let priorities: Vec<&str> =
        rules["Rules"].as_array().unwrap().iter().map(|rule| rule["Priority"].as_str().unwrap()).collect();
    assert_eq!(priorities, ["7", "100", "default"]);
    assert_eq!(rules["Rules"][2]["IsDefault"], true);
}

#[test]
fn a_rule_is_shown_in_both_forms_as_on_aws_so_that_a_second_plan_finds_no_difference() {
    let mut lab = Lab::new();
    let Serving { listener, backend, .. } = lab.serving();
    let rules = lab.ok("DescribeRules", &format!("ListenerArn={listener}"));
    assert_eq!(
        rules["Rules"][0]["Conditions"],
        json!([{ "Field": "path-pattern", "Values": ["/api/*"], "PathPatternConfig": { "Values": ["/api/*"] } }])
    );
    assert_eq!(
        rules["Rules"][0]["Actions"],
        json!([{
            "Type": "forward",
            "TargetGroupArn": backend,
            "ForwardConfig": {
                "TargetGroups": [{ "TargetGroupArn": backend, "Weight": 1 }],
                "TargetGroupStickinessConfig": { "Enabled": false },
            },
        }])
    );
}

#[test]
fn the_newer_conditions_are_shown_in_their_long_form_only() {
    let mut lab = Lab::new();
    let Serving { listener, backend, .. } = lab.serving();
    let form = format!(
        "ListenerArn={listener}&Priority=3&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={backend}\
         &Conditions.member.1.Field=source-ip&Conditions.member.1.SourceIpConfig.Values.member.1=10.0.0.0/8\
         &Conditions.member.2.Field=http-header&Conditions.member.2.HttpHeaderConfig.HttpHeaderName=X-A\
         &Conditions.member.2.HttpHeaderConfig.Values.member.1=1"
    );
    let made = lab.ok("CreateRule", &form);
    assert_eq!(
        made["Rules"][0]["Conditions"],
        json!([
            { "Field": "source-ip", "SourceIpConfig": { "Values": ["10.0.0.0/8"] } },
            { "Field": "http-header", "HttpHeaderConfig": { "HttpHeaderName": "X-A", "Values": ["1"] } },
        ])
    );
}

#[test]
fn priorities_are_unique_and_only_set_rule_priorities_moves_a_rule() {
    let mut lab = Lab::new();
    let Serving { listener, backend, frontend, .. } = lab.serving();
    let taken = lab.refused("CreateRule", &rule(&listener, 100, "path-pattern", "/x", &backend));
    assert_eq!(taken, ("PriorityInUse".to_owned(), "Priority '100' is currently in use".to_owned()));
    let second = lab.create_rule(&listener, 200, "path-pattern", "/x", &frontend);
    let rules = lab.ok("DescribeRules", &format!("ListenerArn={listener}"));
    let first = text(&rules["Rules"][0]["RuleArn"]);
    let swap = format!(
        "RulePriorities.member.1.RuleArn={first}&RulePriorities.member.1.Priority=200&RulePriorities.member.2.RuleArn={second}&RulePriorities.member.2.Priority=100"
    );
    lab.ok("SetRulePriorities", &swap);
    let rules = lab.ok("DescribeRules", &format!("ListenerArn={listener}"));
    assert_eq!(rules["Rules"][0]["RuleArn"], second, "two rules trade places in one call");
    let onto = format!("RulePriorities.member.1.RuleArn={first}&RulePriorities.member.1.Priority=100");
    assert_eq!(lab.refused("SetRulePriorities", &onto).0, "PriorityInUse");
}

#[test]
fn modifying_a_rule_keeps_what_is_not_said() {
    let mut lab = Lab::new();
    let Serving { listener, backend, frontend, .. } = lab.serving();
    let arn = lab.create_rule(&listener, 5, "path-pattern", "/x", &backend);
    let form =
        format!("RuleArn={arn}&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={frontend}");
    let modified = lab.ok("ModifyRule", &form);
    assert_eq!(modified["Rules"][0]["Conditions"][0]["Values"], json!(["/x"]));
    assert_eq!(modified["Rules"][0]["Actions"][0]["TargetGroupArn"], frontend);
    assert_eq!(modified["Rules"][0]["Priority"], "5");
}

#[test]
fn what_a_rule_cannot_say_is_refused() {
    let mut lab = Lab::new();
    let Serving { listener, backend, .. } = lab.serving();
    let six: String =
        (1..=6).map(|index| format!("&Conditions.member.1.Values.member.{index}=/{index}")).collect();
    let head = format!(
        "ListenerArn={listener}&Priority=1&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={backend}"
    );
    let condition = "Conditions.member.1.Field";
    let missing = "arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:targetgroup/x/0";
    let cases = [
        (head.clone(), "ValidationError", "A rule must have at least one condition"),
        (
            format!("{head}&{condition}=path-pattern"),
            "ValidationError",
            "A condition value must be specified",
        ),
        (format!("{head}&{condition}=colour"), "ValidationError", "Condition field 'colour' must be one of"),
        (
            format!("{head}&{condition}=path-pattern{six}"),
            "ValidationError",
            "A rule can only have '5' condition values",
        ),
        (format!("{head}&{condition}=source-ip"), "ValidationError", "A condition value must be specified"),
        (
            format!(
                "{head}&{condition}=source-ip&Conditions.member.1.SourceIpConfig.Values.member.1=10.0.0.0/33"
            ),
            "ValidationError",
            "'10.0.0.0/33' is not valid",
        ),
        (
            format!(
                "{head}&{condition}=http-header&Conditions.member.1.HttpHeaderConfig.HttpHeaderName=Host\
                 &Conditions.member.1.HttpHeaderConfig.Values.member.1=x"
            ),
            "ValidationError",
            "use 'host-header'",
        ),
        (
            format!(
                "{head}&{condition}=host-header&Conditions.member.1.HostHeaderConfig.RegexValues.member.1=x"
            ),
            "InvalidConfigurationRequest",
            "not served",
        ),
        (rule(&listener, 0, "path-pattern", "/x", &backend), "ValidationError", "greater than or equal to 1"),
        (
            rule(&listener, 50_001, "path-pattern", "/x", &backend),
            "ValidationError",
            "less than or equal to 50000",
        ),
        (
            rule(&listener, 1, "path-pattern", "/a%20b", &backend),
            "ValidationError",
            "a character that is not valid",
        ),
        (rule(&listener, 1, "path-pattern", "/x", missing), "TargetGroupNotFound", "not found"),
        (
            rule(&listener, 1, "path-pattern", "/x", "x"),
            "ValidationError",
            "'x' is not a valid target group ARN",
        ),
        (rule("x", 1, "path-pattern", "/x", &backend), "ValidationError", "'x' is not a valid listener ARN"),
    ];
    for (form, code, part) in cases {
        let (found, message) = lab.refused("CreateRule", &form);
        assert_eq!(found, code, "{form}: {message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn the_default_rule_can_be_neither_modified_nor_deleted() {
    let mut lab = Lab::new();
    let Serving { listener, backend, .. } = lab.serving();
    let rules = lab.ok("DescribeRules", &format!("ListenerArn={listener}"));
    let default = text(&rules["Rules"][1]["RuleArn"]);
    let modify =
        format!("RuleArn={default}&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={backend}");
    for (operation, form) in [("DeleteRule", format!("RuleArn={default}")), ("ModifyRule", modify)] {
        assert_eq!(lab.refused(operation, &form).0, "OperationNotPermitted");
    }
}

#[test]
fn the_hundred_and_first_rule_is_refused() {
    let mut lab = Lab::new();
    let Serving { listener, backend, .. } = lab.serving();
    for priority in 1..=99 {
        lab.create_rule(&listener, priority, "path-pattern", "/x", &backend);
    }
    let refused = lab.refused("CreateRule", &rule(&listener, 101, "path-pattern", "/x", &backend));
    assert_eq!(refused.0, "TooManyRules");
}
