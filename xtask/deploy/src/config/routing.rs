//! The listener's rules as `deploy.toml` makes them, and which of them an ALB would take for a check's request.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::place::{Places, Span};
use crate::model::spec::{Condition, ConditionField, beginning, covers, requests};
use crate::model::{Environment, Route, Service};

/// Health routes get 10, 20, 30 … unless the file says otherwise: below the hundreds that patterns usually have.
const HEALTH_PRIORITY_STEP: u32 = 10;

/// A rule of the listener.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListenerRule {
    pub(crate) route: Route,
    pub(crate) conditions: Vec<Condition>,
    /// The short name of the service that it forwards to; `None` for one of the load balancer itself.
    pub(crate) service: Option<String>,
    /// The path of its entry in the file.
    pub(crate) place: String,
    pub(crate) at: Option<Span>,
    pub(crate) priority_at: Option<Span>,
    /// Made from the service's health path, not written as a route.
    pub(crate) health: bool,
}

impl ListenerRule {
    pub(crate) fn requests(&self) -> String {
        requests(&self.conditions)
    }

    /// Whom it leads to, in words.
    pub(crate) fn leads_to(&self) -> String {
        match &self.service {
            Some(service) => format!("`{service}`"),
            None => "the load balancer's own answer".to_owned(),
        }
    }
}

/// All rules of the listener, in the order in which it tries them.
///
/// By how their path patterns begin, those are found that may take a path: comparing each rule with each takes
/// seconds for thousands of services.
#[derive(Debug, Default)]
pub(crate) struct ListenerRules {
    all: Vec<ListenerRule>,
    by_beginning: BTreeMap<String, Vec<usize>>,
}

impl Deref for ListenerRules {
    type Target = [ListenerRule];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl ListenerRules {
    fn of(all: Vec<ListenerRule>) -> Self {
        let mut by_beginning: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, rule) in all.iter().enumerate() {
            let path = rule.conditions.iter().find(|condition| condition.on == ConditionField::Path);
            let mut beginnings: BTreeSet<&str> = BTreeSet::new();
            match path {
                Some(path) => beginnings.extend(path.values.iter().map(|pattern| beginning(pattern))),
                None => drop(beginnings.insert("")),
            }
            for beginning in beginnings {
                by_beginning.entry(beginning.to_owned()).or_default().push(at);
            }
        }
        Self { all, by_beginning }
    }

    /// The rules that may take a path, or all that a pattern takes: in order, each once.
    pub(crate) fn near<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a ListenerRule> + use<'a> {
        let ends = path.char_indices().map(|(at, _)| at).chain([path.len()]);
        let beginnings = ends.filter_map(|end| self.by_beginning.get(&path[..end]));
        let found: BTreeSet<usize> = beginnings.flatten().copied().collect();
        found.into_iter().map(|at| &self.all[at])
    }

    /// The routes that lead to each service.
    pub(crate) fn routes(&self) -> BTreeMap<String, Vec<Route>> {
        let mut routes: BTreeMap<String, Vec<Route>> = BTreeMap::new();
        for rule in &self.all {
            if let Some(service) = &rule.service {
                routes.entry(service.clone()).or_default().push(rule.route.clone());
            }
        }
        routes
    }
}

/// All rules of the listener.
pub(crate) fn listener_rules(environment: &Environment, places: &Places) -> ListenerRules {
    let mut rules = Vec::new();
    let mut add = |service: Option<&str>, list: String, routes: &[Route]| {
        for (at, route) in routes.iter().enumerate() {
            let place = format!("{list}.{at}");
            let entry = places.at(&place);
            let conditions = route.conditions();
            if entry.key("priority").written() && !conditions.is_empty() {
                rules.push(ListenerRule {
                    route: route.clone(),
                    conditions,
                    service: service.map(str::to_owned),
                    at: entry.key("path").or(&entry),
                    priority_at: entry.key("priority").span(),
                    place,
                    health: false,
                });
            }
        }
    };
    for service in balanced(environment) {
        add(Some(&service.key.0), format!("service.{}.routes", service.key), &service.routes);
    }
    add(None, "load-balancer.routes".to_owned(), &environment.load_balancer.routes);
    if environment.load_balancer.health_routes {
        health_rules(environment, places, &mut rules);
    }
    rules.sort_by(|a, b| (a.route.priority, &a.service).cmp(&(b.route.priority, &b.service)));
    ListenerRules::of(rules)
}

