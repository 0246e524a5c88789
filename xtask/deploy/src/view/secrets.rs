//! The secrets that deploy.toml names, as a table. No value is in it.

use comfy_table::{ContentArrangement, Table, presets};

use super::age;
use crate::secrets::SecretState;

/// The table, and below it what somebody should know; without a newline at its end.
pub fn secrets(states: &[SecretState], now_ms: u64) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["service", "variable", "changed", "store", "name"]);
    for SecretState { named, changed_ms, .. } in states {
        let part = named.part.as_ref().map(|part| format!(" ({part})")).unwrap_or_default();
        let changed = changed_ms.map(|changed_ms| age(now_ms.saturating_sub(changed_ms)));
        table.add_row([
            named.service.0.clone(),
            named.variable.clone(),
            changed.map_or_else(|| "missing".to_owned(), |age| format!("{age} ago")),
            named.store.words().to_owned(),
            format!("{}{part}", named.id),
        ]);
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.extend(states.iter().filter_map(SecretState::note).map(|note| format!("\nnote: {note}")));
    lines.join("\n")
}
