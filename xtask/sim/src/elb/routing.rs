//! Which targets a request to a listener may go to. Pure: the door picks one of them and carries the request.

use std::net::IpAddr;

use http::HeaderMap;

use super::action::{Action, FixedResponse, Redirect};
use super::condition::Asked;
use super::listener::Listener;
use super::state::State;
use super::target_group::TargetGroup;
use super::target_health::TargetState;
use crate::workload::TaskId;

/// Where a request to a listener goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To one of these targets; none means HTTP 503.
    Forward {
        target_group: String,
        /// Those that may get it: the healthy ones, or all that are registered when none is healthy.
        targets: Vec<RouteTarget>,
        /// `stickiness.lb_cookie.duration_seconds`, where stickiness is on.
        sticky_secs: Option<u64>,
    },
    /// A target group whose protocol version is not carried here.
    Unserved {
        protocol_version: String,
    },
    /// The load balancer answers by itself.
    Fixed {
        status: u16,
        content_type: String,
        body: String,
    },
    Redirect {
        status: u16,
        location: String,
    },
    /// Nobody listens at that port.
    NoListener,
}

/// A target that a request may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    pub task: TaskId,
    pub port: u16,
    /// Whether its health check passes; the load balancer sends to those that fail it when there are no others.
    pub healthy: bool,
}

/// A request as a listener gets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    pub client: IpAddr,
}

/// Where a request without headers of its own, from this machine, goes.
pub(crate) fn route(elb: &State, listener_port: u16, method: &str, host: &str, target: &str) -> Route {
    let (headers, client) = (&HeaderMap::new(), IpAddr::from([127, 0, 0, 1]));
    route_of(elb, listener_port, Request { method, host, target, headers, client })
}

/// Where a request to `listener_port` goes.
///
/// Of several load balancers with that port, the one whose DNS name is the host gets it, otherwise the first by name.
pub(crate) fn route_of(elb: &State, listener_port: u16, request: Request<'_>) -> Route {
    let Request { method, host, target, headers, client } = request;
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = Asked { method, host, path, query, headers, client };
    let Some(listener) = listener(elb, listener_port, host) else { return Route::NoListener };
    let rule =
        listener.rules.iter().find(|rule| rule.conditions.iter().all(|condition| condition.matches(asked)));
    match rule.and_then(|rule| rule.actions.first()) {
        Some(action) => carry_out(elb, listener, action, asked),
        None => Route::NoListener,
    }
}

/// A port that is listened on, by one load balancer or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub port: u16,
    pub https: bool,
}

/// The ports of all listeners: HTTPS before HTTP, 443 and 80 before others, then ascending.
pub(crate) fn listeners(elb: &State) -> Vec<Served> {
    let listeners = elb.listeners.values();
    let mut served: Vec<Served> = listeners
        .map(|listener| Served { port: listener.port, https: listener.protocol == "HTTPS" })
        .collect();
    served.sort_by_key(|served| (!served.https, ![443, 80].contains(&served.port), served.port));
    served.dedup();
    served
}

fn listener<'a>(elb: &'a State, port: u16, host: &str) -> Option<&'a Listener> {
    let at_port = || elb.listeners.values().filter(|listener| listener.port == port);
    let named = |listener: &&Listener| {
        let balancer = elb.load_balancers.get(&listener.load_balancer);
        balancer.is_some_and(|balancer| balancer.dns_name.eq_ignore_ascii_case(host))
    };
    at_port().find(named).or_else(|| at_port().next())
}

fn carry_out(elb: &State, listener: &Listener, action: &Action, asked: Asked<'_>) -> Route {
    if let Some(FixedResponse { message_body, status_code, content_type }) = &action.fixed_response_config {
        return Route::Fixed {
            status: status_code.parse().unwrap_or(503),
            content_type: content_type.clone().unwrap_or_else(|| "text/plain".to_owned()),
            body: message_body.clone().unwrap_or_default(),
        };
    }
    if let Some(redirect) = &action.redirect_config {
        return redirected(listener, redirect, asked);
    }
    // Choosing by weight would need chance, which the account does not have: the heaviest group gets everything.
    let groups = action.forward_config.iter().flat_map(|forward| &forward.target_groups);
    let heaviest = groups.rev().max_by_key(|weighted| weighted.weight);
    match heaviest {
        Some(weighted) => forward(elb, &weighted.target_group_arn),
        None => Route::NoListener,
    }
}

/// The healthy targets; without one, all that are not draining (the load balancer fails open).
fn forward(elb: &State, target_group: &str) -> Route {
    let group = elb.target_groups.get(target_group);
    if let Some(group) = group.filter(|group| group.protocol_version != "HTTP1") {
        return Route::Unserved { protocol_version: group.protocol_version.clone() };
    }
    let registered = group.map_or(&[][..], |group| &group.targets);
    let in_state = |wanted: fn(TargetState) -> bool| -> Vec<RouteTarget> {
        registered
            .iter()
            .filter(|own| !own.target.task.is_empty() && wanted(own.health().state))
            .map(|own| RouteTarget {
                task: own.target.task.clone(),
                port: own.target.port,
                healthy: own.health().state == TargetState::Healthy,
            })
            .collect()
    };
    let healthy = in_state(|state| state == TargetState::Healthy);
    let targets = if healthy.is_empty() { in_state(|state| state != TargetState::Draining) } else { healthy };
    if let Some(group) = group {
        group.requests.set(group.requests.get() + 1);
    }
    let sticky_secs = group.and_then(TargetGroup::sticky_secs);
    Route::Forward { target_group: target_group.to_owned(), targets, sticky_secs }
}

fn redirected(listener: &Listener, redirect: &Redirect, asked: Asked<'_>) -> Route {
    let fill = |template: &str| {
        template
            .replace("#{protocol}", &listener.protocol)
            .replace("#{host}", asked.host)
            .replace("#{port}", &listener.port.to_string())
            // The template writes the slash itself: `/#{path}` is AWS's default.
            .replace("#{path}", asked.path.trim_start_matches('/'))
            .replace("#{query}", asked.query)
    };
    let query = fill(&redirect.query);
    let location = format!(
        "{}://{}:{}{}{}{query}",
        fill(&redirect.protocol).to_ascii_lowercase(),
        fill(&redirect.host),
        fill(&redirect.port),
        fill(&redirect.path),
        if query.is_empty() { "" } else { "?" },
    );
    Route::Redirect { status: if redirect.status_code == "HTTP_301" { 301 } else { 302 }, location }
}
