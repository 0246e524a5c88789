//! An image is made in one way: of a package, or of a Dockerfile.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "build",
    about: "An image is made of a package or of a Dockerfile, and of nothing else.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let build = &service.build.value;
        if let (Some(cargo), Some(dockerfile)) = (&build.cargo, &build.dockerfile) {
            found.push(
                Diagnostic::error(RULE.code, "two ways to make one image")
                    .at(cargo, "a package")
                    .at(dockerfile, "a Dockerfile")
                    .help("keep one of the two"),
            );
        }
        if build.dockerfile.is_some() {
            continue;
        }
        let mut alone = |message: Diagnostic| {
            found.push(
                message.note("a package is compiled in one way").help("name a `dockerfile`, or take it out"),
            );
        };
        let text = "this is about a Dockerfile, and there is none";
        for setting in [&build.context, &build.target, &build.platform].into_iter().flatten() {
            alone(Diagnostic::error(RULE.code, text).at(setting, "without a `dockerfile`"));
        }
        if let Some((name, _)) = build.args.iter().next() {
            alone(Diagnostic::error(RULE.code, text).at(name, "without a `dockerfile`"));
        }
        if let Some((id, _)) = build.secrets.iter().next() {
            alone(Diagnostic::error(RULE.code, text).at(id, "without a `dockerfile`"));
        }
        if let Some(entry) = build.cache.value.from.iter().chain(&build.cache.value.to).next() {
            alone(Diagnostic::error(RULE.code, text).at(entry, "without a `dockerfile`"));
        }
        if let Some(engine) = &build.engine {
            alone(Diagnostic::error(RULE.code, text).at(engine, "without a `dockerfile`"));
        }
    }
}
