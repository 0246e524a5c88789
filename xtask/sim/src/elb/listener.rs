//! Listeners: create, describe, modify, delete.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{self, Action};
use super::error::invalid;
use super::rule::Rule;
use super::state::State;
use super::{associations, health_check};
use crate::base::{Base, Millis, Tag, tags};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, leaf, list, listing, params, text};

/// One listener. Its default actions are those of its default rule, the last of `rules`.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) arn: String,
    pub(super) load_balancer: String,
    pub(super) port: u16,
    pub(super) protocol: String,
    ssl_policy: Option<String>,
    certificates: Vec<Certificate>,
    /// By priority, the default rule last.
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Certificate {
    certificate_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    #[serde(default, deserialize_with = "leaf")]
    port: Option<u16>,
    protocol: Option<String>,
    ssl_policy: Option<String>,
    #[serde(default, deserialize_with = "list")]
    certificates: Vec<Certificate>,
    #[serde(default, deserialize_with = "list")]
    default_actions: Vec<Action>,
    #[serde(default, deserialize_with = "tags::given")]
    tags: Vec<Tag>,
}

pub(super) fn create(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let load_balancer_arn = text(request, "LoadBalancerArn")?;
    let asked: Settings = params(request)?;
    let balancer = elb.load_balancer(&load_balancer_arn)?;
    let path = balancer.arn.rsplit("loadbalancer/").next().unwrap_or_default().to_owned();
    tags::check(Api::Elb, &asked.tags)?;
    let port = asked.port.ok_or_else(|| invalid("A port must be specified"))?;
    health_check::in_range("port", u64::from(port), 1, 65535)?;
    let protocol = asked.protocol.ok_or_else(|| invalid("A protocol must be specified"))?;
    check_protocol(&protocol, &asked.certificates)?;
    if on_port(elb, &load_balancer_arn, port).is_some() {
        let text =
            format!("A listener already exists on this port for this load balancer '{load_balancer_arn}'");
        return Err(ApiError::new("DuplicateListener", text));
    }
    let actions = action::complete(elb, &load_balancer_arn, &protocol, asked.default_actions)?;
    let path = format!("{path}/{}", base.ids.hex(16));
    let default_rule = format!("listener-rule/{path}/{}", base.ids.hex(16));
    let listener = Listener {
        arn: base.arn("elasticloadbalancing", &format!("listener/{path}")),
        load_balancer: load_balancer_arn,
        port,
        ssl_policy: ssl_policy(&protocol, asked.ssl_policy),
        protocol,
        certificates: asked.certificates,
        rules: vec![Rule::default_of(base.arn("elasticloadbalancing", &default_rule), actions)],
    };
    base.tags.put(&listener.arn, asked.tags);
    let description = listener.describe();
    elb.listeners.insert(listener.arn.clone(), listener);
    associations::refresh(base, elb, now);
    Ok(json!({ "Listeners": [description] }))
}

fn check_protocol(protocol: &str, certificates: &[Certificate]) -> Result<(), ApiError> {
    match protocol {
        "HTTP" => Ok(()),
        "HTTPS" if certificates.is_empty() => {
            Err(invalid("A certificate must be specified for HTTPS listeners"))
        }
        "HTTPS" if certificates.len() > 1 => {
            Err(ApiError::new("TooManyCertificates", "Only one certificate can be specified"))
        }
        "HTTPS" => Ok(()),
        other => Err(ApiError::new(
            "UnsupportedProtocol",
            format!("Listener protocol '{other}' must be one of 'HTTP, HTTPS'"),
        )),
    }
}

fn ssl_policy(protocol: &str, asked: Option<String>) -> Option<String> {
    (protocol == "HTTPS").then(|| asked.unwrap_or_else(|| "ELBSecurityPolicy-2016-08".to_owned()))
}

fn on_port<'a>(state: &'a State, load_balancer: &str, port: u16) -> Option<&'a Listener> {
    state.listeners.values().find(|own| own.load_balancer == load_balancer && own.port == port)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    load_balancer_arn: Option<String>,
    #[serde(default, deserialize_with = "list")]
    listener_arns: Vec<String>,
}

pub(super) fn describe_all(elb: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let state = elb;
    let found: Vec<&Listener> = match &asked.load_balancer_arn {
        Some(arn) if asked.listener_arns.is_empty() => {
            state.load_balancer(arn)?;
            state.listeners.values().filter(|own| own.load_balancer == *arn).collect()
        }
        None if !asked.listener_arns.is_empty() => {
            asked.listener_arns.iter().map(|arn| state.listener(arn)).collect::<Result<_, _>>()?
        }
        _ => return Err(invalid("You must specify either listener ARNs or a load balancer ARN")),
    };
    listing(request, "Listeners", (400, 400), found, Listener::describe)
}

