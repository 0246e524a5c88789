//! Former releases as a table.

use comfy_table::{ContentArrangement, Table, presets};

use super::{age, clock, date, duration, widest};
use crate::history::{Past, Run};
use crate::model::ServiceKey;
use crate::redact;

/// The releases, newest first, without a newline at its end: as a table, or where it is wider than so many columns as a list.
/// `now_ms` is milliseconds since the Unix epoch.
pub fn history(releases: &[Past], services: &[ServiceKey], now_ms: u64, columns: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["release", "outcome", "time (UTC)", "age", "took", "commit"];
    header.extend(services.iter().map(|key| key.0.as_str()));
    header.push("by");
    table.set_header(header);
    let mut list = Vec::new();
    for past in releases {
        let outcome = format!("{}{}", past.fate.words(), if past.migrated { ", migration ran" } else { "" });
        let time = format!("{} {:.8}", date(past.at_ms), clock(past.at_ms));
        let age = age(now_ms.saturating_sub(past.at_ms));
        let took = past.took_ms.map_or_else(|| "-".to_owned(), duration);
        let runs: Vec<_> =
            services.iter().map(|key| past.runs.get(key).map_or_else(|| "-".to_owned(), run)).collect();
        let of: Vec<_> = services.iter().zip(&runs).map(|(key, run)| format!("{key} {run}")).collect();
        list.push(format!(
            "{} {outcome}\n  {time} UTC, {age} ago, took {took}, commit {}, by {}\n  {}",
            past.release,
            commit(past),
            past.actor,
            of.join(", ")
        ));
        let mut row = vec![past.release.clone(), outcome, time, age, took, commit(past)];
        row.extend(runs);
        row.push(past.actor.clone());
        table.add_row(row);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let fits = columns.is_none_or(|columns| widest(&lines.join("\n")) <= columns);
    let (mut shown, rows) =
        if fits { (vec![lines[0].clone()], &lines[1..]) } else { (Vec::new(), &list[..]) };
    for (row, past) in rows.iter().zip(releases) {
        shown.push(row.clone());
        shown.extend(past.reason.as_ref().map(|why| format!("     ECS says: {}", redact::text(why))));
    }
    if releases.iter().flat_map(|past| past.runs.values()).any(|run| !run.own) {
        shown.push(" (N …)   not changed by that release: the service kept revision N".to_owned());
    }
    shown.join("\n")
}

fn commit(past: &Past) -> String {
    let short = past.commit.as_deref().map_or("-", |commit| commit.get(..12).unwrap_or(commit));
    if past.dirty { format!("{short}+") } else { short.to_owned() }
}

/// Revision and image; in brackets what the release left as it was.
fn run(run: &Run) -> String {
    let number = run.revision.rsplit(':').next().unwrap_or_default();
    let digest = run.digest.as_ref().map_or("-", |digest| digest.short());
    if run.own { format!("{number} {digest}") } else { format!("({number} {digest})") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::history::Fate;
    use crate::model::ImageDigest;

    fn past(release: &str, fate: Fate, days: u64, own: bool) -> Past {
        let run = |number: u32, own| Run {
            revision: format!("arn:aws:ecs:r:a:task-definition/f:{number}"),
            digest: Some(ImageDigest(format!("sha256:{}", "a1".repeat(32)))),
            own,
        };
        Past {
            release: release.to_owned(),
            fate,
            proven: true,
            migrated: own,
            at_ms: 1_795_420_812_000 - days * 86_400_000,
            took_ms: own.then_some(72_000),
            reason: (fate == Fate::RolledBack)
                .then(|| "the circuit breaker threshold was exceeded".to_owned()),
            commit: Some("3f2a9c1b4d5e6f708192a3b4c5d6e7f801234567".to_owned()),
            dirty: own,
            actor: "somebody".to_owned(),
            runs: BTreeMap::from([
                (ServiceKey("backend".to_owned()), run(7, true)),
                (ServiceKey("frontend".to_owned()), run(3, own)),
            ]),
        }
    }

    #[test]
    fn a_history_shows_what_ran_when_and_what_became_of_it() {
        let releases = [
            past("20261123-080012-3f2a9c1", Fate::Live, 0, false),
            past("20261121-080012-2222222", Fate::RolledBack, 2, true),
            past("20261120-080012-1111111", Fate::Proven, 3, true),
        ];
        let services = ["backend", "frontend"].map(|name| ServiceKey(name.to_owned()));
        let now_ms = 1_795_420_820_000;
        insta::assert_snapshot!(history(&releases, &services, now_ms, None));
        let narrow = history(&releases[1..2], &services, now_ms, Some(80));
        let expected = [
            "20261121-080012-2222222 rolled back, migration ran",
            "  2026-11-21 08:00:12 UTC, 2 d ago, took 1 min 12 s, commit 3f2a9c1b4d5e+, by somebody",
            "  backend 7 a1a1a1a1a1a1, frontend 3 a1a1a1a1a1a1",
            "     ECS says: the circuit breaker threshold was exceeded",
        ];
        assert_eq!(narrow.lines().collect::<Vec<_>>(), expected);
    }
}
