//! Every way in: API calls by their operation, timers by what is due, reports by what they say.

use super::state::Due;
use super::{
    account_settings, capacity, cluster, deployment, protection, reference, service, task, task_definition,
};
use crate::account::Account;
use crate::clock::Millis;
use crate::tagging;
use crate::wire::Operations;
use crate::workload::Report;

pub(crate) const OPERATIONS: Operations<crate::account::Operation> = &[
    ("CreateCluster", cluster::create),
    ("UpdateCluster", cluster::update),
    ("UpdateClusterSettings", cluster::update),
    ("DescribeClusters", |account, _, request| cluster::describe(account, request)),
    ("ListClusters", |account, _, request| cluster::list(account, request)),
    ("PutClusterCapacityProviders", |account, _, request| capacity::put(account, request)),
    ("DescribeCapacityProviders", |account, _, request| capacity::describe(account, request)),
    ("ListContainerInstances", |account, _, request| cluster::list_instances(account, request)),
    ("ListAccountSettings", |account, _, request| account_settings::list(account, request)),
    ("PutAccountSetting", account_settings::put),
    ("PutAccountSettingDefault", account_settings::put_default),
    ("DeleteAccountSetting", account_settings::delete),
    ("DeleteCluster", |account, _, request| cluster::delete(account, request)),
    ("RegisterTaskDefinition", task_definition::register),
    ("DeregisterTaskDefinition", task_definition::deregister),
    ("DescribeTaskDefinition", |account, _, request| task_definition::describe(account, request)),
    ("ListTaskDefinitions", |account, _, request| task_definition::list(account, request)),
    ("ListTaskDefinitionFamilies", |account, _, request| task_definition::list_families(account, request)),
    ("DeleteTaskDefinitions", task_definition::delete),
    ("CreateService", service::create),
    ("UpdateService", service::update),
    ("DescribeServices", |account, _, request| service::describe(account, request)),
    ("ListServices", |account, _, request| service::list(account, request)),
    ("ListServicesByNamespace", |account, _, request| service::list_by_namespace(account, request)),
    ("DeleteService", service::delete),
    ("ListTasks", |account, _, request| task::list(account, request)),
    ("DescribeTasks", |account, _, request| task::describe(account, request)),
    ("RunTask", task::run),
    ("ExecuteCommand", task::execute),
    ("StopTask", task::stop_by_request),
    ("GetTaskProtection", protection::get),
    ("UpdateTaskProtection", protection::update),
    ("ListServiceDeployments", |account, _, request| deployment::list(account, request)),
    ("DescribeServiceDeployments", |account, _, request| deployment::describe(account, request)),
    ("DescribeServiceRevisions", |account, _, request| deployment::describe_revisions(account, request)),
    ("StopServiceDeployment", deployment::stop),
    ("ContinueServiceDeployment", |account, _, request| deployment::resume(account, request)),
    ("TagResource", |account, _, request| {
        tagging::tag(&mut account.base, request, &|base, arn| reference::taggable(base, &account.ecs, arn))
    }),
    ("UntagResource", |account, _, request| {
        tagging::untag(&mut account.base, request, &|base, arn| reference::taggable(base, &account.ecs, arn))
    }),
    ("ListTagsForResource", |account, _, request| {
        tagging::list(&account.base, request, &|base, arn| reference::taggable(base, &account.ecs, arn))
    }),
];

pub(crate) fn due(account: &mut Account, now: Millis, due: Due) {
    match due {
        Due::Provisioned(id) => task::provisioned(account, now, &id),
        Due::FailedToStart { task, reason } => task::failed_to_start(account, now, &task, &reason),
        Due::Activated(id) => task::activated(account, now, &id),
        Due::Deprovisioned(id) => task::deprovisioned(account, now, &id),
        Due::ForgetTask(id) => task::forget(account, &id),
        Due::StartTimeout { task, container } => task::start_timed_out(account, now, &task, &container),
        Due::CheckContainer { task, container } => task::check_due(account, &task, &container),
        Due::AgentStarted { task, container } => task::agent_started(account, now, &task, &container),
        Due::Wake(key) => account.ecs.look_at(&key),
        Due::ForgetService(key) => service::forget(account, &key),
    }
}

/// Takes word from the workload about a task's containers.
pub(crate) fn reported(account: &mut Account, now: Millis, report: Report) {
    match report {
        Report::Pulled { task } => task::pulled(account, now, &task),
        Report::Started { task, container } => task::started(account, now, &task, &container),
        Report::CannotStart { task, container, reason } => {
            task::cannot_start(account, now, &task, &container, &reason);
        }
        Report::FailedToStart { task, reason } => task::failed_to_start(account, now, &task, &reason),
        Report::Exited { task, container, exit_code, reason } => {
            task::exited(account, now, &task, &container, exit_code, reason);
        }
        Report::ContainerHealth { task, container, healthy } => {
            task::checked(account, now, &task, &container, healthy);
        }
        // The account gives these to the load balancers and to the logs.
        Report::TargetHealth { .. } | Report::Log { .. } | Report::Usage { .. } => {}
    }
}
