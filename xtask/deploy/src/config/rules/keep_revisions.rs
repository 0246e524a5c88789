//! A revision is kept to go back to, and that takes its image.
//!
//! Source: ECR, lifecycle policies: images beyond the count expire within a day, whatever refers to them.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "keep-revisions", about: "No more revisions are kept than images.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (revisions, images) = (service.keep_revisions, service.repository.keep_images);
        if revisions > images {
            found.push(
                Diagnostic::error(RULE.code, "more revisions are kept than images")
                    .at(at.key("keep-revisions"), format!("{} revisions to go back to", revisions))
                    .at(at.key("repository.keep-images"), format!("{} images", images))
                    .note("a revision whose image has expired starts no task")
                    .help(format!("`repository.keep-images = {}`, or fewer revisions", revisions)),
            );
        }
    }
}
