//! `[service.NAME.before-roll]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A task that runs once as the new revision before anything rolls, such as a migration of the database. It has the
/// service's network, role, variables, secrets and log group. When it fails, the release ends and nothing has rolled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BeforeRoll {
    /// What it runs in place of the image's command; arguments of an entry point where the image has one.
    #[schemars(length(min = 1, max = 64))]
    pub command: Vec<String>,
    /// Seconds after which it is stopped and has failed.
    #[schemars(range(min = 10, max = 86400))]
    pub timeout_secs: u64,
}

impl Default for BeforeRoll {
    fn default() -> Self {
        Self { command: Vec::new(), timeout_secs: 900 }
    }
}
