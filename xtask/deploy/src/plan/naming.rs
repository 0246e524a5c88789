//! Names that the plan derives: tags of a release, tokens of a creation.

use std::collections::BTreeMap;

use crate::history::{BEFORE_ROLL, CRASHED, PROVEN};
use crate::model::{Owner, Release, reserved_tag, tag_text};

/// Tags that this tool writes to each new revision.
const OURS: [&str; 11] = [
    "app",
    "environment",
    "managed-by",
    "release",
    "dirty",
    "actor",
    "commit",
    "committed",
    PROVEN,
    CRASHED,
    BEFORE_ROLL,
];

/// The tags that a revision carries. They are the release record: who released which commit.
///
/// Tag values hold letters, digits, spaces and `+-=._:/@`, at most 256 of them (ECS API,
/// Tag); anything else becomes `_`.
pub fn release_tags(owner: &Owner, release: &Release) -> BTreeMap<String, String> {
    let mut tags = owner.tags();
    tags.extend([
        ("release".to_owned(), clean(&release.id)),
        ("dirty".to_owned(), release.dirty.to_string()),
        ("actor".to_owned(), clean(&release.actor)),
    ]);
    if let Some(commit) = &release.commit {
        tags.insert("commit".to_owned(), clean(commit));
    }
    if let Some(committed) = release.committed {
        tags.insert("committed".to_owned(), committed.to_string());
    }
    tags
}

/// The tags of a revision that the next one gets too: with `propagateTags` the bill is split by them. AWS refuses to
/// be given its own, `aws:…`.
pub fn kept_tags(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let theirs = |key: &str, value: &str| !OURS.contains(&key) && !reserved_tag(key) && !reserved_tag(value);
    tags.iter()
        .filter(|(key, value)| theirs(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn clean(text: &str) -> String {
    tag_text(text, 256)
}

/// CreateService's `clientToken`: at most 36 characters, the same for the same service in the same release,
/// so that a retry after a lost reply creates nothing twice.
pub fn client_token(release: &Release, service: &str) -> String {
    token(&format!("{}/{service}", release.id))
}

/// RunTask's `clientToken`, the same for the same attempt to run a revision's task, whoever makes it.
pub fn task_token(revision: &str, attempt: usize) -> String {
    token(&format!("{revision}/{attempt}"))
}

fn token(of: &str) -> String {
    // FNV-1a: stable over builds, which std's hasher does not promise.
    let hash = |seed: u64| {
        of.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x8422_2325_cbf2_9ce4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(actor: &str) -> Release {
        Release { id: "r1".into(), actor: actor.into(), ..Release::default() }
    }

    #[test]
    fn a_run_url_with_a_query_is_no_validation_error() {
        let tags = release_tags(
            &Owner { app: "ielts".into(), environment: "prod".into() },
            &release("https://ci/run?id=1"),
        );
        assert_eq!(tags["actor"], "https://ci/run_id=1");
    }

    #[test]
    fn a_token_fits_and_differs_between_services() {
        let (one, two) = (client_token(&release("a"), "backend"), client_token(&release("a"), "frontend"));
        assert_ne!(one, two);
        assert_eq!(one, client_token(&release("b"), "backend"));
        assert!(one.len() <= 36);
    }
}
