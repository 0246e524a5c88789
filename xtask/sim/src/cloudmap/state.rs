//! What Cloud Map remembers.

use std::collections::BTreeMap;

use super::namespaces::Namespace;
use super::operations::{Due, Operation};
use super::services::Service;
use crate::clock::Timers;

/// All Cloud Map state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) namespaces: BTreeMap<String, Namespace>,
    pub(super) operations: BTreeMap<String, Operation>,
    /// By id; those of Service Connect are ECS's.
    pub(super) services: BTreeMap<String, Service>,
    pub(crate) timers: Timers<Due>,
}

/// The code of every refusal of a parameter.
pub(super) const INVALID: &str = "InvalidInput";
