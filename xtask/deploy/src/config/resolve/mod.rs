//! Settings → [`Environment`]: fills in what is derived, and reports keys that are missing and cannot be.
//!
//! Runs on files with mistakes too, so that missing keys are reported together with all else; the caller
//! drops the result then. No rule's condition is checked here a second time.

mod build;
mod patience;
mod service;

use super::diagnostic::Diagnostic;
use super::order::in_order;
use super::raw;
use super::rules::Scope;
use super::setting::{Located, Setting};
use super::suggest;
use crate::model::{
    Environment, Listener, LoadBalancer, LoadBalancerSource, Lookup, Network, Protocol, Timeouts,
};

/// The environment, unless a key is missing or services wait for each other in a circle.
pub(super) fn resolve(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) -> Option<Environment> {
    let settings = scope.settings;
    let before = found.len();
    let mut needs = Needs::default();
    let environment = Environment {
        name: scope.env.to_owned(),
        app: needs.take("app", &settings.app),
        kind: settings.kind.value,
        workload: settings.workload.value,
        region: needs.take("region", &settings.region),
        account: settings.account.as_ref().map(|account| account.value.clone()),
        confirm: settings.confirm.value,
        cluster: needs.take("cluster", &settings.cluster),
        namespace: needs.take("namespace", &settings.namespace),
        network: network(&settings.network.value, &mut needs),
        load_balancer: load_balancer(&settings.load_balancer.value, &mut needs),
        services: Vec::new(),
        undo: settings.undo.value,
        availability: availability(&settings.availability.value),
        timeouts: timeouts(&settings.timeouts.value),
    };
    let section = format!("environment `{}`", scope.env);
    needs.report(&section, &scope.env_at, "here or at the top of the file", found);
    if settings.service.is_empty() {
        let none = Diagnostic::error("missing-key", format!("{section} has no services"));
        found.push(none.at(&scope.env_at, "nothing to deploy").help("describe one in `[service.NAME]`"));
    }
    let (order, _) = in_order(&settings.service);
    let services = order.iter().filter_map(|name| {
        let (key, service) = settings.service.iter().find(|(key, _)| key.value == **name)?;
        Some(service::service(scope, key, service, found))
    });
    let services: Vec<_> = services.collect();
    (found.len() == before && services.len() == settings.service.len())
        .then_some(Environment { services, ..environment })
}

/// Collects the keys that a section must have and has not.
#[derive(Default)]
struct Needs {
    missing: Vec<String>,
}

impl Needs {
    /// The value; when it is missing, notes that and gives a value that nobody will see.
    fn take<T: Clone + Default>(&mut self, key: &str, setting: &Option<Setting<T>>) -> T {
        match setting {
            Some(setting) => setting.value.clone(),
            None => {
                self.missing.push(key.to_owned());
                T::default()
            }
        }
    }

    fn lookup(&mut self, key: &str, setting: &Option<Setting<String>>) -> Lookup {
        Lookup::parse(&self.take(key, setting))
    }

    fn lookups(&mut self, key: &str, setting: &Option<Setting<Vec<Setting<String>>>>) -> Vec<Lookup> {
        self.take(key, setting).iter().map(|entry| Lookup::parse(&entry.value)).collect()
    }

    /// One diagnostic for all missing keys of a section.
    ///
    /// `here` says where they may be added.
    fn report(self, section: &str, place: &impl Located, here: &str, found: &mut Vec<Diagnostic>) {
        if self.missing.is_empty() {
            return;
        }
        let keys = suggest::all(self.missing.iter().map(String::as_str));
        let wrong = Diagnostic::error("missing-key", format!("{section} lacks {keys}"));
        found.push(wrong.at(place, format!("to be added {here}")));
    }
}

fn network(network: &raw::Network, needs: &mut Needs) -> Network {
    Network {
        vpc: needs.lookup("network.vpc", &network.vpc),
        subnets: needs.lookups("network.subnets", &network.subnets),
        assign_public_ip: network.assign_public_ip.value,
    }
}

fn load_balancer(balancer: &raw::LoadBalancer, needs: &mut Needs) -> LoadBalancer {
    let name = needs.take("load-balancer.name", &balancer.name);
    let source = if balancer.existing.value {
        LoadBalancerSource::Select { reference: name }
    } else {
        LoadBalancerSource::Create {
            name,
            subnets: needs.lookups("load-balancer.subnets", &balancer.subnets),
            security_groups: needs.lookups("load-balancer.security-groups", &balancer.security_groups),
            internal: balancer.scheme.value == raw::Scheme::Internal,
        }
    };
    LoadBalancer {
        source,
        host: balancer.host.as_ref().map(|host| host.value.clone()),
        smoke_from: balancer.smoke_from.as_ref().map(|from| from.value),
        listener: listener(&balancer.listener.value, balancer.existing.value),
    }
}

/// The console's default, of TLS 1.2 and 1.3. The API's own is of 2016 and allows TLS 1.0 (Elastic Load Balancing user
/// guide, "Security policies for your Application Load Balancer").
const SSL_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";

fn listener(listener: &raw::Listener, existing: bool) -> Listener {
    let https = listener.protocol.value == Protocol::Https;
    let policy = listener.ssl_policy.as_ref().map_or(SSL_POLICY, |policy| policy.value.as_str());
    let mut further: Vec<String> =
        listener.further_certificates.value.iter().map(|certificate| certificate.value.clone()).collect();
    further.sort();
    Listener {
        port: listener.port.value,
        protocol: listener.protocol.value,
        certificate: listener.certificate.as_ref().map(|certificate| certificate.value.clone()),
        further_certificates: further,
        ssl_policy: https.then(|| policy.to_owned()),
        // Of a load balancer that others use too, a port is only taken when somebody asks for it.
        redirect_http: listener.redirect_http.as_ref().map_or(https && !existing, |redirect| redirect.value),
    }
}

fn availability(asked: &raw::Availability) -> Option<f64> {
    asked.enable.value.then_some(asked.per_second.value)
}

fn timeouts(timeouts: &raw::Timeouts) -> Timeouts {
    Timeouts { smoke_secs: timeouts.smoke_secs.value, poll_secs: timeouts.poll_secs.value }
}
