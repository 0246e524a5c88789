//! An image is made in one way: of a package, or of a Dockerfile.

use super::{Diagnostic, Place, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "build",
    about: "An image is made of a package or of a Dockerfile, and of nothing else.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (build, at) = (&service.build, at.key("build"));
        if build.cargo.is_some() && build.dockerfile.is_some() {
            found.push(
                Diagnostic::error(RULE.code, "two ways to make one image")
                    .at(at.key("cargo"), "a package")
                    .at(at.key("dockerfile"), "a Dockerfile")
                    .help("keep one of the two"),
            );
        }
        if build.dockerfile.is_some() {
            continue;
        }
        let first = |names: &mut dyn Iterator<Item = Place<'_>>| names.next().and_then(|entry| entry.name());
        for place in [
            at.key("context").span(),
            at.key("target").span(),
            at.key("platform").span(),
            first(&mut build.args.keys().map(|name| at.key("args").key(name))),
            first(&mut build.secrets.keys().map(|id| at.key("secrets").key(id))),
            at.key("cache.from.0").or(at.key("cache.to.0")),
            at.key("engine").span(),
        ]
        .into_iter()
        .flatten()
        {
            found.push(
                Diagnostic::error(RULE.code, "this is about a Dockerfile, and there is none")
                    .at(place, "without a `dockerfile`")
                    .note("a package is compiled in one way")
                    .help("name a `dockerfile`, or take it out"),
            );
        }
    }
}
