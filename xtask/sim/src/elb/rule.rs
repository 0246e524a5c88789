//! Listener rules: create, describe, modify, delete, and their priorities.

use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{self, Action};
use super::associations;
use super::condition::{self, Condition};
use super::error::invalid;
use super::health_check::in_range;
use super::listener::Listener;
use super::state::State;
use crate::base::{Base, Millis, Tag, tags};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, leaf, list, listing, params, text};

/// One rule of a listener.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) arn: String,
    /// 1 to 50000; `None` for the default rule.
    pub(super) priority: Option<u32>,
    pub(super) conditions: Vec<Condition>,
    pub(super) actions: Vec<Action>,
}

/// Rules per load balancer, defaults not counted (ELB quotas).
const MAX_RULES: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    listener_arn: String,
    #[serde(default, deserialize_with = "leaf")]
    priority: Option<u32>,
    #[serde(default, deserialize_with = "tags::given")]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    #[serde(default, deserialize_with = "list")]
    conditions: Vec<Condition>,
    #[serde(default, deserialize_with = "list")]
    actions: Vec<Action>,
    #[serde(default, deserialize_with = "list")]
    transforms: Vec<Value>,
}

impl Settings {
    fn check_served(&self) -> Result<(), ApiError> {
        if self.transforms.is_empty() {
            return Ok(());
        }
        Err(ApiError::new("InvalidConfigurationRequest", "Rule transforms are not served"))
    }
}

pub(super) fn create(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request)?;
    let settings: Settings = params(request)?;
    settings.check_served()?;
    tags::check(Api::Elb, &asked.tags)?;
    let listener = elb.listener(&asked.listener_arn)?;
    let priority = asked.priority.ok_or_else(|| invalid("A priority must be specified"))?;
    in_range("priority", u64::from(priority), 1, 50_000)?;
    if listener.rules.iter().any(|rule| rule.priority == Some(priority)) {
        return Err(in_use(priority));
    }
    let own = elb.listeners.values().filter(|own| own.load_balancer == listener.load_balancer);
    // Each listener has a default rule, which does not count.
    if own.map(|own| own.rules.len() - 1).sum::<usize>() >= MAX_RULES {
        return Err(ApiError::new(
            "TooManyRules",
            "The maximum number of rules on the load balancer has been reached",
        ));
    }
    let conditions = condition::complete(settings.conditions)?;
    let actions = action::complete(elb, &listener.load_balancer, &listener.protocol, settings.actions)?;
    let path = listener.arn.rsplit("listener/").next().unwrap_or_default();
    let path = format!("listener-rule/{path}/{}", base.ids.hex(16));
    let rule =
        Rule { arn: base.arn("elasticloadbalancing", &path), priority: Some(priority), conditions, actions };
    base.tags.put(&rule.arn, asked.tags);
    let description = rule.describe();
    let listener = elb.listener_mut(&asked.listener_arn)?;
    listener.rules.push(rule);
    listener.sort();
    associations::refresh(base, elb, now);
    Ok(json!({ "Rules": [description] }))
}

