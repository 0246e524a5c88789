//! When what happened, as a mermaid Gantt chart.

use crate::event::{Event, Kind, Phase};

/// A bar of the chart.
struct Bar {
    section: String,
    name: String,
    from_ms: u64,
    to_ms: u64,
    failed: bool,
}

/// The chart's text; `None` when nothing took any time.
pub(super) fn timeline(events: &[Event]) -> Option<String> {
    let end = events.last()?.at_ms;
    let bars: Vec<Bar> = phases(events, end).into_iter().chain(rolls(events, end)).collect();
    // A plan takes time too, of which nothing is seen from outside.
    if bars.is_empty()
        || !events.iter().any(|it| matches!(it.kind, Kind::Following { .. } | Kind::StepEnded { .. }))
    {
        return None;
    }
    let mut text = "gantt\n  dateFormat x\n  axisFormat %M:%S\n".to_owned();
    let mut section = "";
    for bar in &bars {
        if bar.section != section {
            section = &bar.section;
            text.push_str(&format!("  section {}\n", plain(section)));
        }
        let mark = if bar.failed { "crit, " } else { "" };
        text.push_str(&format!("  {} :{mark}{}, {}\n", plain(&bar.name), bar.from_ms, bar.to_ms));
    }
    Some(text)
}

/// Each phase from its beginning to the next one's.
fn phases(events: &[Event], end: u64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for event in events {
        let Kind::PhaseBegan { phase, about } = &event.kind else { continue };
        if let Some(last) = bars.last_mut() {
            last.to_ms = event.at_ms;
        }
        // A stage of the plan is known by its name.
        let name = if *phase == Phase::Apply { about.clone() } else { phase.word().to_owned() };
        bars.push(Bar {
            section: "release".to_owned(),
            name,
            from_ms: event.at_ms,
            to_ms: end,
            failed: false,
        });
    }
    bars
}

/// Each deployment from its beginning to its verdict.
fn rolls(events: &[Event], end: u64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for event in events {
        match &event.kind {
            Kind::Following { service, revision, .. } => bars.push(Bar {
                section: service.0.clone(),
                name: revision.clone(),
                from_ms: event.at_ms,
                to_ms: end,
                failed: false,
            }),
            Kind::Settled { service, verdict, .. } => {
                if let Some(bar) = bars.iter_mut().rev().find(|bar| bar.section == service.0) {
                    bar.to_ms = event.at_ms;
                    bar.failed = !verdict.outcome.is_success();
                }
            }
            _ => {}
        }
    }
    bars.sort_by(|a, b| (&a.section, a.from_ms).cmp(&(&b.section, b.from_ms)));
    bars
}

/// A colon would end the name, a semicolon or a number sign the line.
fn plain(text: &str) -> String {
    text.replace([':', ';', '#', ','], " ")
}
