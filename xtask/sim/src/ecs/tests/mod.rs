//! Stories about services, told to one account in virtual time with scripted tasks.
//!
//! Each test is named by the incident that it prevents. "Facts 2.4" and the like are the sections of the fact
//! sheet about ECS.

mod breaker;
mod connect;
mod deletion;
mod first_deployment;
mod grace;
mod images;
mod lab;
mod liveness;
mod percentages;
mod requests;
mod rolling;
mod scaling;
mod stopping;
mod superseding;
mod tasks;
