//! What a person sees on a terminal, as files that are reviewed in diffs: a story, and a size of the terminal each.
//!
//! Times are virtual and so the same in every run. Numbers of reads, and ids, which change whenever a call does, are masked.
//! `XTASK_TRANSCRIPTS=write` writes the files anew.

use std::path::Path;

use deploy::event::{Event, ExitCode, Kind, blamed};
use deploy::view::{Detail, fitted};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{FILE, World, story};

/// Columns and rows.
const SIZES: [(usize, usize); 2] = [(80, 24), (120, 40)];

#[test]
fn a_plan_with_changes_reads_well() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.forecasts = true;
        world.environment.services[0].cpu = 1024;
        world.environment.services[0].memory_mib = 2048;
        world.environment.services[1].scaling.as_mut().unwrap().max = 6;
        let planned = world.deploy("v2", "v1").await;
        let plan =
            planned.record.iter().filter(|it| matches!(it.kind, Kind::Planned { .. } | Kind::Forecast(_)));
        shows("plan", |columns| {
            let text = plan.clone().filter_map(|event| fitted(event, Detail::Normal, Some(columns)));
            text.collect::<Vec<_>>().join("\n")
        });
    });
}

#[test]
fn a_mistake_in_the_file_reads_well() {
    let text = FILE.replacen("cpu = 512", "cpu = 500", 1).replacen("desired-count", "replicas", 1);
    let report = deploy::config::load("deploy.toml", &text, Some("prod")).unwrap_err();
    shows("mistake", |columns| report.render_in(false, Some(columns)));
}

#[test]
fn a_first_deploy_and_one_that_fails_read_well_on_small_and_large_terminals() {
    story(async || {
        let mut world = World::new().await;
        let first = world.deploy("v1", "v1").await;
        assert_eq!(first.exit, ExitCode::Done, "{:#?}", first.events);
        let script = Script::crashes(1_500, 3).printing(200, "starting").printing(500, "no DATABASE_URL");
        world.scripts.set("ielts-backend:2", script);
        let failing = world.deploy("v2", "v1").await;
        assert_eq!(failing.exit, ExitCode::Failed, "{:#?}", failing.events);
        let again = world.deploy("v1", "v1").await;
        assert_eq!(again.exit, ExitCode::Done, "{:#?}", again.events);
        for (name, ended) in
            [("first-deploy", &first), ("failing-deploy", &failing), ("nothing-to-change", &again)]
        {
            shows(name, |columns| printed(ended, columns));
        }
        // The cause is there once, below what the undo did.
        let text = printed(&failing, 200);
        assert_eq!(text.matches("exited with code 3").count(), 1, "{text}");
        let last: Vec<&str> = text.lines().rev().take(3).collect();
        assert!(last[2].starts_with("  cause  backend: ") && last[1].starts_with("  remedy "), "{text}");
    });
}

/// Compares what is seen on both sizes with the files of this name.
pub(crate) fn shows(name: &str, text: impl Fn(usize) -> String) {
    for (columns, rows) in SIZES {
        compare(name, &text(columns), (columns, rows));
    }
}

fn compare(name: &str, text: &str, (columns, rows): (usize, usize)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/transcripts");
    let path = folder.join(format!("{name}-{columns}x{rows}.txt"));
    let text = on_screen(text, columns, rows);
    if std::env::var_os("XTASK_TRANSCRIPTS").is_some_and(|it| it == "write") {
        std::fs::write(&path, &text).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = before.lines().zip(text.lines()).position(|(before, now)| before != now);
    assert!(
        before == text,
        "{} differs from line {:?} on; is it better? XTASK_TRANSCRIPTS=write writes it anew:\n{text}",
        path.display(),
        differs.map(|at| at + 1)
    );
}

/// What a deploy prints above the live lines.
fn printed(ended: &Ended, columns: usize) -> String {
    let closing = Kind::Ended {
        exit: ended.exit,
        summary: ended.summary.clone(),
        causes: if ended.exit == ExitCode::Done { Vec::new() } else { blamed(&ended.record) },
        elapsed_ms: ended.secs * 1000,
        reads: 0,
        writes: u32::try_from(ended.writes.len()).unwrap(),
    };
    let closing = Event { seq: 0, at_ms: ended.secs * 1000, kind: closing };
    let live = |event: &&Event| {
        !matches!(event.kind, Kind::PhaseBegan { .. } | Kind::BuildLine { .. } | Kind::Rolling { .. })
    };
    let events = ended.record.iter().filter(live).chain([&closing]);
    let text: Vec<String> = events.filter_map(|event| fitted(event, Detail::Normal, Some(columns))).collect();
    text.join("\n").replace("(0 reads, ", "(").replace(", 0 reads, ", ", N reads, ")
}

/// What scrolled away, and a rule above what is on the screen at the end.
fn on_screen(text: &str, columns: usize, rows: usize) -> String {
    let text = masked(text);
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines {
        // Lines of a file have a bar, and are not broken.
        let long = line.chars().count() > columns && !line.contains(" | ");
        // An ARN has no place to break it.
        let whole = line.split_whitespace().any(|word| word.chars().count() + 20 > columns);
        assert!(!long || whole, "{columns} columns: {line}");
    }
    // The shell's prompt takes the last row.
    let from = lines.len().saturating_sub(rows - 1);
    let rule = format!("{:-^columns$}", " on the screen at the end ");
    [&lines[..from], &[rule.as_str()], &lines[from..], &[""]].concat().join("\n")
}

/// Ids of tasks and deployments.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        // An id alone, and the groups of a UUID after its first.
        let sized = word.len() == 8 || matches!(word.len(), 4 | 12) && out.ends_with("ID-");
        let hex = sized && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = word.len() > 15 && word.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(if hex || number { "ID" } else { &word });
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}
