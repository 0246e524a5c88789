//! Parameters and their versions.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::secret::Secret;

/// All parameters of the account, by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) parameters: BTreeMap<String, Parameter>,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    /// The KMS key that encrypts it, where somebody chose one.
    pub(super) key: Option<String>,
    /// Oldest first; never empty.
    versions: VecDeque<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Kind {
    String,
    StringList,
    SecureString,
}

/// One version of a parameter.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) value: Secret,
    /// What a reader without `WithDecryption` gets of a `SecureString`.
    pub(super) ciphertext: String,
    pub(super) modified: Millis,
}

/// Versions that Parameter Store keeps of a parameter.
const MOST_VERSIONS: usize = 100;

impl Parameter {
    pub(super) fn new(kind: Kind, description: Option<String>, first: Version) -> Self {
        Self { kind, description, key: None, versions: VecDeque::from([first]) }
    }

    pub(super) fn push(&mut self, version: Version) {
        self.versions.push_back(version);
        if self.versions.len() > MOST_VERSIONS {
            self.versions.pop_front();
        }
    }

    /// The key that encrypts it: the account's own for the store unless somebody chose one.
    pub(super) fn key(&self) -> &str {
        self.key.as_deref().unwrap_or("alias/aws/ssm")
    }

    pub(super) fn is_secure(&self) -> bool {
        self.kind == Kind::SecureString
    }

    /// Oldest first.
    pub(super) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter()
    }

    /// The number that the next version gets.
    pub(super) fn next_number(&self) -> u64 {
        self.versions.back().map_or(1, |version| version.number + 1)
    }

    /// The version with this number, or the newest one.
    pub(super) fn version(&self, number: Option<&str>) -> Option<&Version> {
        match number {
            None => self.versions.back(),
            Some(number) => self.versions.iter().find(|version| version.number.to_string() == number),
        }
    }
}
