//! Listener rules.

use aws_sdk_elasticloadbalancingv2::operation::create_rule::CreateRuleOutput;
use aws_sdk_elasticloadbalancingv2::types::{
    ActionTypeEnum, PathPatternConditionConfig, Rule, RuleCondition, RulePriorityPair,
};
use deploy::model::RuleState;
use deploy::model::spec::RuleSpec;

use super::{action, target_group, wire_tags};
use crate::aws::call::Op;
use crate::aws::error::gone;
use crate::aws::names::{target_group_name, wire};
use crate::aws::{Aws, Error, Kind, Tags};

const DESCRIBE: Op = Op::read("elasticloadbalancing", "DescribeRules");
/// DescribeListeners may show a new listener before DescribeRules knows it.
const LIST: Op = DESCRIBE.patient(&["ListenerNotFound"]);
/// A second call finds the priority in use, which is told apart below from somebody else's rule.
const CREATE: Op =
    Op::write("elasticloadbalancing", "CreateRule").patient(&["ListenerNotFound", "TargetGroupNotFound"]);
const MODIFY: Op = Op::write("elasticloadbalancing", "ModifyRule").patient(target_group::LATE);
const PRIORITIES: Op = Op::write("elasticloadbalancing", "SetRulePriorities").patient(&["RuleNotFound"]);
const DELETE: Op = Op::write("elasticloadbalancing", "DeleteRule");

/// A rule as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRule {
    /// Its ARN, priority and settings; `None` for a listener's default rule.
    pub state: Option<RuleState>,
    /// ARNs of the target groups that it leads to.
    pub forwards: Vec<String>,
}

