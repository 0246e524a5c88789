//! The last reading of a proven release: what the closing table shows is what the closing sentence says.

use deploy::event::{ExitCode, Kind, ServiceRow};
use deploy::model::Service;

use super::prove::parked;
use super::{Ending, Ground, Planned};
use crate::verify::{self, Running};

/// How often the table is read before a release is left to somebody who changes it again and again.
const READINGS: usize = 3;

/// Reads the rows of the table. What somebody else began since the proof is waited for, as during it.
pub(super) async fn last_reading(ground: &Ground<'_>, planned: &Planned, ending: Ending) -> Ending {
    let (environment, door) = (ground.environment, ending.door.clone());
    for _ in 0..READINGS {
        // A table that cannot be read changes no verdict: it is read once more where it is shown, with a warning.
        let Ok(rows) = verify::rows(ground.aws, environment, &door).await else { return ending };
        let whole = |(service, row): (&Service, &ServiceRow)| {
            verify::is_complete(row) && (row.desired > 0 || service.desired_count == 0)
        };
        if environment.services.iter().zip(&rows).all(whole) {
            return Ending { rows: Some(rows), ..ending };
        }
        let changed = "what runs has changed since it was proven; looking again".to_owned();
        ground.events.emit(Kind::Warned { text: changed });
        let (exit, summary) =
            match verify::running(ground.aws, ground.events, &planned.desired, &door, &[], &[]).await {
                Ok(Running::Complete { .. }) => continue,
                Ok(Running::InProgress) => (ExitCode::StillMoving, IN_PROGRESS),
                Ok(Running::Parked) => {
                    // Names them, with the command that starts them again.
                    let _ = parked(ground, &door).await;
                    (ExitCode::Unknown, "proven, and scaled to 0 by hand since")
                }
                Ok(Running::Refuted) => (ExitCode::Unknown, "proven, and not complete any more"),
                Err(error) => {
                    ground.events.emit(Kind::Failed { error: error.to_string(), hint: error.hint() });
                    (ExitCode::Unknown, "proven; what runs now could not be read")
                }
            };
        return Ending { exit, summary: summary.to_owned(), ..ending };
    }
    Ending { exit: ExitCode::StillMoving, summary: IN_PROGRESS.to_owned(), ..ending }
}

const IN_PROGRESS: &str =
    "proven; a deployment or tasks that somebody else started since are still in progress";
