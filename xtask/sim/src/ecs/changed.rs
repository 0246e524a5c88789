//! Services and tasks that know which services were changed: the scheduler looks at no others, so that a health answer in a
//! large account costs as much as in a small one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::key::ServiceKey;
use super::service::model::Service;
use super::task::model::Task;
use crate::workload::TaskId;

/// Services whose scheduler has something to look at.
#[derive(Debug, Default)]
struct Changed(BTreeSet<ServiceKey>);

impl Changed {
    fn note(&mut self, key: &ServiceKey) {
        if !self.0.contains(key) {
            self.0.insert(key.clone());
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Services {
    all: BTreeMap<ServiceKey, Service>,
    changed: Changed,
}

impl Deref for Services {
    type Target = BTreeMap<ServiceKey, Service>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Services {
    pub(super) fn insert(&mut self, service: Service) {
        self.changed.note(&service.key);
        self.all.insert(service.key.clone(), service);
    }

    /// The service, to be changed.
    pub(super) fn get_mut(&mut self, key: &ServiceKey) -> Option<&mut Service> {
        let service = self.all.get_mut(key)?;
        self.changed.note(key);
        Some(service)
    }

    pub(super) fn remove(&mut self, key: &ServiceKey) {
        self.all.remove(key);
    }

    pub(super) fn look_at(&mut self, key: &ServiceKey) {
        self.changed.note(key);
    }

    pub(super) fn looked_at(&mut self, key: &ServiceKey) {
        self.changed.0.remove(key);
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<ServiceKey> {
        std::mem::take(&mut self.changed.0)
    }
}

#[derive(Debug, Default)]
pub(super) struct Tasks {
    all: BTreeMap<TaskId, Task>,
    /// Those that are not yet STOPPED, in the order they were launched.
    live: BTreeMap<ServiceKey, BTreeMap<u64, TaskId>>,
    changed: Changed,
}

impl Deref for Tasks {
    type Target = BTreeMap<TaskId, Task>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Tasks {
    pub(super) fn insert(&mut self, task: Task) {
        self.changed.note(&task.service);
        self.live.entry(task.service.clone()).or_default().insert(task.sequence, task.id.clone());
        self.all.insert(task.id.clone(), task);
    }

    /// The task, to be changed.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Task> {
        let task = self.all.get_mut(id)?;
        self.changed.note(&task.service);
        Some(task)
    }

    /// The service's tasks that are not yet STOPPED, in the order they were launched.
    pub(super) fn live_of(&self, key: &ServiceKey) -> impl Iterator<Item = &Task> {
        self.live.get(key).into_iter().flat_map(BTreeMap::values).filter_map(|id| self.all.get(id))
    }

    /// The task is STOPPED: from now on it is only remembered.
    pub(super) fn retire(&mut self, id: &str) {
        let Some(task) = self.get_mut(id) else { return };
        let (key, sequence) = (task.service.clone(), task.sequence);
        if let Some(own) = self.live.get_mut(&key) {
            own.remove(&sequence);
            if own.is_empty() {
                self.live.remove(&key);
            }
        }
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Task> {
        self.all.remove(id)
    }

    pub(super) fn looked_at(&mut self, key: &ServiceKey) {
        self.changed.0.remove(key);
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<ServiceKey> {
        std::mem::take(&mut self.changed.0)
    }
}
