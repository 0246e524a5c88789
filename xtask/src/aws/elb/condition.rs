//! Conditions of rules, as ELBv2 writes them.
//!
//! Paths and hosts are shown in two places, `Values` and a configuration of their own; older emulators have the first only.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig, HttpHeaderConditionConfig, HttpRequestMethodConditionConfig,
    PathPatternConditionConfig, QueryStringConditionConfig, QueryStringKeyValuePair, Rule, RuleCondition,
    SourceIpConditionConfig,
};
use deploy::model::spec::{Condition, ConditionField, normal};

pub(super) fn of(conditions: &[Condition]) -> Vec<RuleCondition> {
    conditions.iter().map(one).collect()
}

fn one(condition: &Condition) -> RuleCondition {
    let values = || Some(condition.values.clone());
    let field = RuleCondition::builder().field(name(&condition.on));
    match &condition.on {
        ConditionField::Path => {
            field.path_pattern_config(PathPatternConditionConfig::builder().set_values(values()).build())
        }
        ConditionField::Host => {
            field.host_header_config(HostHeaderConditionConfig::builder().set_values(values()).build())
        }
        ConditionField::Header(name) => field.http_header_config(
            HttpHeaderConditionConfig::builder().http_header_name(name).set_values(values()).build(),
        ),
        ConditionField::Method => field.http_request_method_config(
            HttpRequestMethodConditionConfig::builder().set_values(values()).build(),
        ),
        ConditionField::Query => {
            let pairs = condition.values.iter().map(|text| pair(text)).collect();
            field.query_string_config(QueryStringConditionConfig::builder().set_values(Some(pairs)).build())
        }
        ConditionField::SourceIp => {
            field.source_ip_config(SourceIpConditionConfig::builder().set_values(values()).build())
        }
        ConditionField::Other(_) => field.set_values(values()),
    }
    .build()
}

fn name(field: &ConditionField) -> &str {
    match field {
        ConditionField::Path => "path-pattern",
        ConditionField::Host => "host-header",
        ConditionField::Header(_) => "http-header",
        ConditionField::Method => "http-request-method",
        ConditionField::Query => "query-string",
        ConditionField::SourceIp => "source-ip",
        ConditionField::Other(name) => name,
    }
}

/// `key=value`, or a value of any key: one that has `=` itself begins with another.
fn pair(text: &str) -> QueryStringKeyValuePair {
    let (key, value) = text.split_once('=').unwrap_or(("", text));
    let key = (!key.is_empty()).then(|| key.to_owned());
    QueryStringKeyValuePair::builder().set_key(key).value(value).build()
}

fn pair_text(pair: &QueryStringKeyValuePair) -> String {
    let value = pair.value().unwrap_or_default();
    match pair.key() {
        None | Some("") if !value.contains('=') => value.to_owned(),
        key => format!("{}={value}", key.unwrap_or_default()),
    }
}

/// A rule's conditions in normal form.
pub(super) fn read(rule: &Rule) -> Vec<Condition> {
    normal(rule.conditions().iter().map(read_one).collect())
}

fn read_one(condition: &RuleCondition) -> Condition {
    let field = condition.field().unwrap_or_default();
    let regular = [
        Some(condition.regex_values()),
        condition.path_pattern_config().map(|it| it.regex_values()),
        condition.host_header_config().map(|it| it.regex_values()),
        condition.http_header_config().map(|it| it.regex_values()),
    ];
    // This tool writes no such rule: read as its field alone, a regular expression would pass for a pattern.
    if let Some(values) = regular.into_iter().flatten().find(|values| !values.is_empty()) {
        return Condition { on: ConditionField::Other(format!("{field} by regex")), values: values.to_vec() };
    }
    let (on, configured) = match field {
        "path-pattern" => {
            (ConditionField::Path, condition.path_pattern_config().map(|it| it.values().to_vec()))
        }
        "host-header" => {
            (ConditionField::Host, condition.host_header_config().map(|it| it.values().to_vec()))
        }
        "http-header" => {
            let header = condition.http_header_config();
            let name = header.and_then(|it| it.http_header_name()).unwrap_or_default().to_ascii_lowercase();
            (ConditionField::Header(name), header.map(|it| it.values().to_vec()))
        }
        "http-request-method" => {
            (ConditionField::Method, condition.http_request_method_config().map(|it| it.values().to_vec()))
        }
        "query-string" => {
            let pairs = condition.query_string_config().map(|it| it.values().iter().map(pair_text).collect());
            (ConditionField::Query, pairs)
        }
        "source-ip" => {
            (ConditionField::SourceIp, condition.source_ip_config().map(|it| it.values().to_vec()))
        }
        other => (ConditionField::Other(other.to_owned()), None),
    };
    let values = configured.filter(|values| !values.is_empty());
    Condition { on, values: values.unwrap_or_else(|| condition.values().to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_survives_the_way_to_the_wire_and_back() {
        use ConditionField::{Header, Host, Method, Path, Query, SourceIp};
        let conditions: Vec<Condition> = [
            (Path, &["/a", "/b/*"][..]),
            (Host, &["*.example.com"]),
            (Header("x-beta".into()), &["yes"]),
            (Method, &["GET", "HEAD"]),
            (Query, &["=a=b", "beta", "version=2"]),
            (SourceIp, &["10.0.0.0/8"]),
        ]
        .map(|(on, values)| Condition { on, values: values.iter().map(ToString::to_string).collect() })
        .into();
        let rule = Rule::builder().set_conditions(Some(of(&conditions))).build();
        assert_eq!(read(&rule), conditions);
    }

    #[test]
    fn a_regular_expression_is_named_and_not_taken_for_a_pattern() {
        let config = PathPatternConditionConfig::builder().regex_values("^/v[0-9]+/").build();
        let condition = RuleCondition::builder().field("path-pattern").path_pattern_config(config).build();
        let [found] = &read(&Rule::builder().conditions(condition).build())[..] else { panic!() };
        assert_eq!(found.on, ConditionField::Other("path-pattern by regex".into()));
        assert_eq!(found.values, ["^/v[0-9]+/"]);
    }

    #[test]
    fn an_emulator_that_shows_values_in_the_old_place_only_is_read() {
        let condition = RuleCondition::builder().field("path-pattern").values("/api/*").build();
        let found = read(&Rule::builder().conditions(condition).build());
        assert_eq!(found, [Condition { on: ConditionField::Path, values: vec!["/api/*".into()] }]);
    }
}
