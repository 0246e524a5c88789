//! What services stand on: repositories, log groups, the cluster, the namespace.

use serde::Serialize;

/// An ECR repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepositorySpec {
    /// Its name.
    pub name: String,
    /// Whether a tag can be pushed once only.
    pub immutable_tags: bool,
    /// How many images the lifecycle policy keeps; `None` when it has no policy of that shape.
    pub keep_images: Option<u32>,
}

/// A CloudWatch log group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogGroupSpec {
    /// Its name.
    pub name: String,
    /// Days that events are kept; `None` for ever.
    pub retention_days: Option<u32>,
}

/// An ECS cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterSpec {
    /// Its name.
    pub name: String,
    /// The capacity providers that it has; mostly none.
    pub capacity_providers: Vec<String>,
}

/// A Cloud Map namespace for Service Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamespaceSpec {
    /// Its name.
    pub name: String,
}
