//! The account as it is: everything that a plan needs, in as few round trips as its parts depend on each other.
//!
//! It reads and never writes. What the operator must bring (VPC, subnets, security groups, roles, a selected load
//! balancer) is looked up by name here, and all that is missing is reported at once. What an endpoint lacks and a
//! deploy can do without becomes a warning.

mod account;
mod doctor;
mod door;
mod endpoints;
mod error;
mod expiry;
mod foundation;
mod history;
mod image;
mod inputs;
mod landing;
mod live;
mod lookup;
mod owned;
mod routing;
mod secrets;
mod services;
#[cfg(test)]
mod tests;

pub use account::{account, guard, with_expiry};
pub use doctor::doctor;
pub use door::{Reach, deployed, door};
pub use error::{Error, Missing};
pub use foundation::held;
pub use history::{Read, history, inactive};
pub use image::resolve;
pub use inputs::{base, made};
pub use live::draft;
pub use owned::existing;
pub use routing::{Provisioning, provisioning};
pub use secrets::secrets;
