//! Elastic Load Balancing v2: application load balancers.

mod action;
mod condition;
mod listener;
mod load_balancer;
mod rule;
mod target_group;

pub use listener::FoundListener;
pub use load_balancer::Balancer;
pub use rule::FoundRule;
pub use target_group::FoundTargetGroup;

use aws_sdk_elasticloadbalancingv2::types::Tag;

use super::Tags;

/// `None` without tags: AWS refuses an empty list.
fn wire_tags(tags: &Tags) -> Option<Vec<Tag>> {
    let list: Vec<Tag> =
        tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    (!list.is_empty()).then_some(list)
}
