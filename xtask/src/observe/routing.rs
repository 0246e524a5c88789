//! The load balancer, its listener and rules, and the target groups.

use std::collections::BTreeMap;

use deploy::model::spec::ListenerSpec;
use deploy::model::{
    Environment, Listener, ListenerState, LoadBalancerState, RuleState, Service, TargetGroup,
    TargetGroupState,
};
use futures_util::future::{try_join, try_join_all};

use super::error::{Error, Missing};
use crate::aws::{self, Aws, Balancer, FoundListener, FoundRule, FoundTargetGroup};

#[derive(Debug, Default)]
pub(super) struct Routing {
    pub(super) load_balancer: Option<LoadBalancerState>,
    pub(super) listener: Option<ListenerState>,
    pub(super) redirect: Option<ListenerState>,
    pub(super) rules: Vec<RuleState>,
    pub(super) target_groups: BTreeMap<String, TargetGroupState>,
    pub(super) missing: Vec<Missing>,
    pub(super) warnings: Vec<String>,
}

pub(super) async fn read(aws: &Aws, environment: &Environment) -> Result<Routing, Error> {
    let (front, (target_groups, warnings)) =
        try_join(front(aws, environment), target_groups(aws, environment)).await?;
    let mut routing = Routing { target_groups, warnings, ..Routing::default() };
    match front.balancer {
        Some(balancer) if balancer.status == "failed" => routing.missing.push(failed(environment, &balancer)),
        Some(balancer) if balancer.is_application => {
            for group in routing.target_groups.values_mut() {
                attach(group, &balancer.state.arn, &front.listeners, &front.rules);
            }
            let mut state = balancer.state;
            let wanted = &environment.load_balancer.aws.attributes;
            // Read only where the file sets some: the policy of an older version of this tool lacks DescribeLoadBalancerAttributes.
            if !wanted.is_empty() {
                let read = aws.describe_load_balancer_attributes(&state.arn).await;
                let (attributes, warning) = readable(read, wanted.clone(), &state.spec.name)?;
                state.spec.attributes = attributes;
                routing.warnings.extend(warning);
            }
            routing.load_balancer = Some(state);
        }
        Some(_) => {
            routing.missing.push(missing(environment, "is not an application load balancer".to_owned()))
        }
        None if environment.balancer().is_some_and(|it| it.existing) => {
            routing.missing.push(missing(environment, format!("does not exist in {}", environment.region)));
        }
        None => {}
    }
    let wanted = &environment.load_balancer.listener;
    let state = |port| listener_on(port, &front.listeners).map(|found| found.state.clone());
    routing.redirect = state(Listener::REDIRECT_PORT).filter(|_| wanted.redirect_http == Some(true));
    routing.listener = state(wanted.port).map(|state| ListenerState {
        spec: ListenerSpec { further_certificates: front.further_certificates, ..state.spec },
        ..state
    });
    routing.rules = front.rules.into_iter().filter_map(|rule| rule.state).collect();
    routing.rules.sort_by_key(|rule| rule.spec.priority);
    Ok(routing)
}

fn failed(environment: &Environment, balancer: &Balancer) -> Missing {
    let reason = balancer.reason.as_deref().unwrap_or("AWS gives no reason");
    Missing {
        hint: "its creation failed: see why in the EC2 console, delete it, and deploy again".to_owned(),
        ..missing(environment, format!("is in state `failed`: {reason}"))
    }
}

/// What became of a load balancer that was just created.
#[derive(Debug)]
pub enum Provisioning {
    /// It is not active yet, or could not be read.
    InProgress,
    Done,
    /// AWS could not set it up.
    Failed(Error),
}

/// Whether the environment's load balancer has come up.
pub async fn provisioning(aws: &Aws, environment: &Environment) -> Provisioning {
    match aws.describe_load_balancer(&environment.load_balancer.name).await {
        Ok(Some(balancer)) if balancer.status == "failed" => {
            Provisioning::Failed(Error::Landing(vec![failed(environment, &balancer)]))
        }
        // `active_impaired` routes traffic, too: it only lacks the resources to scale (ELBv2 API, LoadBalancerState).
        Ok(Some(balancer)) if balancer.status.starts_with("active") => Provisioning::Done,
        _ => Provisioning::InProgress,
    }
}

fn missing(environment: &Environment, problem: String) -> Missing {
    Missing {
        what: "load balancer",
        reference: environment.load_balancer.name.clone(),
        problem,
        hint: "select an application load balancer that exists, or let the tool create one".to_owned(),
    }
}

/// The load balancer, its listeners and their rules: each read needs the ARN of the one before.
#[derive(Debug, Default)]
struct Front {
    balancer: Option<Balancer>,
    listeners: Vec<FoundListener>,
    rules: Vec<FoundRule>,
    /// Of the listener with the rules.
    further_certificates: Vec<String>,
}

