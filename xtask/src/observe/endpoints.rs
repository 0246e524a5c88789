//! Since when a service offers its Service Connect endpoints. A client's deployment sees only those that existed when it was made, and
//! a run that is killed between the two leaves a client that does not know a new one.

use std::collections::BTreeMap;

use deploy::model::{Environment, Service, ServiceKey, ServiceState};
use deploy::rollout::ServiceDeploymentSnapshot;

use crate::aws::{self, Aws, Kind};

/// A service and its first deployment are made within this.
const SAME_MOMENT_MS: u64 = 2_000;

/// Fills in [`ServiceState::endpoints_since_ms`] where a client was deployed before its server, which takes two calls for each such
/// server. `created` is when each service was. Returns a sentence for each that an endpoint does not show.
pub(super) async fn read(
    aws: &Aws,
    environment: &Environment,
    created: &BTreeMap<ServiceKey, u64>,
    services: &mut BTreeMap<ServiceKey, ServiceState>,
) -> Result<Vec<String>, aws::Error> {
    let mut warnings = Vec::new();
    for server in &environment.services {
        let Some(oldest) = oldest_client(environment, server, services) else { continue };
        let created = created.get(&server.key).copied().unwrap_or_default();
        let since = match since(aws, environment, server, oldest, created).await {
            Ok(since) => since,
            Err(error) if matches!(error.kind, Kind::NotFound) => None,
            Err(error) if error.is_unavailable() => {
                let key = &server.key;
                warnings.push(format!("cannot read whether clients of {key} know its endpoints: {error}"));
                None
            }
            Err(error) => return Err(error),
        };
        if let Some(state) = services.get_mut(&server.key) {
            state.endpoints_since_ms = since;
        }
    }
    Ok(warnings)
}

/// When the oldest deployment of a client was made, where that is older than its server's.
fn oldest_client(
    environment: &Environment,
    server: &Service,
    services: &BTreeMap<ServiceKey, ServiceState>,
) -> Option<u64> {
    let live = |key: &ServiceKey| services.get(key).filter(|state| state.status == "ACTIVE");
    let state = live(&server.key)?;
    state.spec.connect.as_ref().filter(|connect| !connect.services.is_empty())?;
    let clients = environment.services.iter().filter(|client| client.depends_on.contains(&server.key));
    let oldest = clients.filter_map(|client| live(&client.key)?.deployed_at_ms).min()?;
    (oldest < state.deployed_at_ms?).then_some(oldest)
}

async fn since(
    aws: &Aws,
    environment: &Environment,
    server: &Service,
    oldest: u64,
    created: u64,
) -> Result<Option<u64>, aws::Error> {
    let mut listed = aws.list_service_deployments(&environment.cluster, &server.name, &[]).await?;
    // What ECS rolled back, or somebody stopped, brought nothing.
    listed.retain(|it| ["SUCCESSFUL", "PENDING", "IN_PROGRESS"].contains(&it.status.as_str()));
    // Newest first: those since the client's, and the one before it.
    let before = listed.iter().position(|it| it.created_ms <= oldest);
    listed.truncate(before.map_or(listed.len(), |at| at + 1));
    let targets: Vec<String> = listed.iter().filter_map(|it| it.target_revision.clone()).collect();
    let revisions = aws.describe_service_revisions(&targets).await?;
    let endpoints = |it: &ServiceDeploymentSnapshot| {
        let target = it.target_revision.as_ref()?;
        revisions.iter().find(|revision| revision.arn == *target).map(|revision| &revision.endpoints)
    };
    let Some(now) = listed.first().and_then(endpoints) else { return Ok(None) };
    // One that offered more offered these too: a client lacks nothing where an endpoint goes.
    let offered = |it: &&ServiceDeploymentSnapshot| {
        endpoints(it).is_some_and(|then| now.iter().all(|endpoint| then.contains(endpoint)))
    };
    let same: Vec<_> = listed.iter().take_while(offered).collect();
    let Some(first) = same.last().map(|it| it.created_ms) else { return Ok(None) };
    let is_known = same.len() < listed.len() || first <= created.saturating_add(SAME_MOMENT_MS);
    Ok((is_known && first > oldest).then_some(first))
}
