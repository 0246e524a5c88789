//! Services: create, describe, delete.

use aws_sdk_ecs::operation::create_service::CreateServiceOutput;
use aws_sdk_ecs::operation::describe_services::DescribeServicesOutput;
use aws_sdk_ecs::types::{
    DeploymentConfiguration, Failure, LaunchType, PropagateTags, SchedulingStrategy, Service,
};
use deploy::model::spec::{Member, ServiceSpec};
use deploy::rollout::ServiceSnapshot;
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;

use super::settings::{self, Arns};
use super::snapshot;
use super::tags::wire_tags;
use crate::aws::call::Op;
use crate::aws::error::{found, gone};
use crate::aws::names::{arn_name, millis, wire};
use crate::aws::raw::Raw;
use crate::aws::{Aws, Error, Kind, Tags};

/// Patient about a cluster and a namespace that were made a moment ago.
const CREATE: Op =
    Op::write("ecs", "CreateService").patient(&["ClusterNotFoundException", "NamespaceNotFoundException"]);
const DESCRIBE: Op = Op::read("ecs", "DescribeServices");
const LIST: Op = Op::read("ecs", "ListServices");
const DELETE: Op = Op::write("ecs", "DeleteService");

/// How many services one DescribeServices takes.
const BATCH: usize = 10;
/// The longest client token that ECS takes.
const TOKEN: usize = 36;

/// A service to be created.
#[derive(Clone, Copy, Debug)]
pub struct CreateService<'a> {
    pub spec: &'a ServiceSpec,
    pub task_definition: &'a str,
    pub desired: u32,
    /// ARNs of what the settings name.
    pub arns: &'a Arns,
    /// Makes a repeated call harmless; of ASCII, cut to 36 characters.
    pub client_token: &'a str,
    pub tags: &'a Tags,
}

/// A service as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundService {
    pub arn: String,
    pub spec: ServiceSpec,
    /// The revision of its PRIMARY deployment.
    pub task_definition: String,
    pub snapshot: ServiceSnapshot,
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// The endpoint does not show `thresholdConfiguration`: the one in `spec` is AWS's default.
    pub hides_threshold: bool,
    /// The endpoint does not show `earlySuccessCriteria`.
    pub hides_early_success: bool,
    /// Its deployment controller, strategy or scheduling, where that is another than a rolling ECS deployment of replicas.
    pub foreign_way: Option<String>,
}

impl Aws {
    /// Creates a service. The snapshot has the id of its first deployment.
    ///
    /// A target group whose rule is new, and the service-linked role of a new account, take some time to be seen:
    /// the call waits for them, up to two minutes.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when there is one with other settings; [`Kind::Conflict`] while one of that
    /// name is draining; when AWS refuses.
    pub async fn create_service(&self, create: &CreateService<'_>) -> Result<ServiceSnapshot, Error> {
        let spec = create.spec;
        let network = settings::network(spec).map_err(|error| Error::unsendable(CREATE, &error))?;
        let balancers =
            settings::load_balancers(spec, create.arns).map_err(|name| Error::unknown_arn(CREATE, &name))?;
        let connect =
            settings::connect(spec, create.arns).map_err(|error| Error::unsendable(CREATE, &error))?;
        let rolling = settings::deployment(spec).map_err(|error| Error::unsendable(CREATE, &error))?;
        let extra = Raw::with(settings::all_extra(spec, create.arns));
        // "Specifying both a launch type and capacity provider strategy is not supported." (CreateService)
        let by_strategy = spec.extra.get(&[Member::STRATEGY]).is_some();
        let launch_type = (!by_strategy).then(|| LaunchType::from(spec.launch_type.as_str()));
        let token: String = create.client_token.chars().take(TOKEN).collect();
        let call = || {
            self.ecs
                .create_service()
                .cluster(&spec.cluster)
                .service_name(&spec.name)
                .task_definition(create.task_definition)
                // Required of replicas. UpdateService leaves it out: autoscaling may have changed it meanwhile.
                .desired_count(wire(create.desired))
                .set_launch_type(launch_type.clone())
                .platform_version(&spec.platform_version)
                .scheduling_strategy(SchedulingStrategy::Replica)
                .network_configuration(network.clone())
                .set_load_balancers((!balancers.is_empty()).then(|| balancers.clone()))
                .set_service_connect_configuration(spec.connect.is_some().then(|| connect.clone()))
                .deployment_configuration(rolling.clone())
                .set_health_check_grace_period_seconds(settings::grace(spec))
                .enable_execute_command(spec.enable_execute_command)
                .enable_ecs_managed_tags(spec.managed_tags)
                .propagate_tags(PropagateTags::from(spec.propagate_tags.as_str()))
                .client_token(&token)
                .set_tags(wire_tags(create.tags))
                .customize()
                .interceptor(extra.clone())
                .send()
        };
        let service = |reply: CreateServiceOutput| {
            reply.service.as_ref().map(snapshot::service).ok_or_else(|| "service".to_owned())
        };
        self.call_for(CREATE, call, service).await
    }

