//! What this tool made for an environment: all of it, or what is no longer in deploy.toml; and how it is deleted.

use std::collections::BTreeSet;

use super::{Action, Plan, Stage, Step};
use crate::model::{Environment, Observed, Owned, OwnedKind, Owner, Service};

/// Everything of this environment by its tags, whether it is still there or not, in the order of deletion.
pub fn made(environment: &Environment, observed: &Observed) -> Vec<Owned> {
    let owner = Owner::of(environment);
    let ours = observed.made.iter().flatten().filter(|(_, of)| **of == owner);
    let all: BTreeSet<Owned> = ours.filter_map(|(arn, _)| Owned::parse(arn)).collect();
    let mut all: Vec<Owned> = all.into_iter().collect();
    // A family is one thing, however many revisions it has.
    all.dedup_by(|one, other| {
        one.kind == OwnedKind::Family && (one.kind, &one.name) == (other.kind, &other.name)
    });
    all
}

/// What of it is no longer in deploy.toml. What AWS deletes with a load balancer or a listener is not listed separately.
pub fn orphans(environment: &Environment, observed: &Observed) -> Vec<Owned> {
    let mut all = made(environment, observed);
    all.retain(|owned| !is_wanted(environment, observed, owned));
    without_parts(all)
}

fn without_parts(all: Vec<Owned>) -> Vec<Owned> {
    let whole = all.clone();
    all.into_iter().filter(|part| !whole.iter().any(|other| other.takes_along(part))).collect()
}

fn is_wanted(environment: &Environment, observed: &Observed, owned: &Owned) -> bool {
    let any = |wants: &dyn Fn(&Service) -> bool| environment.services.iter().any(wants);
    let is = |arn: Option<&String>| arn == Some(&owned.arn);
    let name = &owned.name;
    match owned.kind {
        OwnedKind::ScalableTarget => any(&|service| {
            let found = observed.scaling.get(&service.key);
            service.scaling.is_some() && is(found.and_then(|found| found.arn.as_ref()))
        }),
        OwnedKind::Service => owned.cluster() == environment.cluster && any(&|service| service.name == *name),
        // Those that lead to a target group of the file, or to none, are kept or deleted by the plan itself.
        OwnedKind::Rule => observed.rules.iter().any(|rule| {
            let leads = |group: &String| any(&|service| service.group().is_some_and(|it| it.name == *group));
            let forwards = rule.spec.forwards();
            rule.arn == owned.arn && (forwards.is_empty() || forwards.iter().any(leads))
        }),
        OwnedKind::Listener => [&observed.listener, &observed.redirect]
            .into_iter()
            .any(|found| is(found.as_ref().map(|found| &found.arn))),
        OwnedKind::LoadBalancer => is(observed.load_balancer.as_ref().map(|found| &found.arn)),
        OwnedKind::TargetGroup => any(&|service| service.group().is_some_and(|it| it.name == *name)),
        OwnedKind::Cluster => environment.cluster == *name,
        OwnedKind::Namespace => is(observed.namespace.as_ref().map(|found| &found.arn)),
        OwnedKind::Repository => any(&|service| service.repository.name == *name),
        OwnedKind::LogGroup => any(&|service| service.logs().is_some_and(|group| group.name == *name)),
        OwnedKind::Family => any(&|service| service.family == *name),
    }
}

/// Deletes what holds no data, kind by kind: scalable targets and services, then what leads to them, then what they used.
/// `order` has the services that depend on others first.
pub fn removal(owned: &[Owned], order: &[&Service], why: &str) -> Plan {
    let mut plan = Plan::default();
    let mut gone: Vec<Owned> =
        without_parts(owned.iter().filter(|owned| !owned.kind.holds_data()).cloned().collect());
    let place = |owned: &Owned| order.iter().position(|service| service.name == owned.name);
    gone.sort_by_key(|owned| (owned.kind, place(owned)));
    for kind in gone.iter().map(|owned| owned.kind).collect::<BTreeSet<_>>() {
        let mut stage = Stage::new(format!("{}s", kind.words()));
        for owned in gone.iter().filter(|owned| owned.kind == kind) {
            let step = Step::because(Action::Remove(owned.clone()), why);
            stage.lane(format!("{} {}", kind.words(), owned.name), vec![step]);
        }
        plan.stages.push(stage);
    }
    plan
}