async fn front(aws: &Aws, environment: &Environment) -> Result<Front, aws::Error> {
    let Some(wanted) = environment.balancer() else { return Ok(Front::default()) };
    let Some(balancer) = aws.describe_load_balancer(&wanted.name).await? else {
        return Ok(Front::default());
    };
    let listeners = aws.describe_listeners(&balancer.state.arn).await?;
    let mut front = Front { balancer: Some(balancer), listeners, ..Front::default() };
    if let Some(FoundListener { state, .. }) = listener_on(wanted.listener.port, &front.listeners) {
        front.rules = aws.describe_rules(&state.arn).await?;
        // DescribeListeners shows the default certificate only; the others are DescribeListenerCertificates.
        if state.spec.protocol == "HTTPS" {
            front.further_certificates = aws.describe_further_certificates(&state.arn).await?;
        }
    }
    Ok(front)
}

fn listener_on(port: u16, listeners: &[FoundListener]) -> Option<&FoundListener> {
    listeners.iter().find(|listener| listener.state.spec.port == port)
}

type TargetGroups = (BTreeMap<String, TargetGroupState>, Vec<String>);

async fn target_groups(aws: &Aws, environment: &Environment) -> Result<TargetGroups, aws::Error> {
    let wanted: BTreeMap<&str, &TargetGroup> = environment
        .services
        .iter()
        .filter_map(Service::group)
        .map(|group| (group.name.as_str(), group))
        .collect();
    let names: Vec<&str> = wanted.keys().copied().collect();
    let found = aws.find_target_groups(&names).await?;
    let details = found.into_iter().map(|group| {
        let wanted = wanted.get(group.state.spec.name.as_str()).copied();
        detail(aws, group, wanted)
    });
    let (states, warnings): (Vec<_>, Vec<_>) = try_join_all(details).await?.into_iter().unzip();
    let named = |state: TargetGroupState| (state.spec.name.clone(), state);
    Ok((states.into_iter().map(named).collect(), warnings.into_iter().flatten().collect()))
}

async fn detail(
    aws: &Aws,
    found: FoundTargetGroup,
    wanted: Option<&TargetGroup>,
) -> Result<(TargetGroupState, Option<String>), aws::Error> {
    let mut state = found.state;
    let read = aws.describe_target_group_attributes(&state.arn).await;
    let wanted = wanted.map(TargetGroup::attributes).unwrap_or_default();
    let (attributes, warning) = readable(read, wanted, &state.spec.name)?;
    state.spec.attributes = attributes;
    Ok((state, warning))
}

type Attributes = BTreeMap<String, String>;

/// If they cannot be read, assume they are as desired; otherwise every plan would rewrite them.
fn readable(
    read: Result<Attributes, aws::Error>,
    wanted: Attributes,
    of: &str,
) -> Result<(Attributes, Option<String>), aws::Error> {
    match read {
        Ok(attributes) => Ok((attributes, None)),
        Err(error) if error.is_unavailable() => {
            Ok((wanted, Some(format!("the attributes of {of} are left as they are: {error}"))))
        }
        Err(error) => Err(error),
    }
}

/// Some emulators do not say which load balancer uses a target group; the rules that lead to it do.
fn attach(group: &mut TargetGroupState, balancer: &str, listeners: &[FoundListener], rules: &[FoundRule]) {
    let leads = |forwards: &[String]| forwards.contains(&group.arn);
    let used = listeners.iter().any(|listener| leads(&listener.forwards))
        || rules.iter().any(|rule| leads(&rule.forwards));
    if used && group.load_balancers.is_empty() {
        group.load_balancers.push(balancer.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use deploy::model::spec::{HealthCheckSpec, TargetGroupSpec};

    use super::*;

    fn group(load_balancers: &[&str]) -> TargetGroupState {
        let health = HealthCheckSpec {
            path: "/".into(),
            port: None,
            matcher: "200".into(),
            interval_secs: 30,
            timeout_secs: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
        };
        let spec = TargetGroupSpec {
            name: "tg".into(),
            vpc: "vpc-1".into(),
            port: 80,
            target_type: "ip".into(),
            protocol: "HTTP".into(),
            protocol_version: "HTTP1".into(),
            health,
            attributes: BTreeMap::new(),
        };
        let load_balancers = load_balancers.iter().map(|arn| (*arn).to_owned()).collect();
        TargetGroupState { arn: "tg-arn".into(), spec, load_balancers }
    }

    #[test]
    fn an_emulator_that_does_not_say_who_uses_a_group_does_not_make_it_look_unused() {
        let rule = |target: &str| FoundRule { state: None, forwards: vec![target.to_owned()] };
        let cases = [("tg-arn", vec!["alb".to_owned()]), ("other", Vec::new())];
        for (target, expected) in cases {
            let mut found = group(&[]);
            attach(&mut found, "alb", &[], &[rule(target)]);
            assert_eq!(found.load_balancers, expected, "{target}");
        }
        let mut named = group(&["theirs"]);
        attach(&mut named, "alb", &[], &[rule("tg-arn")]);
        assert_eq!(named.load_balancers, ["theirs"], "what AWS says is not added to");
    }
}
