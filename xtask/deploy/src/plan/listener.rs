//! Steps for the load balancer's listeners: the one whose rules lead to the services, and the one that redirects to it.

use super::wanted;
use super::{Action, Plan, Refusal, Step};
use crate::model::spec::{Change, ListenerSpec, changes};
use crate::model::{Listener, LoadBalancer, Observed};

pub(super) fn steps(
    plan: &mut Plan,
    balancer: &LoadBalancer,
    observed: &Observed,
    load_balancer: &str,
) -> Vec<Step> {
    let own = !balancer.existing;
    let wanted = wanted::listener(&balancer.listener, load_balancer);
    let mut steps = match observed.listener.as_ref().map(|found| &found.spec) {
        None => vec![Step::missing(Action::CreateListener(wanted))],
        // To change it in place would refuse every client that speaks the present protocol.
        Some(found) if found.protocol != wanted.protocol => {
            plan.refusals.push(Refusal {
                what: format!(
                    "the listener on port {} speaks {}, not {}",
                    wanted.port, found.protocol, wanted.protocol
                ),
                remedy: "choose another port, or change `protocol`".to_owned(),
            });
            Vec::new()
        }
        Some(found) if own => own_listener(plan, found, &wanted),
        Some(found) => shared_listener(plan, found, &wanted),
    };
    steps.extend(redirect(plan, &balancer.listener, observed, load_balancer));
    steps
}

/// The listener of the tool's own load balancer: certificate and policy become what the file says.
fn own_listener(plan: &mut Plan, found: &ListenerSpec, wanted: &ListenerSpec) -> Vec<Step> {
    let set = ["certificate", "ssl_policy"];
    let differing: Vec<Change> =
        changes(found, wanted).into_iter().filter(|change| set.contains(&change.field.as_str())).collect();
    let mut steps = Vec::new();
    if !differing.is_empty() {
        steps.push(Step::changed(Action::ModifyListener(wanted.clone()), differing));
    }
    steps.extend(add(found, &wanted.further_certificates, wanted.port));
    // Somebody may serve a name with it: to remove one breaks TLS for that name at once.
    for extra in found.further_certificates.iter().filter(|arn| !wanted.further_certificates.contains(arn)) {
        plan.notes.push(format!("listener {} also has {extra}, which is left as it is", wanted.port));
    }
    steps
}

/// A listener that others may use too. Another default certificate would take the present one from their clients, so the
/// file's certificates are added beside it, and the policy stays.
fn shared_listener(plan: &mut Plan, found: &ListenerSpec, wanted: &ListenerSpec) -> Vec<Step> {
    if found.ssl_policy != wanted.ssl_policy {
        let policy = found.ssl_policy.as_deref().unwrap_or("none");
        plan.notes.push(format!("listener {} keeps its TLS policy {policy}", wanted.port));
    }
    let certificates: Vec<String> =
        wanted.certificate.iter().chain(&wanted.further_certificates).cloned().collect();
    add(found, &certificates, wanted.port).into_iter().collect()
}

fn add(found: &ListenerSpec, wanted: &[String], port: u16) -> Option<Step> {
    let has =
        |arn: &String| found.certificate.as_ref() == Some(arn) || found.further_certificates.contains(arn);
    let certificates: Vec<String> = wanted.iter().filter(|arn| !has(arn)).cloned().collect();
    let added = Change {
        field: "further_certificates".to_owned(),
        from: None,
        to: (!certificates.is_empty()).then(|| certificates.join(", ")),
        ..Change::default()
    };
    added
        .to
        .is_some()
        .then(|| Step::changed(Action::AddListenerCertificates { port, certificates }, vec![added]))
}

/// Somebody else's listener on the redirect's port stays; only a redirect to another port is corrected.
fn redirect(plan: &mut Plan, listener: &Listener, observed: &Observed, load_balancer: &str) -> Option<Step> {
    let wanted = wanted::redirect(listener, load_balancer)?;
    let Some(found) = observed.redirect.as_ref().map(|found| &found.spec) else {
        return Some(Step::missing(Action::CreateListener(wanted)));
    };
    if found.redirect_to.is_none() {
        plan.notes.push(format!(
            "listener {} does not redirect to HTTPS and is left as it is; `redirect-http = false` silences this",
            wanted.port
        ));
        return None;
    }
    let moved = changes(&found.redirect_to, &wanted.redirect_to);
    let moved: Vec<Change> =
        moved.into_iter().map(|change| Change { field: "redirect_to".to_owned(), ..change }).collect();
    (!moved.is_empty()).then(|| Step::changed(Action::ModifyListener(wanted), moved))
}
