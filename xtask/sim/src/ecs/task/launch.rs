//! A new task: what it is made of before anything of it exists.

use super::model::{
    Agent, Container, ContainerHealth, ContainerState, HealthStatus, Interface, Task, TaskStatus, TaskTarget,
};
use super::overrides::Overrides;
use super::proxy::Proxy;
use crate::base::{Millis, Tag};
use crate::ecs::capacity::{self, Share};
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::state::Due;
use crate::ecs::task_definition::spec::TaskSpec;
use crate::identity;
use crate::workload::TaskId;

/// What a task is launched from.
pub(super) struct Blueprint {
    pub(super) key: ServiceKey,
    pub(super) group: String,
    pub(super) deployment: String,
    pub(super) revision: String,
    pub(super) task_definition: String,
    pub(super) attempt: u32,
    pub(super) launch_type: Option<String>,
    pub(super) capacity_provider: Option<String>,
    pub(super) execute_command: bool,
    pub(super) connect: bool,
    pub(super) subnets: Vec<String>,
    pub(super) targets: Vec<TaskTarget>,
    pub(super) tags: Vec<Tag>,
    pub(super) overrides: Option<Overrides>,
    /// CPU units (1024 are a vCPU) and MiB.
    pub(super) size: (u32, u32),
}

/// Launches a task of the service's PRIMARY deployment. The error is ECS's text when it cannot even try: a
/// service shows it as an event, there is no task then.
pub(in crate::ecs) fn launch(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    attempt: u32,
) -> Result<TaskId, String> {
    let gone = || "ECS was unable to find the service.".to_owned();
    let service = region.ecs.services.get(key).ok_or_else(gone)?;
    let (deployment, knobs) = (&service.primary, &service.knobs);
    let definition = region.ecs.families.by_arn(&deployment.spec.task_definition).ok_or_else(gone)?;
    let (spec, size) = (definition.spec.clone(), definition.size);
    // At launch and not at CreateService: AWS reports a role that cannot be assumed as a service event only.
    check_roles(region, &spec)?;
    let targets = deployment.spec.load_balancers.iter().filter_map(|balancer| {
        let target_group = balancer.target_group_arn.clone()?;
        Some(TaskTarget { target_group, port: balancer.container_port? })
    });
    let strategy = &knobs.capacity_provider_strategy;
    let fargate = (!strategy.is_empty()).then(|| "FARGATE".to_owned());
    let blueprint = Blueprint {
        key: key.clone(),
        group: format!("service:{}", key.service),
        deployment: deployment.id.clone(),
        revision: deployment.revision.clone(),
        task_definition: deployment.spec.task_definition.clone(),
        attempt,
        launch_type: fargate.or_else(|| knobs.launch_type.clone()),
        capacity_provider: of_next(region, key, strategy),
        execute_command: knobs.execute_command,
        connect: ConnectConfiguration::enabled(deployment.spec.connect.as_ref()).is_some(),
        subnets: deployment.spec.network.subnets.clone(),
        targets: targets.collect(),
        tags: inherited_tags(region, key, &deployment.spec.task_definition),
        overrides: None,
        size,
    };
    Ok(place(region, now, &spec, blueprint))
}

/// Makes the task; its network interface comes first.
pub(super) fn place(region: &mut Region<'_>, now: Millis, definition: &TaskSpec, plan: Blueprint) -> TaskId {
    let id = region.base.ids.hex(32);
    let arn = region.base.arn("ecs", &format!("task/{}/{id}", plan.key.cluster));
    let interface = interface(region, &plan.key, &plan.subnets);
    let containers = containers(region, &plan.key, &id, definition);
    let proxy = plan.connect.then(|| Proxy::new(region.base, &plan.key, &id));
    region.ecs.launched += 1;
    region.base.tags.put(&arn, plan.tags.clone());
    let names = definition.container_definitions.iter().map(|container| container.name.as_str());
    let task = Task {
        id: id.clone(),
        arn,
        sequence: region.ecs.launched,
        service: plan.key,
        group: plan.group,
        deployment: plan.deployment,
        revision: plan.revision,
        task_definition: plan.task_definition,
        overrides: plan.overrides.unwrap_or_else(|| Overrides::none(names)),
        size: plan.size,
        attempt: plan.attempt,
        status: TaskStatus::Provisioning,
        desired_running: true,
        interface,
        containers,
        proxy,
        targets: plan.targets,
        launch_type: plan.launch_type,
        capacity_provider: plan.capacity_provider,
        execute_command: plan.execute_command,
        created_at: now,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        protected_until: None,
        was_healthy: false,
        was_unhealthy: false,
    };
    region.ecs.tasks.insert(task);
    // PROVISIONING is the time that EC2 takes for the network interface (developer guide, task lifecycle).
    let at = now.plus_millis(region.base.settings.pace.provisioning_ms);
    region.ecs.timers.push(region.base.moment(at), Due::Provisioned(id.clone()));
    id
}