fn balanced(environment: &Environment) -> impl Iterator<Item = &Service> {
    environment.services.iter().filter(|service| service.load_balancer)
}

fn health_rules(environment: &Environment, places: &Places, rules: &mut Vec<ListenerRule>) {
    let mut taken: BTreeSet<u32> = rules.iter().map(|rule| rule.route.priority).collect();
    taken.extend(environment.services.iter().filter_map(|service| service.health_route_priority));
    let mut steps = (1..).map(|n| n * HEALTH_PRIORITY_STEP);
    for service in balanced(environment) {
        let (key, path) = (&service.key.0, &service.target_group.health.path);
        // A route that says the same already needs no second rule.
        if path.is_empty() || service.routes.iter().any(|route| requests(&route.conditions()) == *path) {
            continue;
        }
        let priority = service.health_route_priority.unwrap_or_else(|| {
            steps.find(|priority| !taken.contains(priority)).unwrap_or(HEALTH_PRIORITY_STEP)
        });
        let place = format!("service.{key}");
        let (at, route) = (places.at(&place), Route::of_path(path, priority));
        rules.push(ListenerRule {
            conditions: route.conditions(),
            route,
            service: Some(key.clone()),
            at: at.key("target-group.health.path").span(),
            priority_at: at.key("health-route-priority").span(),
            place,
            health: true,
        });
    }
}

/// What keeps a text from being a path that can be requested literally: none of the listener's wildcards, no query.
pub(crate) fn stranger_in(path: &str) -> Option<char> {
    path.chars().find(|&c| !c.is_ascii_graphic() || matches!(c, '?' | '#' | '*'))
}

/// A check's request: GET of a path, by the load balancer's public name if it has one.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) path: &'a str,
}

impl Asked<'_> {
    /// Whether the request meets the condition; `None` where that depends on more than the request.
    fn meets(self, condition: &Condition) -> Option<bool> {
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let any = |of: &dyn Fn(&str) -> bool| condition.values.iter().any(|value| of(value));
        match &condition.on {
            ConditionField::Path => Some(any(&|pattern| covers(pattern, path))),
            ConditionField::Host => {
                self.host.map(|host| any(&|pattern| covers(pattern, &host.to_ascii_lowercase())))
            }
            ConditionField::Method => Some(any(&|method| method == "GET")),
            ConditionField::Query if query.is_empty() => Some(false),
            // Checks send no headers of their own.
            ConditionField::Header(_) => Some(false),
            ConditionField::Query | ConditionField::SourceIp | ConditionField::Other(_) => None,
        }
    }

    fn takes(self, rule: &ListenerRule) -> Option<bool> {
        let all: Vec<_> = rule.conditions.iter().map(|condition| self.meets(condition)).collect();
        if all.contains(&Some(false)) {
            Some(false)
        } else if all.contains(&None) {
            None
        } else {
            Some(true)
        }
    }
}

/// The rule that surely takes the request, if none before it does; `None` is the listener's default action.
pub(crate) fn taken<'a>(rules: &'a ListenerRules, asked: Asked<'_>) -> Option<&'a ListenerRule> {
    rules.near(asked.path).find(|rule| asked.takes(rule) == Some(true))
}

/// Whether the service may answer the request.
pub(crate) fn may_answer(rules: &ListenerRules, asked: Asked<'_>, service: &str) -> bool {
    let tried = rules.near(asked.path).filter(|rule| asked.takes(rule) != Some(false));
    for rule in tried {
        if rule.service.as_deref() == Some(service) {
            return true;
        }
        if asked.takes(rule) == Some(true) {
            return false;
        }
    }
    false
}
