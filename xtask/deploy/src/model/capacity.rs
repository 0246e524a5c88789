//! Where a service's tasks run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share of a service's tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct CapacityProvider {
    /// `FARGATE`, or `FARGATE_SPOT`, whose tasks AWS may take back two minutes after a warning.
    pub name: ProviderName,
    /// So many tasks run there before weights count; of one provider only.
    #[schemars(range(min = 0, max = 100_000))]
    pub base: u32,
    /// Its part of the tasks beyond the base.
    #[schemars(range(min = 0, max = 1000))]
    pub weight: u32,
}

impl Default for CapacityProvider {
    fn default() -> Self {
        Self { name: ProviderName::Fargate, base: 0, weight: 1 }
    }
}

/// A capacity provider of Fargate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ProviderName {
    #[serde(rename = "FARGATE")]
    Fargate,
    #[serde(rename = "FARGATE_SPOT")]
    Spot,
}

impl ProviderName {
    /// Both; a cluster that has one mostly has the other.
    pub const ALL: [Self; 2] = [Self::Fargate, Self::Spot];

    pub fn wire(self) -> &'static str {
        match self {
            Self::Fargate => "FARGATE",
            Self::Spot => "FARGATE_SPOT",
        }
    }
}
