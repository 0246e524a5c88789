//! Every rule of `deploy.toml` against a file that breaks it and one that does not.
//!
//! Fixtures are fragments: `tests/fixtures/config/rules/CODE/{bad,good}.toml`, and `bad.snap` with the
//! expected text (`INSTA_UPDATE=always cargo test -p deploy` writes it anew; read the diff).

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixture has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use deploy::config::{self, Report};
use serde_json::Value;

/// Findings that every fragment has: it lacks most of the keys, and the default size is the smallest.
const INCOMPLETE: [&str; 3] = ["missing-key", "route-none", "connect-size"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config/rules")
}

/// Everything that is said of a fragment, its being a fragment aside.
fn judge(code: &str, file: &str) -> Report {
    let mut text = std::fs::read_to_string(fixtures().join(code).join(file)).unwrap();
    if config::environments(&text).is_empty() {
        text.push_str("\n[env.test]\nkind = \"local\"\n");
    }
    let env = config::environments(&text).remove(0);
    let packages = || ["backend", "backend_v2-app", "frontend", "worker"].map(str::to_owned).to_vec();
    let folders = [".", "backend", "frontend", "worker"];
    let is_folder = |path: &str| folders.contains(&path);
    let is_file = |path: &str| path.strip_suffix("/Dockerfile").is_some_and(is_folder);
    // The first day of 2026.
    let now_secs = Some(1_767_225_600);
    let workspace =
        config::Workspace { packages: &packages, is_file: &is_file, is_folder: &is_folder, now_secs };
    let mut report = match config::load_in(workspace, "deploy.toml", &text, Some(&env)) {
        Ok(loaded) => loaded.warnings,
        Err(report) => report,
    };
    report.diagnostics.retain(|found| found.code == code || !INCOMPLETE.contains(&found.code));
    report
}

#[test]
fn each_rule_explains_its_bad_fixture_and_says_nothing_else() {
    for code in config::rules() {
        let report = judge(code, "bad.toml");
        let codes: BTreeSet<&str> = report.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, BTreeSet::from([code]), "{code}/bad.toml:\n{report}");
        insta::with_settings!({
            snapshot_path => fixtures().join(code),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("bad", report.render(false));
        });
    }
}

#[test]
fn no_rule_minds_its_good_fixture() {
    for code in config::rules() {
        let report = judge(code, "good.toml");
        assert!(report.is_empty(), "{code}/good.toml:\n{report}");
    }
}

#[test]
fn each_rule_has_a_code_and_fixtures_of_its_own() {
    let mut folders: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(config::rules(), folders, "one folder of fixtures for each rule, and no code twice");
}

#[test]
fn every_place_is_inside_its_file_so_that_annotations_land_on_the_line() {
    for code in config::rules() {
        let lines = std::fs::read_to_string(fixtures().join(code).join("bad.toml")).unwrap().lines().count();
        for found in judge(code, "bad.toml").findings() {
            // Three lines more: the environment that a fragment without one is given.
            assert!((1..=lines + 3).contains(&found.line), "{code}: line {}", found.line);
            assert!(
                (found.line, found.column) < (found.end_line, found.end_column),
                "{code}: an empty place"
            );
        }
    }
}

/// A path that is mistyped in a rule would point at nothing: the mistake would look like a default.
#[test]
fn every_path_that_a_rule_points_at_is_one_of_the_file() {
    let schema: Value = serde_json::from_str(&config::schema()).unwrap();
    let tables = schema["definitions"].as_object().unwrap();
    let keys: BTreeSet<&str> = tables
        .values()
        .filter_map(|table| table["properties"].as_object())
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/rules");
    let mut seen = 0;
    for file in std::fs::read_dir(rules).unwrap() {
        let file = file.unwrap().path();
        let source = std::fs::read_to_string(&file).unwrap();
        for call in [".key(\"", "scope.at(\""] {
            for path in source.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                seen += 1;
                let mut parts = path.split('.');
                // A variable's name and an entry's number are no keys.
                let stranger = parts.find(|part| !keys.contains(part) && *part != "PORT" && *part != "0");
                assert_eq!(stranger, None, "{}: `{path}`", file.display());
            }
        }
    }
    assert!(seen > 90, "{seen} paths");
}
