//! What later steps of a job can use.

use crate::event::{Event, Kind};

/// `name=value` lines for the file that `GITHUB_OUTPUT` names: `release-id`, `url`, and `digest-<service>` for each service,
/// by its key in deploy.toml, whose tasks run one image.
pub fn outputs(events: &[Event]) -> String {
    let mut lines = Vec::new();
    let mut put = |name: &str, value: &str| {
        // A value of more lines would need a delimiter; none of these has any.
        if !value.is_empty() && !value.contains('\n') {
            lines.push(format!("{name}={value}\n"));
        }
    };
    for event in events {
        match &event.kind {
            Kind::Began { release: Some(release), .. } => put("release-id", release),
            Kind::Table { rows, url, .. } => {
                put("url", url.as_deref().unwrap_or_default());
                for row in rows {
                    let digest = row.digest.as_ref().map(ToString::to_string).unwrap_or_default();
                    put(&format!("digest-{}", row.key), &digest);
                }
            }
            _ => {}
        }
    }
    lines.concat()
}
