//! The tag that people read in the registry. Nothing is ever deployed by it: deploys are by digest.

use deploy::model::{ImageDigest, Release};

/// A tag, and one to take instead when the first is another image's for good.
///
/// The second is needed because one commit can honestly give two images: another compiler or C library gives
/// other bytes. In a repository with immutable tags the second build could otherwise never be released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    /// A tag that no other image can have.
    pub otherwise: Option<String>,
}

/// The tag of the image `digest` of `release`: the commit's first twelve digits; with `-dirty-` and the digest's
/// first twelve when the work tree had changes; `untracked-` and the digest's outside a checkout.
pub fn tag_for(release: &Release, digest: &ImageDigest) -> Tag {
    let digest = digest.short();
    let Some(commit) = &release.commit else {
        return Tag { name: format!("untracked-{digest}"), otherwise: None };
    };
    let commit: String = commit.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    if release.dirty {
        Tag { name: format!("{commit}-dirty-{digest}"), otherwise: None }
    } else {
        Tag { otherwise: Some(format!("{commit}-{digest}")), name: commit }
    }
}

/// How many images of the same inputs a repository can tell apart. There is more than one where an image was built with
/// `--no-cache`, or by two machines at once; ECR looks up as many tags in one call.
pub const INPUT_TAGS: u32 = 100;

/// The tag by which other machines find the `number`th image (from 1) of the same inputs: the last one counts. Never moved, so that
/// it is the same where tags are immutable; it is another name of an image that is kept anyway, and expires with it.
pub fn inputs_tag(inputs: &str, number: u32) -> String {
    // Forty digits are plenty, and fit where a console shows tags.
    let inputs = inputs.get(..40).unwrap_or(inputs);
    if number == 1 { format!("inputs-{inputs}") } else { format!("inputs-{inputs}-{number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_the_commit_and_never_clashes_where_the_commit_does_not_decide_the_content() {
        let digest = ImageDigest(format!("sha256:{}", "0123456789ab".repeat(5)));
        let commit = Some("3f2a9c1b4d5e6f708192a3b4c5d6e7f801234567");
        let table = [
            (commit, false, "3f2a9c1b4d5e", Some("3f2a9c1b4d5e-0123456789ab")),
            (commit, true, "3f2a9c1b4d5e-dirty-0123456789ab", None),
            (Some("abc"), false, "abc", Some("abc-0123456789ab")),
            (None, false, "untracked-0123456789ab", None),
            (None, true, "untracked-0123456789ab", None),
        ];
        for (commit, dirty, name, otherwise) in table {
            let release = Release {
                id: "20261123-080012-3f2a9c1".to_owned(),
                commit: commit.map(str::to_owned),
                dirty,
                actor: "somebody".to_owned(),
                ..Release::default()
            };
            let tag = tag_for(&release, &digest);
            assert_eq!(
                (tag.name.as_str(), tag.otherwise.as_deref()),
                (name, otherwise),
                "{commit:?} {dirty}"
            );
        }
    }
}