    /// Services of a cluster, in the order of `names`. One that does not exist has the status `MISSING`.
    pub async fn describe_services(
        &self,
        cluster: &str,
        names: &[&str],
    ) -> Result<Vec<ServiceSnapshot>, Error> {
        let found: Vec<Service> =
            self.read_services(cluster, names).await?.into_iter().flat_map(|it| it.0).collect();
        // An unknown name is no error of the call: it is listed under `failures` (ECS API, DescribeServices).
        let missing = |name: &str| ServiceSnapshot {
            name: name.to_owned(),
            status: "MISSING".to_owned(),
            ..ServiceSnapshot::default()
        };
        let look = |name: &&str| {
            let service = found.iter().find(|service| service.service_name() == Some(name));
            service.map_or_else(|| missing(name), snapshot::service)
        };
        Ok(names.iter().map(look).collect())
    }

    /// The services of a cluster that exist, with their settings. `arns` turns ARNs of namespaces to names.
    pub async fn find_services(
        &self,
        cluster: &str,
        names: &[&str],
        arns: &Arns,
    ) -> Result<Vec<FoundService>, Error> {
        self.find_services_beside(cluster, names, async { Ok(arns.clone()) }).await
    }

    /// The same, while `arns` is being read.
    pub async fn find_services_beside(
        &self,
        cluster: &str,
        names: &[&str],
        arns: impl Future<Output = Result<Arns, Error>>,
    ) -> Result<Vec<FoundService>, Error> {
        let (arns, batches) = try_join(arns, self.read_services(cluster, names)).await?;
        let arns = &arns;
        // The reply as it came, too: AWS adds members that the SDK's types do not have yet, and a plan must not drop them.
        let mut all = Vec::new();
        for (found, raw) in batches {
            let reply = raw.reply();
            let shown: Vec<&Value> = reply["services"].as_array().into_iter().flatten().collect();
            all.extend(found.into_iter().map(|service| {
                let shown = shown.iter().find(|shown| shown["serviceArn"].as_str() == service.service_arn());
                read(service, shown.copied().unwrap_or(&Value::Null), arns)
            }));
        }
        Ok(all)
    }

    /// ARNs of a cluster's services. None without the cluster.
    pub async fn list_services(&self, cluster: &str) -> Result<Vec<String>, Error> {
        // Services that are DRAINING or INACTIVE are not listed, and a page has 10 by default (ECS API, ListServices).
        let page =
            |next| self.ecs.list_services().cluster(cluster).max_results(100).set_next_token(next).send();
        let arns = self.pages(LIST, page, |reply| (reply.service_arns, reply.next_token)).await;
        Ok(found(arns)?.unwrap_or_default())
    }

    /// Batches of services, each with the reply that they are from.
    async fn read_services(&self, cluster: &str, names: &[&str]) -> Result<Vec<(Vec<Service>, Raw)>, Error> {
        let batch = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            async move {
                let raw = Raw::default();
                let call = || {
                    let describe =
                        self.ecs.describe_services().cluster(cluster).set_services(Some(names.clone()));
                    describe.customize().interceptor(raw.clone()).send()
                };
                let found = self.call_for(DESCRIBE, call, |reply| answered(reply, &names)).await?;
                Ok::<_, Error>((found, raw))
            }
        };
        // ClusterNotFoundException: before the first deploy there is no cluster, and so no service.
        Ok(found(try_join_all(names.chunks(BATCH).map(batch)).await)?.unwrap_or_default())
    }

    /// Deletes a service; `force` also one that still has tasks. One that is deleted or DRAINING is not an error.
    pub async fn delete_service(&self, cluster: &str, name: &str, force: bool) -> Result<(), Error> {
        let call = || self.ecs.delete_service().cluster(cluster).service(name).force(force).send();
        match self.call(DELETE, call).await {
            // It is DRAINING or INACTIVE: an earlier call deleted it.
            Err(error)
                if matches!(error.kind, Kind::Conflict)
                    && error.code.as_deref() == Some("ServiceNotActiveException") =>
            {
                Ok(())
            }
            result => result.map(drop).or_else(gone),
        }
    }
}

/// The services of a reply that says of each one asked for how it is, or that it is missing. An empty body, which
/// gateways send at times, must not be taken for a cluster without services.
fn answered(reply: DescribeServicesOutput, names: &[String]) -> Result<Vec<Service>, String> {
    let (found, failures) = (reply.services.unwrap_or_default(), reply.failures.unwrap_or_default());
    let missing = |name: &str| {
        let of = |failure: &Failure| failure.arn().is_some_and(|arn| arn_name(arn) == name);
        failures.iter().any(|failure| of(failure) && failure.reason() == Some("MISSING"))
    };
    let listed =
        |name: &str| found.iter().any(|service| service.service_name() == Some(name)) || missing(name);
    match names.iter().find(|name| !listed(name)) {
        Some(name) => Err(format!("service {name}, nor calls it missing")),
        None => Ok(found),
    }
}

fn read(mut found: Service, shown: &Value, arns: &Arns) -> FoundService {
    let rolling = found.deployment_configuration();
    let breaker = rolling.and_then(DeploymentConfiguration::deployment_circuit_breaker);
    FoundService {
        hides_threshold: breaker.is_none_or(|breaker| breaker.threshold_configuration().is_none()),
        hides_early_success: rolling.is_none_or(|rolling| rolling.early_success_criteria().is_none()),
        spec: settings::read(&found, shown, arns),
        snapshot: snapshot::service(&found),
        created_ms: millis(found.created_at()),
        foreign_way: settings::foreign_way(&found),
        task_definition: found.task_definition.take().unwrap_or_default(),
        arn: found.service_arn.take().unwrap_or_default(),
    }
}