fn in_use(priority: u32) -> ApiError {
    ApiError::new("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    listener_arn: Option<String>,
    #[serde(default, deserialize_with = "list")]
    rule_arns: Vec<String>,
}

pub(super) fn describe_all(elb: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let state = elb;
    let found: Vec<&Rule> = match &asked.listener_arn {
        Some(arn) if asked.rule_arns.is_empty() => state.listener(arn)?.rules.iter().collect(),
        None if !asked.rule_arns.is_empty() => asked
            .rule_arns
            .iter()
            .map(|arn| state.rule(arn).map(|(_, rule)| rule))
            .collect::<Result<_, _>>()?,
        _ => return Err(invalid("You must specify either listener rule ARNs or a listener ARN")),
    };
    listing(request, "Rules", (400, 400), found, Rule::describe)
}

pub(super) fn modify(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let rule_arn = text(request, "RuleArn")?;
    let asked: Settings = params(request)?;
    asked.check_served()?;
    let (listener, rule) = elb.rule(&rule_arn)?;
    if rule.priority.is_none() {
        let text = format!("Default rule '{rule_arn}' cannot be modified");
        return Err(ApiError::new("OperationNotPermitted", text));
    }
    if asked.conditions.is_empty() && asked.actions.is_empty() {
        return Err(invalid("Either conditions or actions must be specified"));
    }
    let (balancer, protocol) = (listener.load_balancer.clone(), listener.protocol.clone());
    let conditions = match asked.conditions {
        unchanged if unchanged.is_empty() => None,
        conditions => Some(condition::complete(conditions)?),
    };
    let actions = match asked.actions {
        unchanged if unchanged.is_empty() => None,
        actions => Some(action::complete(elb, &balancer, &protocol, actions)?),
    };
    let rule = elb.rule_mut(&rule_arn)?;
    rule.conditions = conditions.unwrap_or_else(|| std::mem::take(&mut rule.conditions));
    rule.actions = actions.unwrap_or_else(|| std::mem::take(&mut rule.actions));
    let description = rule.describe();
    associations::refresh(base, elb, now);
    Ok(json!({ "Rules": [description] }))
}

pub(super) fn delete(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let rule_arn = text(request, "RuleArn")?;
    let (listener, rule) = elb.rule(&rule_arn)?;
    if rule.priority.is_none() {
        let text = format!("Default rule '{rule_arn}' cannot be deleted");
        return Err(ApiError::new("OperationNotPermitted", text));
    }
    let listener = listener.arn.clone();
    elb.listener_mut(&listener)?.rules.retain(|rule| rule.arn != rule_arn);
    base.tags.forget(&rule_arn);
    associations::refresh(base, elb, now);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Priorities {
    #[serde(deserialize_with = "list")]
    rule_priorities: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    rule_arn: String,
    #[serde(default, deserialize_with = "leaf")]
    priority: Option<u32>,
}

/// Changes the priorities of rules, all at once: two rules may trade places.
pub(super) fn set_priorities(elb: &mut State, request: &ApiRequest) -> Outcome {
    let Priorities { rule_priorities } = params(request)?;
    let mut wanted: Vec<(String, u32)> = Vec::new();
    for pair in rule_priorities {
        let (listener, rule) = elb.rule(&pair.rule_arn)?;
        let priority = pair.priority.ok_or_else(|| invalid("A priority must be specified"))?;
        in_range("priority", u64::from(priority), 1, 50_000)?;
        if rule.priority.is_none() {
            let text = format!("The priority of the default rule '{}' cannot be modified", pair.rule_arn);
            return Err(ApiError::new("OperationNotPermitted", text));
        }
        if wanted.iter().any(|(_, taken)| *taken == priority) {
            return Err(invalid(format!("Priority '{priority}' was provided multiple times")));
        }
        if wanted.first().is_some_and(|(first, _)| !listener.rules.iter().any(|rule| rule.arn == *first)) {
            return Err(invalid("All rules must belong to the same listener"));
        }
        wanted.push((pair.rule_arn, priority));
    }
    for (arn, priority) in &wanted {
        let (listener, _) = elb.rule(arn)?;
        let holder = listener.rules.iter().find(|rule| rule.priority == Some(*priority));
        // A priority that another rule of the same call gives up is free: all are set together or none.
        if holder.is_some_and(|holder| !wanted.iter().any(|(moved, _)| *moved == holder.arn)) {
            return Err(in_use(*priority));
        }
    }
    let mut moved = Vec::new();
    for (arn, priority) in &wanted {
        let rule = elb.rule_mut(arn)?;
        rule.priority = Some(*priority);
        moved.push(rule.describe());
    }
    elb.listeners.values_mut().for_each(Listener::sort);
    Ok(json!({ "Rules": moved }))
}

impl Listener {
    fn sort(&mut self) {
        self.rules.sort_by_key(|rule| rule.priority.unwrap_or(u32::MAX));
    }
}

impl Rule {
    /// The default rule of a new listener.
    pub(super) fn default_of(arn: String, actions: Vec<Action>) -> Self {
        Self { arn, priority: None, conditions: Vec::new(), actions }
    }

    fn describe(&self) -> Value {
        json!({
            "RuleArn": self.arn,
            "Priority": self.priority.map_or_else(|| "default".to_owned(), |priority| priority.to_string()),
            "Conditions": self.conditions,
            "Actions": self.actions,
            "IsDefault": self.priority.is_none(),
        })
    }
}