impl Aws {
    /// All rules of a listener.
    ///
    /// # Errors
    /// When AWS refuses, or the listener does not exist.
    pub async fn describe_rules(&self, listener_arn: &str) -> Result<Vec<FoundRule>, Error> {
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let call =
                || self.elb.describe_rules().listener_arn(listener_arn).set_marker(marker.clone()).send();
            let reply = self.call(LIST, call).await?;
            found.extend(reply.rules.unwrap_or_default().iter().map(read));
            marker = reply.next_marker;
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// A rule by its ARN.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find_rule(&self, arn: &str) -> Result<Option<RuleState>, Error> {
        match self.call(DESCRIBE, || self.elb.describe_rules().rule_arns(arn).send()).await {
            Ok(reply) => Ok(reply.rules.unwrap_or_default().first().and_then(|rule| read(rule).state)),
            Err(error) if matches!(error.kind, Kind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a rule. Gives its ARN.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when another rule has the priority; when AWS refuses.
    pub async fn create_rule(
        &self,
        listener_arn: &str,
        spec: &RuleSpec,
        target_group_arn: &str,
        tags: &Tags,
    ) -> Result<String, Error> {
        let forward = action::forward(target_group_arn);
        let call = || {
            self.elb
                .create_rule()
                .listener_arn(listener_arn)
                .priority(wire(spec.priority))
                .conditions(condition(spec))
                .actions(forward.clone())
                .set_tags(wire_tags(tags))
                .send()
        };
        let arn = |reply: CreateRuleOutput| {
            let rule = reply.rules.unwrap_or_default().into_iter().next();
            rule.and_then(|rule| rule.rule_arn).ok_or_else(|| "rule".to_owned())
        };
        let error = match self.call_for(CREATE, call, arn).await {
            Ok(arn) => return Ok(arn),
            Err(error) => error,
        };
        // After a lost reply the priority is taken by the very rule that was asked for.
        if !matches!(error.kind, Kind::AlreadyExists) {
            return Err(error);
        }
        let rules = self.describe_rules(listener_arn).await?;
        let ours = |rule: &FoundRule| {
            rule.state.as_ref().is_some_and(|state| state.spec.as_ref() == Some(spec))
                && rule.forwards == [target_group_arn]
        };
        rules.into_iter().find(ours).and_then(|rule| rule.state).map(|state| state.arn).ok_or(error)
    }

    /// Changes a rule's path and target group. Its priority cannot be changed this way.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn modify_rule(
        &self,
        rule_arn: &str,
        spec: &RuleSpec,
        target_group_arn: &str,
    ) -> Result<(), Error> {
        let forward = action::forward(target_group_arn);
        let call = || {
            self.elb
                .modify_rule()
                .rule_arn(rule_arn)
                .conditions(condition(spec))
                .actions(forward.clone())
                .send()
        };
        self.call(MODIFY, call).await.map(drop)
    }

    /// Gives rules new priorities, all at once.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when another rule has one of them; when AWS refuses.
    pub async fn set_rule_priorities(&self, priorities: &[(String, u32)]) -> Result<(), Error> {
        let pair = |(arn, priority): &(String, u32)| {
            RulePriorityPair::builder().rule_arn(arn).priority(wire(*priority)).build()
        };
        let pairs: Vec<_> = priorities.iter().map(pair).collect();
        let call = || self.elb.set_rule_priorities().set_rule_priorities(Some(pairs.clone())).send();
        self.call(PRIORITIES, call).await.map(drop)
    }

    /// Deletes a rule; none is as good.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_rule(&self, rule_arn: &str) -> Result<(), Error> {
        self.call(DELETE, || self.elb.delete_rule().rule_arn(rule_arn).send()).await.map(drop).or_else(gone)
    }
}

fn condition(spec: &RuleSpec) -> RuleCondition {
    let pattern = PathPatternConditionConfig::builder().values(&spec.path).build();
    RuleCondition::builder().field("path-pattern").path_pattern_config(pattern).build()
}

fn read(found: &Rule) -> FoundRule {
    let forwards = action::forwards(found.actions());
    // The default rule's priority is the word `default`.
    let priority = found.priority().and_then(|priority| priority.parse::<u32>().ok());
    let state = priority.map(|priority| RuleState {
        arn: found.rule_arn().unwrap_or_default().to_owned(),
        priority,
        paths: paths(found),
        forwards: forwards.iter().map(|arn| target_group_name(arn).to_owned()).collect(),
        spec: path(found).zip(only(&forwards)).filter(|_| is_forward(found)).map(|(path, target_group)| {
            RuleSpec { priority, path, target_group: target_group_name(target_group).to_owned() }
        }),
    });
    FoundRule { state, forwards }
}

fn only<T>(list: &[T]) -> Option<&T> {
    if let [one] = list { Some(one) } else { None }
}

/// The path of a rule whose only condition is one path pattern.
fn path(rule: &Rule) -> Option<String> {
    only(&paths(rule)).filter(|_| rule.transforms().is_empty()).cloned()
}

/// The paths of a rule whose only condition is their patterns; conditions that every request meets are none.
fn paths(rule: &Rule) -> Vec<String> {
    let conditions: Vec<&RuleCondition> = rule.conditions().iter().filter(|it| !is_always_met(it)).collect();
    match conditions.as_slice() {
        [] if !rule.conditions().is_empty() => vec!["*".to_owned()],
        [condition] if condition.field() == Some("path-pattern") => values(condition),
        _ => Vec::new(),
    }
}

/// Whether a condition is met by every request: any host, any address, any path.
fn is_always_met(condition: &RuleCondition) -> bool {
    let values = values(condition);
    let has = |all: &str| values.iter().any(|value| value == all);
    match condition.field() {
        Some("host-header" | "path-pattern") => has("*"),
        Some("source-ip") => has("0.0.0.0/0"),
        _ => false,
    }
}

/// A condition's patterns; none for those of regular expressions.
fn values(condition: &RuleCondition) -> Vec<String> {
    let regular = condition.path_pattern_config().is_some_and(|config| !config.regex_values().is_empty())
        || condition.host_header_config().is_some_and(|config| !config.regex_values().is_empty());
    if regular || !condition.regex_values().is_empty() {
        return Vec::new();
    }
    let configured = match condition.field() {
        Some("host-header") => condition.host_header_config().map(|config| config.values()),
        Some("source-ip") => condition.source_ip_config().map(|config| config.values()),
        _ => condition.path_pattern_config().map(|config| config.values()),
    };
    // AWS gives the values in both places, older emulators in the first only.
    configured.filter(|values| !values.is_empty()).unwrap_or_else(|| condition.values()).to_vec()
}

fn is_forward(rule: &Rule) -> bool {
    only(rule.actions()).is_some_and(|action| action.r#type() == Some(&ActionTypeEnum::Forward))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Conditions = &'static [(&'static str, &'static [&'static str])];

    fn condition(field: &str, values: &[&str]) -> RuleCondition {
        let values = values.iter().map(ToString::to_string).collect();
        RuleCondition::builder().field(field).set_values(Some(values)).build()
    }

    #[test]
    fn a_rule_for_every_host_takes_the_requests_of_its_paths() {
        let table: [(Conditions, &[&str]); 6] = [
            (&[("path-pattern", &["/api/*"])], &["/api/*"]),
            (&[("host-header", &["*"]), ("path-pattern", &["/api/*"])], &["/api/*"]),
            (&[("host-header", &["*"]), ("path-pattern", &["*"])], &["*"]),
            (&[("source-ip", &["0.0.0.0/0"])], &["*"]),
            (&[("host-header", &["a.example.com"]), ("path-pattern", &["*"])], &[]),
            (&[("http-request-method", &["GET"])], &[]),
        ];
        for (conditions, taken) in table {
            let all = conditions.iter().map(|(field, values)| condition(field, values)).collect();
            let rule = Rule::builder().set_conditions(Some(all)).build();
            assert_eq!(paths(&rule), taken, "{conditions:?}");
        }
    }
}
