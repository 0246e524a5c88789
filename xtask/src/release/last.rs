//! The last reading of a proven release: what the closing table shows is what the closing sentence says.

use deploy::event::{ExitCode, Kind};
use deploy::model::Service;
use deploy::verify::Reading;

use super::parked::parked;

use super::{Ending, Planned, ReleaseContext};
use crate::verify::{self, Running, Wanted};

/// How often the table is read before a release is left to somebody who changes it again and again.
const READINGS: usize = 3;

/// Reads again what the proof read, unless that was a moment ago, and makes the table from that. What somebody else started since
/// the proof is waited for, as during it.
pub(super) async fn last_reading(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ending: Ending,
    mut proof: Option<Vec<Reading>>,
) -> Ending {
    let (environment, door) = (context.environment, ending.door.clone());
    let (settled, revisions) = (ending.settled.as_slice(), &ending.revisions);
    let wanted =
        Wanted { desired: &planned.desired, door: &door, settled, revisions, parked: &[], bakes: &[] };
    for _ in 0..READINGS {
        // What cannot be read changes no verdict: it is read once more where the table is shown, with a warning.
        let read = match proof.take() {
            Some(read) => read,
            None => match verify::readings_of(context.aws, &planned.desired, &door, false).await {
                Ok(read) => read,
                Err(_) => return ending,
            },
        };
        // Crashes were judged by the proof, which knows those from before the release.
        let whole = |(service, reading): (&Service, &Reading)| {
            let parked = service.desired_count > 0 && reading.is_parked();
            let primary = reading.service.deployments.first().map(|primary| &primary.task_definition);
            let ours = revisions.get(&service.key).is_none_or(|ours| primary == Some(ours));
            !parked && ours && reading.lacks(&[], 0).is_empty()
        };
        if environment.services.iter().zip(&read).all(whole) {
            return Ending { rows: Some(verify::rows_of(environment, &door, &read)), ..ending };
        }
        let changed = "what runs has changed since it was proven; looking again".to_owned();
        context.events.emit(Kind::Warned { text: changed });
        let (exit, summary) = match verify::running(context.aws, context.events, wanted, None).await {
            Ok(Running::Complete { .. }) => continue,
            Ok(Running::InProgress) => (ExitCode::StillMoving, IN_PROGRESS),
            Ok(Running::Parked) => {
                // Names them, with the command that starts them again.
                if let Err(error) = parked(context, &door).await {
                    context.emit_failure(&error, error.hint());
                }
                (ExitCode::Unknown, "proven, and scaled to 0 by hand since")
            }
            Ok(Running::Superseded(_)) => {
                (ExitCode::Superseded, "proven; a newer deployment took over since")
            }
            Ok(Running::Refuted) => (ExitCode::Unknown, "proven, and not complete any more"),
            Err(error) => {
                context.emit_failure(&error, error.hint());
                (ExitCode::Unknown, "proven; what runs now could not be read")
            }
        };
        return Ending { exit, summary: summary.to_owned(), ..ending };
    }
    Ending { exit: ExitCode::StillMoving, summary: IN_PROGRESS.to_owned(), ..ending }
}

const IN_PROGRESS: &str =
    "proven; a deployment or tasks that somebody else started since are still in progress";
