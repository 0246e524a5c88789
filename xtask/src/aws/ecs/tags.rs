//! Tags of ECS resources.

use aws_sdk_ecs::operation::list_tags_for_resource::ListTagsForResourceOutput;
use aws_sdk_ecs::types::Tag;

use crate::aws::call::Op;
use crate::aws::{Aws, Error, Tags};

/// What a tag call answers about a cluster or a service that was created a moment ago (terraform-provider-aws#11701).
const LATE: &[&str] = &["ClusterNotFoundException", "ServiceNotFoundException", "ResourceNotFoundException"];
const TAG: Op = Op::write("ecs", "TagResource").patient(LATE);
const UNTAG: Op = Op::write("ecs", "UntagResource");
const LIST: Op = Op::read("ecs", "ListTagsForResource").patient(LATE);

impl Aws {
    /// Adds tags to a service, task or cluster, or changes them.
    pub async fn tag_ecs_resource(&self, arn: &str, tags: &Tags) -> Result<(), Error> {
        self.call(TAG, || self.ecs.tag_resource().resource_arn(arn).set_tags(wire_tags(tags)).send())
            .await
            .map(drop)
    }

    /// Removes a tag. A missing one is not an error.
    pub async fn untag_ecs_resource(&self, arn: &str, keys: &[String]) -> Result<(), Error> {
        let call = || self.ecs.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.to_vec())).send();
        self.call(UNTAG, call).await.map(drop)
    }

    /// The tags of a service, task or cluster.
    pub async fn list_ecs_tags(&self, arn: &str) -> Result<Tags, Error> {
        let call = || self.ecs.list_tags_for_resource().resource_arn(arn).send();
        let tags = |reply: ListTagsForResourceOutput| reply.tags.ok_or_else(|| "tags".to_owned());
        Ok(read_tags(Some(self.call_for(LIST, call, tags).await?)))
    }
}

/// `None` without tags: AWS refuses an empty list.
pub(super) fn wire_tags(tags: &Tags) -> Option<Vec<Tag>> {
    let list: Vec<Tag> =
        tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    (!list.is_empty()).then_some(list)
}

pub(super) fn read_tags(tags: Option<Vec<Tag>>) -> Tags {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    tags.unwrap_or_default().into_iter().filter_map(pair).collect()
}