pub(super) fn check_roles(region: &Region<'_>, definition: &TaskSpec) -> Result<(), String> {
    for role in [&definition.task_role_arn, &definition.execution_role_arn].into_iter().flatten() {
        if !identity::role_exists(region.identity, role) {
            return Err(format!(
                "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that \
                 the role being passed has the proper trust relationship and permissions and that your IAM user \
                 has permissions to pass this role."
            ));
        }
    }
    Ok(())
}

/// The subnet that has the fewest of the service's tasks: tasks spread over the zones.
fn interface(region: &mut Region<'_>, key: &ServiceKey, subnets: &[String]) -> Interface {
    let used = |subnet: &String| {
        let tasks = region.ecs.tasks.live_of(key).filter(|task| task.desired_running);
        tasks.filter(|task| task.interface.subnet == *subnet).count()
    };
    let subnet = subnets.iter().min_by_key(|subnet| used(subnet)).cloned().unwrap_or_default();
    let zone = identity::subnet(region.identity, &subnet).map(|found| found.zone.clone()).unwrap_or_default();
    let hex = region.base.ids.hex(12);
    let pairs: Vec<&str> = (0..5).map(|n| &hex[2 * n..2 * n + 2]).collect();
    Interface {
        attachment: region.base.ids.uuid(),
        id: format!("eni-{}", region.base.ids.hex(17)),
        // A locally administered address, as EC2 gives.
        mac: format!("0a:{}", pairs.join(":")),
        subnet,
        zone,
        ip: None,
    }
}

fn containers(
    region: &mut Region<'_>,
    key: &ServiceKey,
    task: &str,
    definition: &TaskSpec,
) -> Vec<Container> {
    let mut containers = Vec::new();
    for container in &definition.container_definitions {
        let uuid = region.base.ids.uuid();
        let number = region.base.ids.digits(10);
        containers.push(Container {
            name: container.name.clone(),
            arn: region.base.arn("ecs", &format!("container/{}/{task}/{uuid}", key.cluster)),
            runtime_id: format!("{task}-{number}"),
            image: container.image.clone(),
            image_digest: None,
            essential: container.is_essential(),
            state: ContainerState::Pending,
            started_at: None,
            signalled: false,
            exit_code: None,
            reason: None,
            agent: Agent::Pending,
            health: container
                .health_check
                .as_ref()
                .map(|_| ContainerHealth { status: HealthStatus::Unknown, failures: 0 }),
        });
    }
    containers
}

/// The tags of `propagateTags` and `enableECSManagedTags`: only tasks launched from now on get them.
fn inherited_tags(region: &Region<'_>, key: &ServiceKey, task_definition: &str) -> Vec<Tag> {
    let Some(service) = region.ecs.services.get(key) else { return Vec::new() };
    let mut tags = match service.knobs.propagate_tags.as_str() {
        "TASK_DEFINITION" => region.base.tags.of(task_definition),
        "SERVICE" => region.base.tags.of(&service.arn),
        _ => Vec::new(),
    };
    if service.knobs.managed_tags {
        let managed = [("aws:ecs:clusterName", &key.cluster), ("aws:ecs:serviceName", &key.service)];
        tags.extend(managed.map(|(name, value)| Tag { key: name.to_owned(), value: value.clone() }));
    }
    tags
}

/// The provider of a service's next task.
fn of_next(region: &Region<'_>, key: &ServiceKey, strategy: &[Share]) -> Option<String> {
    let running = |provider: &str| {
        let tasks = region.ecs.tasks.live_of(key).filter(|task| task.desired_running);
        tasks.filter(|task| task.capacity_provider.as_deref() == Some(provider)).count() as u32
    };
    capacity::next(strategy, running)
}
