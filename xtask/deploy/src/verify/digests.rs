//! Compares the images that run with the image that was pushed.

use serde::Serialize;

use crate::model::ImageDigest;
use crate::rollout::TaskSnapshot;

/// A running task that does not run the wanted image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Mismatch {
    pub task: String,
    /// The digest that it runs; `None` when ECS does not report it.
    pub runs: Option<ImageDigest>,
}

/// The running tasks whose container `container` does not run `wanted`. A digest that ECS does not report is
/// no proof, so such a task counts.
pub fn mismatches(tasks: &[TaskSnapshot], container: &str, wanted: &ImageDigest) -> Vec<Mismatch> {
    tasks
        .iter()
        .filter(|task| task.is_running() && task.desired_status == "RUNNING")
        .map(|task| {
            let found = task.containers.iter().find(|entry| entry.name == container);
            Mismatch { task: task.id.clone(), runs: found.and_then(|entry| entry.digest.clone()) }
        })
        .filter(|task| task.runs.as_ref() != Some(wanted))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::ContainerSnapshot;

    fn task(id: &str, status: &str, digest: Option<&str>) -> TaskSnapshot {
        let digest = digest.map(|text| ImageDigest(text.into()));
        TaskSnapshot {
            id: id.into(),
            last_status: status.into(),
            desired_status: "RUNNING".into(),
            containers: vec![ContainerSnapshot { name: "backend".into(), digest, ..Default::default() }],
            ..Default::default()
        }
    }

    #[test]
    fn a_moving_tag_or_an_untold_digest_is_no_proof() {
        let tasks = [
            task("a", "RUNNING", Some("new")),
            task("b", "RUNNING", Some("old")),
            task("c", "RUNNING", None),
        ];
        let found: Vec<_> = mismatches(&tasks, "backend", &ImageDigest("new".into()))
            .into_iter()
            .map(|task| task.task)
            .collect();
        assert_eq!(found, ["b", "c"]);
    }

    #[test]
    fn tasks_on_their_way_out_are_not_judged() {
        assert_eq!(
            mismatches(&[task("a", "DEACTIVATING", Some("old"))], "backend", &ImageDigest("new".into())),
            []
        );
    }
}
