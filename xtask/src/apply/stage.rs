//! One stage: all its lanes at once, on one thread.

use deploy::event::Kind;
use deploy::plan::{Lane, Stage};
use futures_util::future::join_all;

use super::StepContext;
use super::step::{self, StepError};

/// Steps that failed, in the order of their lanes. The other lanes were carried to their end.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(|(step, error)| format!("{step}: {error}")).collect::<Vec<_>>().join("; "))]
pub struct Failed(pub Vec<(String, StepError)>);

impl Failed {
    /// What mends the first that says so.
    pub fn hint(&self) -> Option<String> {
        self.0.iter().find_map(|(_, error)| error.hint())
    }
}

/// Carries out a stage's lanes. A failing step ends its lane; the other lanes continue, because a half-carried
/// lane is the harder one to explain, and a rerun plans only what is left.
///
/// # Errors
/// [`Failed`] with every step that failed.
pub async fn stage(context: &StepContext<'_>, stage: &Stage) -> Result<(), Failed> {
    let results = join_all(stage.lanes.iter().map(|lane| carry(context, lane))).await;
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failed(failed)) }
}

async fn carry(context: &StepContext<'_>, lane: &Lane) -> Result<(), (String, StepError)> {
    for step in &lane.steps {
        let (name, title) = (lane.name.clone(), step.action.title());
        context.events.emit(Kind::StepBegan { lane: name.clone(), step: title.clone() });
        let mark = context.events.clock().mark();
        let done = step::carry_out(context, &step.action).await;
        // A call whose reply was lost may have been carried out: only a plain refusal is known to have changed nothing.
        if step.action.changes_what_serves() && !matches!(&done, Err(error) if error.is_refusal()) {
            context.ids.learn(|ids| ids.changed = true);
        }
        match done {
            Ok(result) => context.events.emit(Kind::StepEnded {
                lane: name,
                step: title,
                result,
                elapsed_ms: mark.elapsed_ms(),
            }),
            Err(error) => {
                context.events.emit(Kind::StepFailed {
                    lane: name,
                    step: title.clone(),
                    error: error.to_string(),
                });
                return Err((title, error));
            }
        }
    }
    Ok(())
}
