//! Service revisions: the immutable snapshot that a deployment rolls out.

use crate::base::{Base, Millis};
use crate::ecs::service::model::Spec;
use crate::ecs::task_definition::families::Families;

#[derive(Clone, Debug)]
pub(in crate::ecs) struct Revision {
    pub(in crate::ecs) arn: String,
    pub(in crate::ecs) created_at: Millis,
    pub(in crate::ecs) spec: Spec,
    pub(in crate::ecs) launch_type: Option<String>,
    pub(in crate::ecs) images: Vec<RevisionImage>,
}

/// A container's image in a revision. The first task resolves the digest, and all others of the revision
/// use it: a tag that is pushed again meanwhile changes nothing (`versionConsistency`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ecs) struct RevisionImage {
    pub(in crate::ecs) container: String,
    pub(in crate::ecs) image: String,
    pub(in crate::ecs) digest: Option<String>,
}

impl Revision {
    /// A new revision of what `spec` asks for.
    pub(super) fn new(
        base: &mut Base,
        families: &Families,
        now: Millis,
        service: &str,
        spec: &Spec,
        launch_type: Option<&str>,
    ) -> Self {
        let number = base.ids.digits(19);
        let arn = base.arn("ecs", &format!("service-revision/{service}/{number}"));
        let definition = families.by_arn(&spec.task_definition);
        let containers = definition.map(|definition| definition.spec.container_definitions.as_slice());
        let images = containers.unwrap_or_default().iter().map(|container| RevisionImage {
            container: container.name.clone(),
            image: container.image.clone(),
            digest: None,
        });
        Self {
            arn,
            created_at: now,
            spec: spec.clone(),
            launch_type: launch_type.map(str::to_owned),
            images: images.collect(),
        }
    }

    /// The digest that the revision's first task resolved for a container.
    pub(in crate::ecs) fn digest(&self, container: &str) -> Option<&str> {
        self.images.iter().find(|image| image.container == container)?.digest.as_deref()
    }
}
