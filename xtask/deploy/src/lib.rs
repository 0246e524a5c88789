//! What a deployment means, without touching anything: no I/O, no clock, no async.
//!
//! Data flows one way:
//!
//! ```text
//! deploy.toml ─ config → Environment ┐
//! images, git ─────────→ Release     ┴→ Desired ┐
//! account ─ read by xtask::observe ──→ Observed ┴─ plan → Plan ─ carried out by xtask::apply
//! DescribeServices, service deployments ─ rollout → Verdict
//! revisions and their tags, service deployments ─ history → releases to show and to roll back to
//! the tag of the cluster ─ lease → whose turn it is
//! everything that happens ─ event → view → text
//! ```

pub mod config;
pub mod doctor;
pub mod event;
pub mod evidence;
pub mod history;
pub mod iam;
pub mod init;
pub mod lease;
pub mod logs;
pub mod model;
pub mod output;
pub mod plan;
pub mod redact;
pub mod rollout;
pub mod secrets;
pub mod status;
pub mod verify;
pub mod view;
