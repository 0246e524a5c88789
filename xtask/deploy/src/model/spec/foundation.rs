//! What services stand on: repositories, log groups, the cluster, the namespace.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RepositorySpec {
    pub name: String,
    /// Whether a tag can be pushed once only.
    pub immutable_tags: bool,
    /// How many images the lifecycle policy keeps; `None` when it has no policy of that shape.
    pub keep_images: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LogGroupSpec {
    pub name: String,
    /// Days that events are kept; `None` for ever.
    pub retention_days: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ClusterSpec {
    pub name: String,
    /// The capacity providers that it has; mostly none.
    pub capacity_providers: Vec<String>,
}

/// A Cloud Map namespace for Service Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct NamespaceSpec {
    pub name: String,
}
