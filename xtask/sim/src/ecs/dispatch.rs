//! Every way in: API calls by their operation, timers by what is due, reports by what they say.

use super::region::{Operation, Region};
use super::state::Due;
use super::{
    account_settings, capacity_providers, cluster, deployment, protection, reference, service, task,
    task_definition,
};
use crate::clock::Millis;
use crate::tagging;
use crate::wire::Operations;
use crate::workload::Report;

pub(crate) const OPERATIONS: Operations<Operation> = &[
    ("CreateCluster", cluster::create),
    ("UpdateCluster", cluster::update),
    ("UpdateClusterSettings", cluster::update),
    ("DescribeClusters", |region, _, request| cluster::describe(region, request)),
    ("ListClusters", |region, _, request| cluster::list(region, request)),
    ("PutClusterCapacityProviders", |region, _, request| capacity_providers::put(region, request)),
    ("DescribeCapacityProviders", |region, _, request| capacity_providers::describe(region, request)),
    ("ListContainerInstances", |region, _, request| cluster::list_instances(region, request)),
    ("ListAccountSettings", |region, _, request| account_settings::list(region, request)),
    ("PutAccountSetting", account_settings::put),
    ("PutAccountSettingDefault", account_settings::put_default),
    ("DeleteAccountSetting", account_settings::delete),
    ("DeleteCluster", |region, _, request| cluster::delete(region, request)),
    ("RegisterTaskDefinition", task_definition::register),
    ("DeregisterTaskDefinition", task_definition::deregister),
    ("DescribeTaskDefinition", |region, _, request| task_definition::describe(region, request)),
    ("ListTaskDefinitions", |region, _, request| task_definition::list(region, request)),
    ("ListTaskDefinitionFamilies", |region, _, request| task_definition::list_families(region, request)),
    ("DeleteTaskDefinitions", task_definition::delete),
    ("CreateService", service::create),
    ("UpdateService", service::update),
    ("DescribeServices", |region, _, request| service::describe(region, request)),
    ("ListServices", |region, _, request| service::list(region, request)),
    ("ListServicesByNamespace", |region, _, request| service::list_by_namespace(region, request)),
    ("DeleteService", service::delete),
    ("ListTasks", |region, _, request| task::list(region, request)),
    ("DescribeTasks", |region, _, request| task::describe(region, request)),
    ("RunTask", task::run),
    ("ExecuteCommand", task::execute),
    ("StopTask", task::stop_by_request),
    ("GetTaskProtection", protection::get),
    ("UpdateTaskProtection", protection::update),
    ("ListServiceDeployments", |region, _, request| deployment::list(region, request)),
    ("DescribeServiceDeployments", |region, _, request| deployment::describe(region, request)),
    ("DescribeServiceRevisions", |region, _, request| deployment::describe_revisions(region, request)),
    ("StopServiceDeployment", deployment::stop),
    ("ContinueServiceDeployment", |region, _, request| deployment::resume(region, request)),
    ("TagResource", |region, _, request| {
        tagging::tag(region.base, request, &|base, arn| reference::taggable(base, region.ecs, arn))
    }),
    ("UntagResource", |region, _, request| {
        tagging::untag(region.base, request, &|base, arn| reference::taggable(base, region.ecs, arn))
    }),
    ("ListTagsForResource", |region, _, request| {
        tagging::list(region.base, request, &|base, arn| reference::taggable(base, region.ecs, arn))
    }),
];

pub(crate) fn due(region: &mut Region<'_>, now: Millis, due: Due) {
    match due {
        Due::Provisioned(id) => task::provisioned(region, now, &id),
        Due::FailedToStart { task, reason } => task::failed_to_start(region, now, &task, &reason),
        Due::Activated(id) => task::activated(region, now, &id),
        Due::Deprovisioned(id) => task::deprovisioned(region, now, &id),
        Due::ForgetTask(id) => task::forget(region, &id),
        Due::StartTimeout { task, container } => task::start_timed_out(region, now, &task, &container),
        Due::CheckContainer { task, container } => task::check_due(region, &task, &container),
        Due::AgentStarted { task, container } => task::agent_started(region, now, &task, &container),
        Due::Wake(key) => region.ecs.look_at(&key),
        Due::ForgetService(key) => service::forget(region, &key),
    }
}

/// Takes word from the workload about a task's containers.
pub(crate) fn reported(region: &mut Region<'_>, now: Millis, report: Report) {
    match report {
        Report::Pulled { task } => task::pulled(region, now, &task),
        Report::Started { task, container } => task::started(region, now, &task, &container),
        Report::CannotStart { task, container, reason } => {
            task::cannot_start(region, now, &task, &container, &reason);
        }
        Report::FailedToStart { task, reason } => task::failed_to_start(region, now, &task, &reason),
        Report::Exited { task, container, exit_code, reason } => {
            task::exited(region, now, &task, &container, exit_code, reason);
        }
        Report::ContainerHealth { task, container, healthy } => {
            task::checked(region, now, &task, &container, healthy);
        }
        // The account gives these to the load balancers and to the logs.
        Report::TargetHealth { .. } | Report::Log { .. } | Report::Usage { .. } => {}
    }
}
