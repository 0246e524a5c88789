//! The listener's rules as `deploy.toml` makes them, and which of them an ALB would take for a path.
//!
//! ALB semantics (ELB user guide, listener rule condition types): lowest priority first, patterns are
//! case-sensitive, `*` is any text including slashes, `?` is one character, the query string is not looked
//! at.

use super::raw::{Service, Settings};
use super::setting::{Setting, Span};
use crate::model::spec::covers;

/// Health routes get 10, 20, 30 … unless the file says otherwise: below the hundreds that patterns usually
/// have.
const HEALTH_PRIORITY_STEP: u32 = 10;

/// A rule of the listener.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListenerRule {
    pub(crate) priority: u32,
    pub(crate) pattern: String,
    /// The short name of the service that it forwards to.
    pub(crate) service: String,
    pub(crate) pattern_at: Option<Span>,
    pub(crate) priority_at: Option<Span>,
    /// Made from the service's health path, not written as a route.
    pub(crate) health: bool,
}

/// All rules of the listener, in the order in which it tries them.
pub(crate) fn listener_rules(settings: &Settings) -> Vec<ListenerRule> {
    let mut rules = Vec::new();
    for (key, service) in &settings.service {
        for route in &service.value.routes {
            if let (Some(path), Some(priority)) = (&route.value.path, &route.value.priority) {
                rules.push(ListenerRule {
                    priority: priority.value,
                    pattern: path.value.clone(),
                    service: key.value.clone(),
                    pattern_at: path.span.clone(),
                    priority_at: priority.span.clone(),
                    health: false,
                });
            }
        }
    }
    if settings.load_balancer.value.health_routes.value {
        health_rules(settings, &mut rules);
    }
    rules.sort_by(|a, b| (a.priority, &a.service).cmp(&(b.priority, &b.service)));
    rules
}

fn health_rules(settings: &Settings, rules: &mut Vec<ListenerRule>) {
    let mut taken: Vec<u32> = rules.iter().map(|rule| rule.priority).collect();
    let given = settings.service.values().filter_map(|service| service.value.health_route_priority.as_ref());
    taken.extend(given.map(|priority| priority.value));
    for (key, service) in &settings.service {
        let Some(path) = health_path(&service.value) else { continue };
        // A route that says the same already needs no second rule.
        if rules.iter().any(|rule| rule.service == key.value && rule.pattern == path.value) {
            continue;
        }
        let given = service.value.health_route_priority.as_ref();
        let priority = given.map(|given| given.value).unwrap_or_else(|| {
            let free = (1..).map(|n| n * HEALTH_PRIORITY_STEP).find(|priority| !taken.contains(priority));
            free.unwrap_or(HEALTH_PRIORITY_STEP)
        });
        taken.push(priority);
        rules.push(ListenerRule {
            priority,
            pattern: path.value.clone(),
            service: key.value.clone(),
            pattern_at: path.span.clone(),
            priority_at: given.and_then(|given| given.span.clone()),
            health: true,
        });
    }
}

/// A service's health path.
pub(crate) fn health_path(service: &Service) -> Option<&Setting<String>> {
    service.target_group.value.health.value.path.as_ref()
}

/// What keeps a text from being a path that is asked for as it stands: none of the listener's wildcards, no
/// query.
pub(crate) fn stranger_in(path: &str) -> Option<char> {
    path.chars().find(|&c| !c.is_ascii_graphic() || matches!(c, '?' | '#' | '*'))
}

/// The rule that a request for `path` takes; `None` is the listener's default action.
pub(crate) fn taken<'a>(rules: &'a [ListenerRule], path: &str) -> Option<&'a ListenerRule> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    rules.iter().find(|rule| covers(&rule.pattern, path))
}
