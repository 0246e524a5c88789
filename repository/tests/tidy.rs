//! Holds what the compiler does not: who may import whom, a module doc in every file, files of one screen
//! or a few, and a README, a CHANGELOG and a schema that are there.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the sources must fail"
)]

use std::fs;
use std::path::Path;

use repository::root;

/// Longest file that is still read as a whole.
const MOST_LINES: usize = 400;

/// `in folder` may not mention `words`: the import table of ARCHITECTURE.md.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "xtask/deploy/src",
        &[
            "tokio",
            "aws_sdk",
            "aws_config",
            "aws_smithy",
            "std::fs",
            // An address is a value; a socket is not.
            "std::net::Tcp",
            "std::net::Udp",
            "std::net::ToSocketAddrs",
            "std::process",
            "std::env",
            "SystemTime",
            "Instant",
            "sim::",
            "xtask::",
        ],
    ),
    ("xtask/sim/src", &["aws_sdk", "aws_config", "deploy::"]),
    // The services of the embedded cloud do not know the account, and know only those below them.
    (
        "xtask/sim/src/base",
        &["account::Account", "identity::", "elb::", "ecs::"],
    ),
    (
        "xtask/sim/src/identity",
        &["account::Account", "elb::", "ecs::"],
    ),
    ("xtask/sim/src/ecr", &["account::Account", "ecs::"]),
    ("xtask/sim/src/logs", &["account::Account", "ecs::"]),
    ("xtask/sim/src/ssm", &["account::Account", "ecs::"]),
    (
        "xtask/sim/src/secretsmanager",
        &["account::Account", "ecs::"],
    ),
    ("xtask/sim/src/cloudmap", &["account::Account", "ecs::"]),
    (
        "xtask/sim/src/cloudwatch",
        &["account::Account", "elb::", "ecs::", "scaling::"],
    ),
    (
        "xtask/sim/src/elb",
        &["account::Account", "ecs::", "scaling::"],
    ),
    ("xtask/sim/src/ecs", &["account::Account", "scaling::"]),
    ("xtask/sim/src/scaling", &["account::Account"]),
    (
        "xtask/src/cli",
        &["aws_sdk", "aws_config", "std::process::Command", "std::env"],
    ),
    (
        "xtask/src/observe",
        &["crate::cli", "crate::report::Screen", "aws_sdk", "println!"],
    ),
    (
        "xtask/src/apply",
        &["crate::cli", "crate::report::Screen", "aws_sdk", "println!"],
    ),
    (
        "xtask/src/settle",
        &["crate::cli", "crate::report::Screen", "aws_sdk", "println!"],
    ),
    (
        "xtask/src/verify",
        &["crate::cli", "crate::report::Screen", "aws_sdk", "println!"],
    ),
    (
        "xtask/src/exec",
        &[
            "crate::cli",
            "crate::report",
            "aws_sdk",
            "crate::apply",
            "println!",
        ],
    ),
    (
        "xtask/src/one_off",
        &["crate::cli", "crate::report", "aws_sdk", "println!"],
    ),
    (
        "xtask/src/logs",
        &[
            "crate::cli",
            "crate::report",
            "aws_sdk",
            "crate::apply",
            "println!",
        ],
    ),
    (
        "xtask/src/image",
        &["crate::cli", "crate::report", "aws_sdk", "crate::apply"],
    ),
    (
        "xtask/src/aws",
        &[
            "crate::cli",
            "crate::report",
            "crate::apply",
            "crate::settle",
            "crate::verify",
        ],
    ),
    (
        "xtask/src/host",
        &[
            "crate::aws",
            "crate::cli",
            "crate::report",
            "crate::image",
            "crate::apply",
            "aws_sdk",
            "deploy::",
        ],
    ),
    (
        "xtask/src/report",
        &[
            "crate::aws",
            "crate::cli",
            "crate::image",
            "crate::apply",
            "aws_sdk",
        ],
    ),
];

/// `words` may stand in `folder` only (within the tool's three crates, tests apart).
const RESERVED: &[(&str, &str)] = &[
    ("aws_sdk_", "xtask/src/aws"),
    ("aws_config::", "xtask/src/aws"),
    ("xshell::", "xtask/src/host"),
    ("std::env::", "xtask/src/host"),
    ("process::Command", "xtask/src/host"),
];

/// All Rust files below `folder`, as paths from the root with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn is_test(path: &str, text: &str, at: usize) -> bool {
    path.contains("tests")
        || text[..at].contains("#[cfg(test)]\nmod tests {")
        || path.contains("/stories/")
}

