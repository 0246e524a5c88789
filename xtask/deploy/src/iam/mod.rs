//! The rights that a deploy takes: as an IAM policy for this `deploy.toml`, and who may have them from GitHub.

mod policy;
mod questions;
mod resource;
mod trust;

pub use policy::policy;
pub use questions::{Question, SECRET_READS, of_policy, of_role};
pub use resource::{Need, Resource};
pub use trust::{Jobs, Subject, trust};

/// Where a policy is for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The ARN's second part: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: &'a str,
    pub account: &'a str,
}
