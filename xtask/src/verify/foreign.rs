//! Does a service still run the release's revision? A complete deployment of somebody else's is no proof of ours.

use std::collections::BTreeMap;

use deploy::model::{ServiceKey, arn_name};
use deploy::verify::{Lack, Reading};

/// So many readings in a row must show another revision: reads are not monotone (ECS API, "eventual consistency"), and one that is
/// older than our deployment shows what ours replaced.
const LOOKS: u32 = 3;

/// What the readings of one proof have shown.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    /// When our deployment was made, in milliseconds since the Unix epoch.
    ours_ms: BTreeMap<ServiceKey, u64>,
    looks: BTreeMap<ServiceKey, u32>,
}

pub(super) enum Look {
    Ours,
    /// Another one, perhaps: to be read once more.
    Again(Lack),
    /// Another one, in a sentence.
    Theirs(String),
}

impl Foreign {
    pub(super) fn look(&mut self, key: &ServiceKey, ours: &str, reading: &Reading) -> Look {
        let Some(primary) = reading.service.deployments.first() else { return Look::Ours };
        if primary.task_definition == ours {
            self.looks.remove(key);
            self.ours_ms.insert(key.clone(), primary.created_ms);
            return Look::Ours;
        }
        let (name, ours) = (arn_name(&primary.task_definition), arn_name(ours));
        let looks = self.looks.entry(key.clone()).or_default();
        // Older than ours: a late reply, however often it comes.
        *looks += u32::from(self.ours_ms.get(key).is_none_or(|made| primary.created_ms > *made));
        match *looks < LOOKS {
            true => Look::Again(Lack { text: format!("{key} runs {name}, not {ours}"), passing: true }),
            false => Look::Theirs(format!(
                "{key}: somebody deployed {name}; {ours} of this release does not run any more"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use deploy::rollout::{DeploymentSnapshot, ServiceSnapshot};

    use super::*;

    fn reading(revision: &str, created_ms: u64) -> Reading {
        let deployment = DeploymentSnapshot {
            task_definition: revision.into(),
            created_ms,
            ..DeploymentSnapshot::default()
        };
        let service = ServiceSnapshot { deployments: vec![deployment], ..ServiceSnapshot::default() };
        Reading { service, ..Reading::default() }
    }

    #[test]
    fn a_late_reply_supersedes_nothing_and_a_newer_revision_does_after_some_looks() {
        let key = ServiceKey("backend".to_owned());
        let mut foreign = Foreign::default();
        let mut looked = |revision, at| match foreign.look(&key, "td/web:2", &reading(revision, at)) {
            Look::Ours => "ours",
            Look::Again(_) => "again",
            Look::Theirs(_) => "theirs",
        };
        assert_eq!(looked("td/web:2", 5_000), "ours");
        for _ in 0..9 {
            assert_eq!(looked("td/web:1", 1_000), "again");
        }
        assert_eq!([(); 3].map(|()| looked("td/web:3", 9_000)), ["again", "again", "theirs"]);
        assert_eq!(looked("td/web:2", 5_000), "ours");
        assert_eq!(looked("td/web:3", 9_000), "again", "in a row");
    }
}
