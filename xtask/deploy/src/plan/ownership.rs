//! Refuses what would take somebody else's tasks, traffic or names, and renames that would fail requests: before anything
//! is written.

use super::wanted;
use super::{Plan, Refusal};
use crate::model::spec::{Condition, ConditionField, ConnectServiceSpec, RuleSpec, takes_all};
use crate::model::{
    Desired, LoadBalancer, Maker, Neighbour, Observed, Owned, Service, ServiceState, TargetGroup,
};

pub(super) fn check(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    let view = View { desired, observed };
    plan.refusals.extend(view.of_others());
    for service in &desired.environment.services {
        if let Some(state) = super::services::live(observed, service) {
            plan.refusals.extend(view.not_rolling(service, state));
            plan.refusals.extend(view.renamed(service, state));
        }
        plan.refusals.extend(view.target_group(service));
        plan.refusals.extend(view.endpoints(service));
    }
    view.rules(plan);
}

struct View<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
}

fn refusal(what: String, remedy: impl Into<String>) -> Option<Refusal> {
    Some(Refusal { what, remedy: remedy.into() })
}

impl View<'_> {
    /// What the plan needs, and another environment's tags are on.
    fn of_others(&self) -> Vec<Refusal> {
        let Self { desired: crate::model::Desired { environment, .. }, observed } = self;
        let mut needed: Vec<(String, String, Option<&String>)> = Vec::new();
        for service in &environment.services {
            let key = |rest: &str| format!("service.{}.{rest}", service.key);
            if let Some(group) = service.group() {
                let found = observed.target_groups.get(&group.name).map(|found| &found.arn);
                needed.push((format!("target group {}", group.name), key("target-group.name"), found));
            }
            let latest = observed.latest.get(&service.key).map(|found| &found.arn);
            needed.push((format!("task definition family {}", service.family), key("family"), latest));
            let state = super::services::live(observed, service).map(|found| &found.arn);
            needed.push((format!("service {}", service.name), key("name"), state));
            let target = observed.scaling.get(&service.key).and_then(|found| found.arn.as_ref());
            needed.push((format!("the scalable target of {}", service.name), key("name"), target));
        }
        // A load balancer that is selected may be another environment's: only rules are added to it.
        if let Some(LoadBalancer { name, existing: false, .. }) = environment.balancer() {
            let arn = observed.load_balancer.as_ref().map(|found| &found.arn);
            needed.push((format!("load balancer {name}"), "load-balancer.name".to_owned(), arn));
        }
        let cluster = observed.cluster.as_ref().map(|found| &found.arn);
        needed.push((format!("cluster {}", environment.cluster), "cluster".to_owned(), cluster));
        let namespace = observed.namespace.as_ref().map(|found| &found.arn);
        needed.push((format!("namespace {}", environment.namespace), "namespace".to_owned(), namespace));
        let another = |(what, key, arn): (String, String, Option<&String>)| {
            let Maker::Another(owner) = observed.maker(environment, arn?) else { return None };
            let (app, theirs, own) = (&owner.app, &owner.environment, &environment.name);
            let whose =
                if *app == environment.app { String::new() } else { format!(" of application `{app}`") };
            refusal(
                format!("{what} belongs to environment `{theirs}`{whose}, by its tags"),
                format!(
                    "give `{key}` another value for `{own}`; after a rename of `app` or of the environment, name it as before"
                ),
            )
        };
        needed.into_iter().filter_map(another).collect()
    }

    /// What this tool cannot deploy as it is.
    fn not_rolling(&self, service: &Service, state: &ServiceState) -> Option<Refusal> {
        let name = &service.name;
        if let Some(way) = &state.foreign_way {
            return refusal(
                format!("service {name} is deployed by {way}, and this tool rolls replicas with ECS alone"),
                "deploy it as before, or delete it so that this tool creates it",
            );
        }
        let count = state.spec.load_balancers.len();
        if count > 1 {
            let groups: Vec<_> =
                state.spec.load_balancers.iter().map(|it| it.target_group.as_str()).collect();
            return refusal(
                format!(
                    "service {name} has {count} target groups ({}), and deploy.toml can name one",
                    groups.join(", ")
                ),
                "take the service out of all but one, by UpdateService with `loadBalancers`",
            );
        }
        None
    }

    /// Names of a running service that cannot change without requests that fail.
    fn renamed(&self, service: &Service, state: &ServiceState) -> Vec<Refusal> {
        let environment = &self.desired.environment;
        let mut refusals = Vec::new();
        if let [bound] = state.spec.load_balancers.as_slice()
            && let Some(group) = service.group()
            && bound.target_group != group.name
        {
            let (old, new) = (&bound.target_group, &group.name);
            refusals.extend(refusal(
                format!("{} is served through target group {old}; {new} has no targets until new tasks are healthy", service.name),
                self.keep(&state.arn, &format!("service.{}.target-group.name = \"{old}\"", service.key)),
            ));
        }
        let own = (service.container.app_protocol, &service.container.port_name, "container".to_owned());
        let further = service.further_ports();
        let further =
            further.map(|it| (it.app_protocol, &it.port_name, format!("connect.endpoint.{}", it.name)));
        for (given, port_name, table) in [own].into_iter().chain(further) {
            let Some((given, found)) = given.zip(wanted::spoken(service, port_name, self.observed)) else {
                continue;
            };
            if found.as_deref() != given.wire() {
                let (old, new) = (found.as_deref().unwrap_or("tcp"), given.wire().unwrap_or("tcp"));
                refusals.extend(refusal(
                    format!(
                        "{} speaks {old} in Service Connect, and ECS cannot change that to {new}",
                        service.name
                    ),
                    self.keep(
                        &state.arn,
                        &format!("service.{}.{table}.app-protocol = \"{old}\"", service.key),
                    ),
                ));
            }
        }
        let wanted = wanted::service_spec(environment, service, self.observed).connect;
        if let (Some(found), Some(wanted)) = (&state.spec.connect, &wanted) {
            if found.namespace != wanted.namespace {
                refusals.extend(refusal(
                    format!(
                        "{} is in namespace {}; services that still run there would lose it in {}",
                        service.name, found.namespace, wanted.namespace
                    ),
                    self.keep(&state.arn, &format!("namespace = \"{}\"", found.namespace)),
                ));
            }
            // A client's alias is its own deployment's; the discovery name is the endpoint itself.
            let names =
                |all: &[ConnectServiceSpec], name: &str| all.iter().any(|it| it.discovery_name == name);
            let gone = found.services.iter().filter(|it| !names(&wanted.services, &it.discovery_name));
            let offered: Vec<_> = service.endpoints().collect();
            let new = offered.iter().filter(|it| !names(&found.services, &it.offer.discovery_name));
            // The one that is gone in place of it: of the same port, or the only one that there was.
            let only = found.services.len() == 1 && wanted.services.len() == 1;
            for (old, new) in
                gone.filter_map(|old| Some((old, new.clone().find(|new| only || new.port_name == old.name)?)))
            {
                let (path, old, new) = (&new.path, &old.discovery_name, &new.offer.discovery_name);
                refusals.extend(refusal(
                    format!("clients of {} reach it as `{old}`, and would lose it as `{new}` until they are redeployed", service.name),
                    format!(
                        "keep `service.{key}.{path}.discovery-name = \"{old}\"`; for another name, add an endpoint \
                         (`[service.{key}.connect.endpoint.NAME]`) in one release, and take `{old}` out in a later one",
                        key = service.key
                    ),
                ));
            }
        }
        refusals
    }

    /// What to do about a rename: nothing that runs has to be lost for a name.
    fn keep(&self, arn: &str, setting: &str) -> String {
        let setting = format!("keep `{setting}`");
        match self.observed.maker(&self.desired.environment, arn) {
            Maker::Ours => format!(
                "{setting}; for another one, `cargo xtask down` first and deploy again: the service is down meanwhile"
            ),
            Maker::Another(_) | Maker::Somebody => setting,
        }
    }

    /// A target group takes the tasks of one service, and belongs to one load balancer.
    fn target_group(&self, service: &Service) -> Vec<Refusal> {
        let Self { desired: crate::model::Desired { environment, .. }, observed } = self;
        let mut refusals = Vec::new();
        let Some(TargetGroup { name, .. }) = service.group() else { return refusals };
        let users = observed.neighbours.iter().filter(|other| other.target_groups.contains(name));
        refusals.extend(users.filter_map(|other| self.used(service, &format!("target group {name}"), other)));
        if let Some(count) = observed.strays.get(name).filter(|_| refusals.is_empty()) {
            refusals.extend(refusal(
                format!(
                    "target group {name} has {count} registered targets that are not of {}",
                    service.name
                ),
                format!("give `service.{}.target-group.name` another value, or deregister them", service.key),
            ));
        }
        let Some(group) = observed.target_groups.get(name) else { return refusals };
        let wanted = observed.load_balancer.as_ref().map(|found| &found.arn);
        if let Some(other) = group.load_balancers.iter().find(|arn| Some(*arn) != wanted) {
            let other = Owned::parse(other).map_or_else(|| other.clone(), |owned| owned.name);
            let reference = &environment.load_balancer.name;
            refusals.extend(refusal(
                format!("target group {name} belongs to load balancer {other}, and AWS allows one: {reference} cannot lead to it"),
                self.keep(&group.arn, &format!("load-balancer.name = \"{other}\"")),
            ));
        }
        refusals
    }

    /// Another service uses what this one needs.
    fn used(&self, service: &Service, what: &str, other: &Neighbour) -> Option<Refusal> {
        let environment = &self.desired.environment;
        let what = format!("{what} is used by service {} of cluster {}", other.name, other.cluster);
        let renamed = match other.cluster == environment.cluster {
            true => format!("service.{}.name = \"{}\"", service.key, other.name),
            false => format!("cluster = \"{}\"", other.cluster),
        };
        match self.observed.maker(environment, &other.arn) {
            Maker::Ours => {
                refusal(format!("{what}, which is no longer in deploy.toml"), self.keep(&other.arn, &renamed))
            }
            Maker::Another(_) | Maker::Somebody => refusal(
                format!("{what}; {} would share it", service.name),
                format!("name it as it is called (`{renamed}`), or give `{}` names of its own", service.key),
            ),
        }
    }

    /// ECS refuses a second service with an endpoint of the same discovery name, when everything else is made already.
    fn endpoints(&self, service: &Service) -> Vec<Refusal> {
        let running = super::services::live(self.observed, service);
        let offered = |name: &str| {
            let mut own = running.iter().filter_map(|state| state.spec.connect.as_ref());
            own.any(|connect| connect.services.iter().any(|it| it.discovery_name == name))
        };
        let new = service.endpoints().map(|it| &it.offer.discovery_name).filter(|name| !offered(name));
        let taken = new.filter_map(|name| {
            let other = self.observed.neighbours.iter().find(|other| {
                let same = service.group().is_some_and(|group| other.target_groups.contains(&group.name));
                other.endpoints.contains(name) && !same
            })?;
            self.used(service, &format!("Service Connect name {name}"), other)
        });
        taken.collect()
    }

    /// Rules of others that lead to the file's target groups are named; those that take a route's requests are refused, and
    /// so is a rule that would lead to a target group without tasks.
    fn rules(&self, plan: &mut Plan) {
        let Self { desired: crate::model::Desired { environment, .. }, observed } = self;
        let wanted = wanted::rules(environment);
        for found in &observed.rules {
            if observed.maker(environment, &found.arn) == Maker::Ours {
                plan.refusals.extend(wanted.iter().filter_map(|rule| self.emptied(&found.spec, rule)));
                continue;
            }
            let takes = |rule: &&RuleSpec| {
                let first = found.spec.priority < rule.priority;
                // A login before the same target group is no other way.
                let elsewhere = match rule.forwards() {
                    [] => found.spec.action != rule.action,
                    groups => found.spec.forwards() != groups,
                };
                first && elsewhere && takes_all(&found.spec.conditions, &rule.conditions)
            };
            if let Some(rule) = wanted.iter().find(takes) {
                plan.refusals.extend(refusal(
                    format!(
                        "{} takes every request for {} first, and this tool did not make it",
                        found.words(),
                        rule.requests()
                    ),
                    format!("give the route a priority below {}, or delete that rule", found.spec.priority),
                ));
            }
            if wanted.contains(&found.spec) {
                continue;
            }
            // Such as one for a host: it may take some of a route's requests, or none.
            let before = |rule: &RuleSpec| found.spec.priority < rule.priority;
            let by_path = |it: &Condition| it.on == ConditionField::Path;
            if !found.spec.conditions.iter().all(by_path) && wanted.iter().any(before) {
                let words = found.words();
                plan.notes.push(format!(
                    "{words} is asked before routes of deploy.toml; this tool did not make it"
                ));
            }
            let leads = |rule: &RuleSpec| rule.forwards().iter().any(|it| found.spec.forwards().contains(it));
            if wanted.iter().any(leads) {
                plan.notes.push(format!(
                    "{} is not in deploy.toml and stays: this tool did not make it",
                    found.words()
                ));
            }
        }
    }

    /// A rule of ours that serves and would lead to a target group whose service does not run.
    fn emptied(&self, found: &RuleSpec, wanted: &RuleSpec) -> Option<Refusal> {
        let ([old], [new]) = (found.forwards(), wanted.forwards()) else { return None };
        if found.conditions != wanted.conditions || old == new {
            return None;
        }
        let services = &self.desired.environment.services;
        let uses = |service: &Service, name: &str| service.group().is_some_and(|group| group.name == name);
        let service = services.iter().find(|it| uses(it, new))?;
        let serves = super::services::live(self.observed, service).is_some_and(|state| {
            state.running > 0 && state.spec.load_balancers.iter().any(|it| it.target_group == *new)
        });
        let is_gone = |it: &Service| uses(it, old) && super::services::live(self.observed, it).is_none();
        if serves || services.iter().any(is_gone) {
            return None;
        }
        refusal(
            format!("{} is served through target group {old}; {new} has no targets yet", found.requests()),
            format!(
                "deploy `{}` with other routes first, then give it this one; or `cargo xtask down` first",
                service.key
            ),
        )
    }
}
