//! Whole deployments on virtual time: the real SDK, the real plan, the embedded cloud in the same process.
//! Each story is named after the incident that it prevents.
#![expect(clippy::unwrap_used, reason = "a story whose stage cannot be set must fail")]

mod abort;
mod availability;
mod before_roll;
mod causes;
mod complete;
mod containers;
mod deadlines;
mod doors;
mod ended;
mod exec;
mod failed_balancer;
mod failures;
mod forecast;
mod front_door;
mod history;
mod indexes;
mod interruption;
mod killed;
mod lease;
mod lossy;
mod meanwhile;
mod network;
mod outcomes;
mod partial;
mod picture;
mod policy;
mod renames;
mod rollout;
mod routing;
mod screens;
mod secrets;
mod somebody;
mod superseded;
mod swarm;
mod the_owners_choice;
mod tls;
mod together;
mod unanswered;
mod undone;
mod unfinished;
mod wait;
mod wants;
mod workers;
mod world;
