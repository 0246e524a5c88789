//! What a report suggests is accepted: each replacement, made in the file, takes its mistake away and brings no other.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// What a file's report says, without lines: a replacement moves those.
fn said(text: &str) -> (BTreeSet<(&'static str, String)>, Report) {
    let report = match load_in(workspace(), "deploy.toml", text, None) {
        Ok(loaded) => loaded.warnings,
        Err(report) => report,
    };
    let all = report.diagnostics.iter().map(|found| (found.code, found.message.clone())).collect();
    (all, report)
}

fn workspace() -> Workspace<'static> {
    Workspace {
        packages: &|| ["backend", "backend_v2-app", "frontend", "worker"].map(str::to_owned).to_vec(),
        is_file: &|path| path.ends_with("/Dockerfile"),
        is_folder: &|path| ["backend", "frontend", "."].contains(&path),
        now_secs: None,
    }
}

/// Rules about two values: that which was right may be at fault beside the other one.
const OF_TWO: [&str; 3] = ["dependency-unknown", "exec-role", "fargate-size"];

/// Each mistake of a file that has a fix which does not help, and what is said then.
fn unhelpful(text: &str) -> Vec<String> {
    let (before, report) = said(text);
    let edits = report.diagnostics.iter().filter_map(|found| Some((found, found.edit.as_ref()?)));
    let judge = |(found, edit): (&Diagnostic, &diagnostic::Edit)| {
        let fixed = [&text[..edit.span.start], &edit.text, &text[edit.span.end..]].concat();
        // Two places may have the same mistake: one of them is corrected.
        let count = |report: &Report| {
            report
                .diagnostics
                .iter()
                .filter(|it| (it.code, &it.message) == (found.code, &found.message))
                .count()
        };
        let (after, then) = said(&fixed);
        // The parser stops at the first mistakes of a text that is no TOML.
        let new = after.difference(&before).filter(|(code, _)| !OF_TWO.contains(code));
        let new: Vec<_> = new.filter(|_| found.code != "syntax").collect();
        let is_gone = count(&then) < count(&report);
        (!is_gone || !new.is_empty())
            .then(|| format!("{}: {} → `{}`: {new:?}", found.code, found.message, edit.text))
    };
    edits.filter_map(judge).collect()
}

#[test]
fn every_replacement_that_is_suggested_is_accepted() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let (mut fixes, mut wrong) = (0, Vec::new());
    let rules =
        std::fs::read_dir(fixtures.join("rules")).unwrap().map(|it| it.unwrap().path().join("bad.toml"));
    let files = std::fs::read_dir(fixtures.join("files")).unwrap().map(|it| it.unwrap().path());
    for file in rules.chain(files.filter(|file| file.extension().is_some_and(|it| it == "toml"))) {
        let mut text = std::fs::read_to_string(&file).unwrap();
        if environments(&text).is_empty() {
            text.push_str("\n[env.test]\nkind = \"local\"\n");
        }
        if !text.contains("default-env") {
            text.insert_str(0, &format!("default-env = \"{}\"\n", environments(&text).remove(0)));
        }
        fixes += said(&text).1.diagnostics.iter().filter(|found| found.edit.is_some()).count();
        wrong.extend(unhelpful(&text).into_iter().map(|it| format!("{}: {it}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fixes > 60, "{fixes} fixes");
}
