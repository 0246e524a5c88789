//! `xtask::aws::lite`, without its client.

#[path = "../../../src/aws/lite/reply.rs"]
pub(super) mod reply;
#[path = "../../../src/aws/lite/xml.rs"]
mod xml;
