//! What a service keeps on AWS although its key is not in deploy.toml: a line that is taken out of the file changes nothing there.

use serde_json::Value;

use super::keys::{chosen_by_nobody, differing, group_keys, key_of, typed};
use super::wanted::{bare_service_spec, target_group};
use crate::model::spec::ServiceSpec;
use crate::model::{Environment, Observed, Service};

/// A note for what has a key. What only `aws` tables say is kept as docs/production.md has it.
pub(super) fn note(
    environment: &Environment,
    service: &Service,
    observed: &Observed,
    running: &ServiceSpec,
    wanted: &ServiceSpec,
) -> Option<String> {
    let endpoints: Vec<_> = service.endpoints().collect();
    let own = endpoints.iter().find(|it| it.path == "connect").map(|it| it.offer.discovery_name.as_str());
    let members = |spec: &ServiceSpec| Value::from(&spec.members(own));
    let differing_from = |other: &ServiceSpec| {
        let mut all = Vec::new();
        differing(&mut Vec::new(), &members(running), &members(other), &mut all);
        all
    };
    let changes = differing_from(wanted);
    let unsaid = differing_from(&bare_service_spec(environment, service, observed));
    let nobody = chosen_by_nobody();
    let kept = unsaid.into_iter().filter(|it| !changes.contains(it)).filter_map(|(path, value)| {
        let chosen = path.iter().try_fold(&nobody, |value, name| value.get(name)) != Some(&value);
        let key = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["serviceConnectConfiguration", "services", name, rest @ ..] if *name != "@" => {
                let of = endpoints.iter().find(|it| it.offer.discovery_name == *name)?;
                let key = key_of(&format!("serviceConnectConfiguration.services.@.{}", rest.join(".")))?;
                key.replacen("connect", &of.path, 1)
            }
            path => key_of(&path.join("."))?.to_owned(),
        };
        chosen.then(|| {
            let value = typed(&key, value);
            (key, value)
        })
    });
    let wants = target_group(environment, service, observed);
    let has = wants.as_ref().and_then(|wants| Some((observed.target_groups.get(&wants.name)?, wants)));
    let sticky = has.into_iter().flat_map(|(has, wants)| {
        let wants = group_keys(wants);
        let unsaid = group_keys(&has.spec).into_iter().filter(move |(key, _)| !wants.contains_key(key));
        unsaid
            .filter(|(key, _)| key.ends_with("-secs"))
            .map(|(key, value)| (format!("target-group.{key}"), value))
    });
    let kept: Vec<String> = kept.chain(sticky).map(|(key, value)| format!("{key} = {value}")).collect();
    (!kept.is_empty()).then(|| {
        format!(
            "{}: stays as it is on AWS, and deploy.toml does not say it: {}",
            service.key,
            kept.join(", ")
        )
    })
}
