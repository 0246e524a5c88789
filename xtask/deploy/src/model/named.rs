//! Tables of the file whose members are named by their keys: in memory, a list of members that know their names.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{Container, Endpoint, Policy, Service, ServiceKey, Sidecar, Volume};

/// A member of such a table.
pub(super) trait Named {
    fn named(self, key: String) -> Self;
}

/// Reads `[TABLE.KEY]` tables, sorted by key.
pub(super) fn named<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Named + Deserialize<'de>,
    D: Deserializer<'de>,
{
    let members = BTreeMap::<String, T>::deserialize(deserializer)?;
    Ok(members.into_iter().map(|(key, member)| member.named(key)).collect())
}

impl Named for Service {
    fn named(self, key: String) -> Self {
        Self { key: ServiceKey(key), ..self }
    }
}

impl Named for Sidecar {
    fn named(self, name: String) -> Self {
        Self { container: Container { name, ..self.container }, ..self }
    }
}

impl Named for Volume {
    fn named(self, name: String) -> Self {
        Self { name, ..self }
    }
}

impl Named for Endpoint {
    fn named(self, name: String) -> Self {
        Self { name, ..self }
    }
}

impl Named for Policy {
    fn named(self, name: String) -> Self {
        Self { name, ..self }
    }
}
