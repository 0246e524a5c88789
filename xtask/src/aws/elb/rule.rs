//! Listener rules.

use aws_sdk_elasticloadbalancingv2::operation::create_rule::CreateRuleOutput;
use aws_sdk_elasticloadbalancingv2::types::{Rule, RulePriorityPair};
use deploy::model::RuleState;
use deploy::model::spec::RuleSpec;

use super::{action, condition, target_group, wire_tags};
use crate::aws::call::Op;
use crate::aws::error::{found, gone};
use crate::aws::names::wire;
use crate::aws::{Aws, Error, Kind, Tags};

const DESCRIBE: Op = Op::read("elasticloadbalancing", "DescribeRules");
/// DescribeListeners may show a new listener before DescribeRules knows it.
const LIST: Op = DESCRIBE.patient(&["ListenerNotFound"]);
/// A second call finds the priority in use, which is distinguished below from somebody else's rule.
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
        let page = |next| self.elb.describe_rules().listener_arn(listener_arn).set_marker(next).send();
        let found = self.pages(LIST, page, |reply| (reply.rules, reply.next_marker)).await?;
        Ok(found.iter().map(read).collect())
    }

    /// A rule by its ARN.
    pub async fn find_rule(&self, arn: &str) -> Result<Option<RuleState>, Error> {
        let reply = self.call(DESCRIBE, || self.elb.describe_rules().rule_arns(arn).send()).await;
        Ok(found(reply)?.and_then(|reply| read(reply.rules?.first()?).state))
    }

    /// Creates a rule; `target_group_arn` is the one that it forwards to, or empty. Returns its ARN.
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
        let action = action::of(&spec.action, target_group_arn);
        let call = || {
            self.elb
                .create_rule()
                .listener_arn(listener_arn)
                .priority(wire(spec.priority))
                .set_conditions(Some(condition::of(&spec.conditions)))
                .actions(action.clone())
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
            rule.state.as_ref().is_some_and(|state| state.spec == *spec)
                && rule.forwards.iter().all(|arn| arn == target_group_arn)
        };
        rules.into_iter().find(ours).and_then(|rule| rule.state).map(|state| state.arn).ok_or(error)
    }

    /// Changes what a rule takes and does. ModifyRule has no priority; SetRulePriorities changes that.
    pub async fn modify_rule(
        &self,
        rule_arn: &str,
        spec: &RuleSpec,
        target_group_arn: &str,
    ) -> Result<(), Error> {
        let action = action::of(&spec.action, target_group_arn);
        let call = || {
            self.elb
                .modify_rule()
                .rule_arn(rule_arn)
                .set_conditions(Some(condition::of(&spec.conditions)))
                .actions(action.clone())
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

    /// Deletes a rule. A missing one is not an error.
    pub async fn delete_rule(&self, rule_arn: &str) -> Result<(), Error> {
        self.call(DELETE, || self.elb.delete_rule().rule_arn(rule_arn).send()).await.map(drop).or_else(gone)
    }
}

fn read(found: &Rule) -> FoundRule {
    // The default rule's priority is the word `default`.
    let priority = found.priority().and_then(|priority| priority.parse::<u32>().ok());
    let state = priority.map(|priority| RuleState {
        arn: found.rule_arn().unwrap_or_default().to_owned(),
        spec: RuleSpec { priority, conditions: condition::read(found), action: action::read(found) },
    });
    FoundRule { state, forwards: action::forwards(found.actions()) }
}
