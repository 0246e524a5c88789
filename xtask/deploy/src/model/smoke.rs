//! `smoke`: what must answer after a deploy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ServiceKey;

/// A request that the right service must answer: through the load balancer, or from inside another service's task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SmokeCheck {
    /// The path, through the load balancer.
    pub path: String,
    /// Instead of a path: the service from whose task `url` is asked, by ECS Exec. It is asked where the caller has the right
    /// `ecs:ExecuteCommand`, and the image can: those of this workspace's packages have `get URL`, others need `/bin/sh` with
    /// `curl` or `wget`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<ServiceKey>,
    /// What is asked from inside, such as a Service Connect name.
    #[schemars(length(min = 1, max = 2048))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The HTTP status that passes.
    #[schemars(range(min = 100, max = 599))]
    pub status: u16,
    /// What the member `service` of the JSON answer must be, so that an answer of the wrong service does not
    /// pass.
    #[schemars(length(min = 1, max = 64))]
    pub identity: Option<String>,
}

impl Default for SmokeCheck {
    fn default() -> Self {
        Self { path: String::new(), from: None, url: None, status: 200, identity: None }
    }
}

impl SmokeCheck {
    /// The service from whose task is asked, and what; `None` of a check through the load balancer.
    pub fn inside(&self) -> Option<(&ServiceKey, &str)> {
        Some((self.from.as_ref()?, self.url.as_deref()?))
    }

    /// What is asked: a path, or a URL.
    pub fn target(&self) -> &str {
        self.url.as_deref().unwrap_or(&self.path)
    }
}
