//! `secrets` says where a secret is kept, never the secret.
//!
//! Source: ECS API, Secret.valueFrom: the ARN of a Secrets Manager secret or SSM parameter, or the
//! parameter's name. Of names only hierarchical ones (`/app/prod/key`) are taken here: a name without a slash
//! looks just like a password that somebody pasted.

use super::{Diagnostic, Rule, Scope};
use crate::redact::secret_reference;

pub(super) const RULE: Rule = Rule {
    code: "secret-reference",
    about: "`secrets` says where a secret is kept, never the secret.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        for (name, reference) in &service.container.secrets {
            let at = at.key("container.secrets").key(name);
            let arn = reference.starts_with("arn:");
            let store =
                reference.split(':').nth(2).is_some_and(|store| ["secretsmanager", "ssm"].contains(&store));
            let wrong = |label: &str| {
                Diagnostic::error(RULE.code, format!("`{}` does not say where the secret is kept", name))
                    .at(&at, label)
                    .note(
                        "it takes the ARN of a Secrets Manager secret or SSM parameter, or the parameter's \
                         name with a leading slash",
                    )
            };
            if arn && !store {
                found.push(wrong("an ARN of something else"));
            } else if !secret_reference(reference) {
                found.push(wrong("neither an ARN nor `/a/parameter/name`"));
            }
        }
    }
}
