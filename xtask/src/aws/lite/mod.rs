//! APIs without their SDK crate, such as EC2, IAM and CloudWatch Logs.
//!
//! The tool makes a handful of calls there, and those crates cost more compile time than all the rest. A call goes
//! through the SDK's own orchestrator: the same credentials, signing, time limits and HTTP client; what is ours is
//! the endpoint, the request's body and the reading of the reply.

mod api;
mod client;
mod endpoint;
mod reply;
mod xml;

pub(in crate::aws) use api::Api;
pub(in crate::aws) use client::Lite;
pub(in crate::aws) use reply::{error_of, json};
pub(in crate::aws) use xml::{children, read, text};