pub(super) fn modify(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let listener_arn = text(request, "ListenerArn")?;
    let asked: Settings = params(request)?;
    let current = elb.listener(&listener_arn)?;
    let balancer = current.load_balancer.clone();
    let port = asked.port.unwrap_or(current.port);
    health_check::in_range("port", u64::from(port), 1, 65535)?;
    if on_port(elb, &balancer, port).is_some_and(|own| own.arn != listener_arn) {
        return Err(invalid(format!("Listener port '{port}' is already in use")));
    }
    let protocol = asked.protocol.unwrap_or_else(|| current.protocol.clone());
    // ModifyListener replaces the default certificate only; the others belong to AddListenerCertificates.
    let (default, further) = current.certificates.split_at(current.certificates.len().min(1));
    let default = if asked.certificates.is_empty() { default.to_vec() } else { asked.certificates };
    check_protocol(&protocol, &default)?;
    let further = further.iter().filter(|own| !default.contains(own)).cloned();
    let certificates: Vec<Certificate> = default.iter().cloned().chain(further).collect();
    let actions = match asked.default_actions {
        unchanged if unchanged.is_empty() => None,
        actions => Some(action::complete(elb, &balancer, &protocol, actions)?),
    };
    let listener = elb.listener_mut(&listener_arn)?;
    listener.port = port;
    listener.ssl_policy = ssl_policy(&protocol, asked.ssl_policy.or_else(|| listener.ssl_policy.take()));
    listener.certificates = if protocol == "HTTPS" { certificates } else { Vec::new() };
    listener.protocol = protocol;
    // The default rule is the last: it has no priority, and `sort` leaves it behind all others.
    if let (Some(actions), Some(default)) = (actions, listener.rules.last_mut()) {
        default.actions = actions;
    }
    let description = listener.describe();
    associations::refresh(base, elb, now);
    Ok(json!({ "Listeners": [description] }))
}

pub(super) fn delete(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let listener_arn = text(request, "ListenerArn")?;
    elb.listener(&listener_arn)?;
    remove(base, elb, &listener_arn);
    associations::refresh(base, elb, now);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfListener {
    listener_arn: String,
    #[serde(default, deserialize_with = "list")]
    certificates: Vec<Certificate>,
}

pub(super) fn describe_certificates(elb: &State, request: &ApiRequest) -> Outcome {
    let asked: OfListener = params(request)?;
    let certificates = elb.listener(&asked.listener_arn)?.certificates.iter().enumerate();
    let described: Vec<Value> = certificates
        .map(|(at, own)| json!({ "CertificateArn": own.certificate_arn, "IsDefault": at == 0 }))
        .collect();
    Ok(json!({ "Certificates": described }))
}

pub(super) fn add_certificates(elb: &mut State, request: &ApiRequest) -> Outcome {
    let asked: OfListener = params(request)?;
    let listener = elb.listener_mut(&asked.listener_arn)?;
    if listener.protocol != "HTTPS" {
        return Err(invalid("Certificates can be added to HTTPS listeners only"));
    }
    let added = json!(asked.certificates);
    for certificate in asked.certificates {
        if !listener.certificates.contains(&certificate) {
            listener.certificates.push(certificate);
        }
    }
    // 25 besides the default one (Elastic Load Balancing user guide, "Quotas").
    if listener.certificates.len() > 26 {
        listener.certificates.truncate(26);
        return Err(ApiError::new(
            "TooManyCertificates",
            "The limit of certificates per load balancer is 25",
        ));
    }
    Ok(json!({ "Certificates": added }))
}

pub(super) fn remove_certificates(elb: &mut State, request: &ApiRequest) -> Outcome {
    let asked: OfListener = params(request)?;
    let listener = elb.listener_mut(&asked.listener_arn)?;
    if listener.certificates.first().is_some_and(|default| asked.certificates.contains(default)) {
        return Err(ApiError::new("OperationNotPermitted", "The default certificate cannot be removed"));
    }
    listener.certificates.retain(|own| !asked.certificates.contains(own));
    Ok(Value::Null)
}

/// Forgets a listener, its rules and their tags.
pub(super) fn remove(base: &mut Base, elb: &mut State, arn: &str) {
    base.tags.forget(arn);
    for rule in elb.listeners.remove(arn).into_iter().flat_map(|listener| listener.rules) {
        base.tags.forget(&rule.arn);
    }
}

impl Listener {
    fn describe(&self) -> Value {
        let https = self.protocol == "HTTPS";
        json!({
            "ListenerArn": self.arn,
            "LoadBalancerArn": self.load_balancer,
            "Port": self.port,
            "Protocol": self.protocol,
            "DefaultActions": self.rules.last().map(|rule| &rule.actions),
            "SslPolicy": self.ssl_policy,
            "Certificates": self.certificates.get(..1).filter(|_| https),
        })
    }
}
