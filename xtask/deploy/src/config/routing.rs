//! The listener's rules as `deploy.toml` makes them, and which of them an ALB would take for a path.
//!
//! ALB semantics (ELB user guide, listener rule condition types): lowest priority first, patterns are
//! case-sensitive, `*` is any text including slashes, `?` is one character, the query string is not looked
//! at.

use super::place::{Places, Span};
use crate::model::Environment;
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
pub(crate) fn listener_rules(environment: &Environment, places: &Places) -> Vec<ListenerRule> {
    let mut rules = Vec::new();
    for service in &environment.services {
        let routes = places.at(format_args!("service.{}.routes", service.key));
        for (at, route) in service.routes.iter().enumerate() {
            let place = routes.key(at);
            let (path, priority) = (place.key("path"), place.key("priority"));
            if path.written() && priority.written() {
                rules.push(ListenerRule {
                    priority: route.priority,
                    pattern: route.path.clone(),
                    service: service.key.0.clone(),
                    pattern_at: path.span(),
                    priority_at: priority.span(),
                    health: false,
                });
            }
        }
    }
    if environment.load_balancer.health_routes {
        health_rules(environment, places, &mut rules);
    }
    rules.sort_by(|a, b| (a.priority, &a.service).cmp(&(b.priority, &b.service)));
    rules
}

fn health_rules(environment: &Environment, places: &Places, rules: &mut Vec<ListenerRule>) {
    let mut taken: Vec<u32> = rules.iter().map(|rule| rule.priority).collect();
    taken.extend(environment.services.iter().filter_map(|service| service.health_route_priority));
    for service in &environment.services {
        let (key, path) = (&service.key.0, &service.target_group.health.path);
        // A route that says the same already needs no second rule.
        if path.is_empty() || rules.iter().any(|rule| rule.service == *key && rule.pattern == *path) {
            continue;
        }
        let priority = service.health_route_priority.unwrap_or_else(|| {
            let free = (1..).map(|n| n * HEALTH_PRIORITY_STEP).find(|priority| !taken.contains(priority));
            free.unwrap_or(HEALTH_PRIORITY_STEP)
        });
        taken.push(priority);
        let at = places.at(format_args!("service.{key}"));
        rules.push(ListenerRule {
            priority,
            pattern: path.clone(),
            service: key.clone(),
            pattern_at: at.key("target-group.health.path").span(),
            priority_at: at.key("health-route-priority").span(),
            health: true,
        });
    }
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
