//! Stories about services of one account, in virtual time with scripted tasks.
//!
//! Each test is named by the incident that it prevents. Comments name the page of the ECS developer guide or of
//! the API reference whose behaviour is held.

mod breaker;
mod capacity;
mod changed;
mod connect;
mod connect_seen;
mod containers;
mod deletion;
mod exec;
mod first_deployment;
mod grace;
mod images;
mod lab;
mod liveness;
mod load;
mod operations;
mod percentages;
mod requests;
mod rolling;
mod run;
mod scaling;
mod secrets;
mod stopping;
mod superseding;
mod tasks;
mod workers;
