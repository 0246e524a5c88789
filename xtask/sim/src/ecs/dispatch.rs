//! Every way in: API calls by their operation, timers by what is due, reports by what they say.

use super::state::{Due, ServiceKey};
use super::{capacity, cluster, deployment, reference, service, task, task_definition};
use crate::account::{Account, Millis};
use crate::tagging;
use crate::wire::{ApiError, ApiRequest, Outcome};
use crate::workload::Report;

pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "CreateCluster" => cluster::create(account, now, request),
        "DescribeClusters" => cluster::describe(account, request),
        "ListClusters" => cluster::list(account, request),
        "PutClusterCapacityProviders" => capacity::put(account, request),
        "DeleteCluster" => cluster::delete(account, request),
        "RegisterTaskDefinition" => task_definition::register(account, now, request),
        "DeregisterTaskDefinition" => task_definition::deregister(account, now, request),
        "DescribeTaskDefinition" => task_definition::describe(account, request),
        "ListTaskDefinitions" => task_definition::list(account, request),
        "CreateService" => service::create(account, now, request),
        "UpdateService" => service::update(account, now, request),
        "DescribeServices" => service::describe(account, request),
        "ListServices" => service::list(account, request),
        "DeleteService" => service::delete(account, now, request),
        "ListTasks" => task::list(account, request),
        "DescribeTasks" => task::describe(account, request),
        "RunTask" => task::run(account, now, request),
        "StopTask" => task::stop_by_request(account, now, request),
        "ListServiceDeployments" => deployment::list(account, request),
        "DescribeServiceDeployments" => deployment::describe(account, request),
        "DescribeServiceRevisions" => deployment::describe_revisions(account, request),
        "StopServiceDeployment" => deployment::stop(account, now, request),
        "TagResource" => tagging::tag(account, request, reference::taggable),
        "UntagResource" => tagging::untag(account, request, reference::taggable),
        "ListTagsForResource" => tagging::list(account, request, reference::taggable),
        _ => Err(ApiError::new("UnknownOperationException", "")),
    }
}

pub(crate) fn due(account: &mut Account, now: Millis, due: Due) {
    match due {
        Due::Provisioned(id) => task::provisioned(account, now, &id),
        Due::FailedToStart { task, reason } => task::failed_to_start(account, now, &task, &reason),
        Due::Activated(id) => task::activated(account, now, &id),
        Due::Deprovisioned(id) => task::deprovisioned(account, now, &id),
        Due::ForgetTask(id) => task::forget(account, &id),
        Due::StartTimeout { task, container } => task::start_timed_out(account, now, &task, &container),
        Due::CheckContainer { task, container } => task::check_due(account, &task, &container),
        Due::Wake => {}
        Due::ForgetService { cluster, service } => {
            service::forget(account, &ServiceKey { cluster, service });
        }
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
        // The account gives these two to the load balancers and to the logs.
        Report::TargetHealth { .. } | Report::Log { .. } => {}
    }
}
