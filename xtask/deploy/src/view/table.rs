//! The closing table.

use comfy_table::{ContentArrangement, Table, presets};

use crate::event::ServiceRow;

/// The services as a table, without a newline at its end.
pub fn table(rows: &[ServiceRow]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["service", "status", "tasks", "deployments", "revision", "digest", "targets", "url"]);
    for row in rows {
        table.add_row([
            row.service.clone(),
            row.status.clone(),
            format!("{}/{}", row.running, row.desired),
            format!("{} {}", row.deployments, row.rollout),
            row.revision.clone(),
            row.digest.as_ref().map_or_else(|| "-".to_owned(), |digest| digest.short().to_owned()),
            row.targets.clone(),
            row.url.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The same for a narrow screen: some lines for each service, without a newline at its end.
pub fn list(rows: &[ServiceRow]) -> String {
    let service = |row: &ServiceRow| {
        let tasks = format!("{}/{} tasks, {} {}", row.running, row.desired, row.deployments, row.rollout);
        let digest = row.digest.as_ref().map(|digest| format!(" {}", digest.short())).unwrap_or_default();
        let url = row.url.as_ref().map(|url| format!("\n  {url}")).unwrap_or_default();
        format!("{}\n  {} {tasks}\n  {}{digest}, {}{url}", row.service, row.status, row.revision, row.targets)
    };
    rows.iter().map(service).collect::<Vec<_>>().join("\n")
}

/// The line below the table: where the services are reached, and whether that was tried.
pub fn address(url: &str, unasked: Option<&str>) -> String {
    match unasked {
        Some(why) => format!("{url} (not asked from here: {why})"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImageDigest, ServiceKey};

    #[test]
    fn the_closing_table_shows_what_the_owner_checks_by_hand() {
        let live = ServiceRow {
            key: ServiceKey("backend".into()),
            service: "ielts-backend-service".into(),
            status: "ACTIVE".into(),
            running: 2,
            desired: 2,
            deployments: 1,
            rollout: "COMPLETED".into(),
            revision: "ielts-backend:7".into(),
            digest: Some(ImageDigest(format!("sha256:{}", "a1".repeat(32)))),
            targets: "2/2 healthy".into(),
            url: Some("http://127.0.0.1:8088/api/*".into()),
            console: None,
        };
        let missing = ServiceRow {
            service: "ielts-frontend-service".into(),
            status: "MISSING".into(),
            ..ServiceRow::default()
        };
        insta::assert_snapshot!(table(&[live, missing]));
    }
}
