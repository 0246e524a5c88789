//! A Dockerfile, and the folder that it may copy from, are there.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "dockerfile", about: "A Dockerfile and its context are in the repository.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (is_file, is_folder) = (scope.workspace.is_file, scope.workspace.is_folder);
    for (service, at) in scope.services() {
        let (build, at) = (&service.build, at.key("build"));
        let (file, place) = (build.file(), at.key("dockerfile"));
        if file.is_empty() {
            continue;
        }
        let missing = |what: &str, path: &str| {
            Diagnostic::error(RULE.code, format!("there is no {what} `{path}`"))
                .note("its path is from the top of the workspace")
        };
        if !is_file(file) {
            let folder = is_folder(file);
            let wrong = missing("file", file).at(&place, if folder { "a folder" } else { "no such file" });
            let inside = format!("{}/Dockerfile", file.trim_end_matches('/'));
            let meant = [inside, format!("{}/Dockerfile", service.key), "Dockerfile".to_owned()];
            found.push(match meant.into_iter().find(|path| is_file(path)) {
                Some(meant) => wrong.replace(&place, format!("\"{meant}\""), format!("there is `{meant}`")),
                None => wrong,
            });
        }
        if at.key("context").written() && !is_folder(&build.context) {
            found.push(missing("folder", &build.context).at(at.key("context"), "no such folder"));
        }
    }
}
