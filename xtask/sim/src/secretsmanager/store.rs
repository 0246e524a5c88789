//! Secrets, their versions and the labels of these.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use crate::clock::{Millis, Timers};
use crate::wire::ApiError;

/// The code of every refusal of a parameter.
pub(super) const INVALID: &str = "InvalidParameterException";

/// All secrets of the account, by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) secrets: BTreeMap<String, Stored>,
    /// The ends of recovery windows.
    pub(crate) timers: Timers<()>,
}

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) created: Millis,
    /// When it will be gone, once it is marked for deletion.
    pub(super) deleted: Option<Millis>,
    pub(super) versions: Vec<Version>,
}

/// One version of a secret.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) content: Content,
    pub(super) created: Millis,
    pub(super) stages: BTreeSet<String>,
}

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Versions that Secrets Manager keeps of a secret.
const MOST_VERSIONS: usize = 100;

impl State {
    /// The secret that has this name, this ARN, or this ARN without the random characters at its end.
    pub(super) fn find(&self, id: &str) -> Option<&Stored> {
        self.secrets.get(id).or_else(|| self.secrets.values().find(|secret| secret.is(id)))
    }

    pub(super) fn find_mut(&mut self, id: &str) -> Result<&mut Stored, ApiError> {
        let name = self.find(id).map(|secret| secret.name.clone()).unwrap_or_default();
        self.secrets.get_mut(&name).ok_or_else(no_secret)
    }

    pub(crate) fn forget_deleted(&mut self, now: Millis) {
        self.secrets.retain(|_, secret| secret.deleted.is_none_or(|at| at > now));
    }
}

impl Stored {
    fn is(&self, arn: &str) -> bool {
        self.arn == arn || self.arn.rsplit_once('-').is_some_and(|(without, _)| without == arn)
    }

    /// Adds a version with these labels, which leave the versions that had them.
    pub(super) fn stage(&mut self, mut version: Version, stages: &BTreeSet<String>) {
        let was_current = self.versions.iter().position(|version| version.stages.contains(CURRENT));
        for version in &mut self.versions {
            version.stages.retain(|stage| !stages.contains(stage));
        }
        if stages.contains(CURRENT)
            && let Some(index) = was_current
        {
            for version in &mut self.versions {
                version.stages.remove(PREVIOUS);
            }
            self.versions[index].stages.insert(PREVIOUS.to_owned());
        }
        version.stages.clone_from(stages);
        self.versions.push(version);
        // Versions without a label are the first to be forgotten.
        while self.versions.len() > MOST_VERSIONS {
            let unlabelled = self.versions.iter().position(|version| version.stages.is_empty());
            self.versions.remove(unlabelled.unwrap_or(0));
        }
    }
}

pub(super) fn no_secret() -> ApiError {
    not_found("Secrets Manager can't find the specified secret.")
}

pub(super) fn not_found(text: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", text)
}