/// Places where `word` is written in code: not in comments, not in tests.
fn mentions(path: &str, text: &str, word: &str) -> Vec<String> {
    text.match_indices(word)
        .filter(|(at, _)| {
            let line = text[..*at].rfind('\n').map_or(0, |newline| newline + 1);
            let before = &text[line..*at];
            let part_of_a_longer_name = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            !before.contains("//") && !part_of_a_longer_name && !is_test(path, text, *at)
        })
        .map(|(at, _)| format!("{path}:{}: {word}", text[..at].matches('\n').count() + 1))
        .collect()
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent: Vec<_> = ["xtask", "backend", "frontend", "repository"]
        .into_iter()
        .flat_map(sources)
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        silent,
        Vec::<String>::new(),
        "files without a module doc on their first line"
    );
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<_> = ["xtask", "backend", "frontend", "repository"]
        .into_iter()
        .flat_map(sources)
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    assert_eq!(long, [], "files over {MOST_LINES} lines");
}

#[test]
fn no_module_reaches_up_or_around_the_seam() {
    let mut broken = Vec::new();
    for (folder, words) in FORBIDDEN {
        for (path, text) in sources(folder) {
            broken.extend(words.iter().flat_map(|word| mentions(&path, &text, word)));
        }
    }
    assert_eq!(
        broken,
        Vec::<String>::new(),
        "see the import table in ARCHITECTURE.md"
    );
}

/// Whoever else named the embedded cloud would deploy to it by another way than to AWS.
#[test]
fn nothing_that_deploys_knows_the_embedded_cloud() {
    // The verbs and `local` start and stop it, the forecast rehearses on it; the last is for tests.
    let may = ["cli/", "local/", "forecast/", "aws/rehearsal.rs"]
        .map(|place| format!("xtask/src/{place}"));
    let named: Vec<_> = sources("xtask/src")
        .iter()
        .filter(|(path, _)| !may.iter().any(|place| path.starts_with(place)))
        .flat_map(|(path, text)| mentions(path, text, "sim::"))
        .collect();
    assert_eq!(named, Vec::<String>::new());
}

#[test]
fn what_touches_the_world_has_one_place() {
    let mut broken = Vec::new();
    for (path, text) in sources("xtask/src") {
        for (word, folder) in RESERVED
            .iter()
            .filter(|(_, folder)| !path.starts_with(folder))
        {
            broken.extend(
                mentions(&path, &text, word)
                    .iter()
                    .map(|place| format!("{place} belongs to {folder}")),
            );
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn no_module_is_named_after_nothing() {
    let vague: Vec<_> = sources("xtask")
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            let stem = Path::new(path).file_stem().unwrap().to_str().unwrap();
            [
                "util", "utils", "common", "manager", "helper", "helpers", "misc",
            ]
            .contains(&stem)
        })
        .collect();
    assert_eq!(vague, Vec::<String>::new());
}

#[test]
fn the_top_level_holds_what_a_visitor_expects() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "Cargo.lock",
        "deploy.toml",
        ".ci/run",
        ".github/workflows/ci.yml",
        ".cargo/config.toml",
    ] {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}

#[test]
fn the_readme_s_exit_codes_are_those_of_the_tool() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (code, meaning) in deploy::event::ExitCode::TABLE {
        let row = format!("| {} | {meaning} |", code.code());
        assert!(readme.contains(&row), "README.md lacks the row `{row}`");
    }
}

#[test]
fn every_dependency_of_the_tool_has_its_reason() {
    let manifest = fs::read_to_string(root().join("xtask/Cargo.toml")).unwrap();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let dependencies = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let missing: Vec<_> = dependencies
        .lines()
        .filter_map(|line| {
            line.split(['.', ' ', '='])
                .next()
                .filter(|name| !name.is_empty() && !name.starts_with('#'))
        })
        .filter(|name| !architecture.contains(&format!("`{name}`")))
        .collect();
    assert_eq!(
        missing,
        Vec::<&str>::new(),
        "ARCHITECTURE.md, Dependencies, does not say why these are there"
    );
}

/// Cargo refuses a workspace with a member that was not copied into the image's first stage.
#[test]
fn a_new_member_of_the_workspace_is_in_the_dockerfiles() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = workspace.split("members = [").nth(1).unwrap();
    let members = members.split("]\ndefault-members").next().unwrap();
    let lines = members
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let members: Vec<_> = lines
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .collect();
    assert!(members.contains(&"backend"), "{members:?}");
    let ignored = fs::read_to_string(root().join(".dockerignore")).unwrap();
    let sent = |member: &str| {
        let root = member.split('/').next().unwrap();
        let lines = [format!("!{member}/Cargo.toml"), format!("!{root}")];
        ignored
            .lines()
            .any(|line| lines.iter().any(|it| it == line))
    };
    let unsent: Vec<_> = members.iter().filter(|member| !sent(member)).collect();
    assert!(unsent.is_empty(), ".dockerignore holds back {unsent:?}");
    for file in ["backend/Dockerfile", "frontend/Dockerfile"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for member in &members {
            let copied = format!("COPY {member}/Cargo.toml {member}/\n");
            assert!(text.contains(&copied), "{file} lacks the member {member}");
        }
    }
}
