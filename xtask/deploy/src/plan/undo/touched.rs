//! A thing that a release changes: as it was, and as the release writes it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::spec::changes;
use crate::plan::{Action, Step};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Touched<T> {
    /// `None`: the release creates it.
    pub(super) before: Option<T>,
    /// What this release, or a run of it that was killed, writes.
    pub(super) wrote: Vec<T>,
}

pub(super) fn restored(action: Action) -> Step {
    Step::because(action, "as before the release")
}

impl<T: Clone + PartialEq + Serialize + DeserializeOwned> Touched<T> {
    /// Whether the release made it, and nobody changed it since.
    pub(super) fn is_created(&self, now: &T) -> bool {
        self.before.is_none() && self.wrote.contains(now)
    }

    /// What brings a thing that the release created or changed back to what it was.
    pub(super) fn restore(
        &self,
        now: Option<T>,
        put: impl Fn(T) -> Action,
        delete: impl Fn(T) -> Action,
    ) -> Vec<Step> {
        let Some(found) = now else {
            // The release deleted it.
            let deleted = self.before.clone().filter(|_| self.wrote.is_empty());
            return deleted.map(|before| restored(put(before))).into_iter().collect();
        };
        let wanted = self.reverted(&found);
        if self.is_created(&found) {
            vec![restored(delete(found))]
        } else if wanted != found {
            let changes = changes(&found, &wanted);
            vec![Step::changed(put(wanted), changes)]
        } else {
            Vec::new()
        }
    }

    /// As it was, field by field: a field that shows what the release wrote gets its value from before.
    pub(super) fn reverted(&self, now: &T) -> T {
        let Some(before) = &self.before else { return now.clone() };
        let (mut now_value, before) = (value(now), value(before));
        let wrote: Vec<Value> = self.wrote.iter().map(value).collect();
        revert(&mut now_value, &before, &wrote.iter().collect::<Vec<_>>());
        serde_json::from_value(now_value).unwrap_or_else(|_| now.clone())
    }

    /// Whether a run of the release can have left it like this: nobody else changed it.
    fn explains(&self, now: Option<&T>) -> bool {
        match (&self.before, now) {
            (before, None) => before.is_none() || self.wrote.is_empty(),
            (None, Some(now)) => self.wrote.contains(now),
            (Some(before), Some(now)) => *before == self.reverted(now),
        }
    }
}

fn revert(now: &mut Value, before: &Value, wrote: &[&Value]) {
    if wrote.contains(&&*now) {
        now.clone_from(before);
    } else if let (Value::Object(fields), Value::Object(before)) = (now, before) {
        for (name, field) in fields {
            let Some(before) = before.get(name) else { continue };
            revert(field, before, &wrote.iter().filter_map(|wrote| wrote.get(name)).collect::<Vec<_>>());
        }
    }
}

fn value<T: Serialize>(spec: &T) -> Value {
    serde_json::to_value(spec).unwrap_or(Value::Null)
}

/// The first change of a resource records what it was; a later one only adds what it writes.
pub(super) fn touched<T: Clone>(
    all: &mut BTreeMap<String, Touched<T>>,
    key: String,
    before: impl FnOnce() -> Option<T>,
    wrote: &T,
) {
    let entry = all.entry(key).or_insert_with(|| Touched { before: before(), wrote: Vec::new() });
    entry.wrote.push(wrote.clone());
}

/// What an earlier run found is older than what this one found, unless somebody changed it between the two.
pub(super) fn merge<T: Clone + PartialEq + Serialize + DeserializeOwned>(
    all: &mut BTreeMap<String, Touched<T>>,
    earlier: BTreeMap<String, Touched<T>>,
    found: impl Fn(&str) -> Option<T>,
) {
    for (key, mut older) in earlier {
        if older.explains(found(&key).as_ref()) {
            older.wrote.extend(all.remove(&key).into_iter().flat_map(|newer| newer.wrote));
            all.insert(key, older);
        }
    }
}
