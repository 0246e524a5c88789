//! A revision is kept to go back to, and that takes its image.
//!
//! Source: ECR, lifecycle policies: images beyond the count expire within a day, whatever refers to them.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "keep-revisions", about: "No more revisions are kept than images.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let Some(revisions) = &service.keep_revisions else { continue };
        let images = &service.repository.value.keep_images;
        if revisions.value > images.value {
            found.push(
                Diagnostic::error(RULE.code, "more revisions are kept than images")
                    .at(revisions, format!("{} revisions to go back to", revisions.value))
                    .at(images, format!("{} images", images.value))
                    .note("a revision whose image has expired starts no task")
                    .help(format!("`repository.keep-images = {}`, or fewer revisions", revisions.value)),
            );
        }
    }
}
