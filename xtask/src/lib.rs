//! Effects: everything of the tool that touches the world. What a deployment means is in [`deploy`]; this
//! crate reads the account, carries plans out, waits, proves and shows.
//!
//! ```text
//! cli ─ release ─┬ image    compile, assemble, push
//!                ├ observe  account → Observed
//!                ├ apply    Plan → writes
//!                ├ settle   poll → rollout verdict
//!                ├ verify   digests, target health, smoke
//!                ├ forecast the plan's rolls on virtual time, beforehand
//!                ├ exec     a command in a running task
//!                ├ logs     what tasks print
//!                ├ one_off  a command as a task of its own
//!                └ report   events → terminal, lines, NDJSON
//! aws  the only user of the AWS SDK      host  the only door to process, environment, clock, randomness
//! ```

pub mod apply;
pub mod aws;
pub mod cli;
pub mod exec;
pub mod forecast;
pub mod host;
pub mod image;
pub mod local;
pub mod logs;
pub mod observe;
pub mod one_off;
pub mod release;
pub mod report;
pub mod settle;
pub mod verify;
