//! The AWS wire, both ways: an HTTP request becomes an [`ApiRequest`], an answer becomes an HTTP response.
//!
//! JSON 1.1 services (ECS, ECR, scaling, Cloud Map, logs, SSM, Secrets Manager, tagging) and query services (ELBv2, STS, EC2,
//! IAM) meet in one shape: parameters and results are [`serde_json::Value`] objects with the API's own member names.

mod call;
mod credential;
mod decode;
mod encode;
mod form;
pub(crate) mod limits;
mod operations;
mod params;
mod protocol;
mod timestamp;
mod wildcard;
mod xml;

pub(crate) use call::Outcome;
pub use call::{Api, ApiError, ApiRequest};
pub(crate) use decode::decode;
pub(crate) use encode::encode;
pub(crate) use form::{leaf, list, texts};
pub(crate) use operations::{Operations, operation};
pub(crate) use params::{drop_nulls, listing, page, params, text};
pub(crate) use timestamp::{civil, day_of, iso8601};
pub use wildcard::wildcard;

#[cfg(test)]
mod tests;
