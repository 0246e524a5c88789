//! The workflows: of GitHub's schema, without rights or logic of their own, and of nobody's moving tag.
#![expect(
    clippy::unwrap_used,
    reason = "a workflow that cannot be read must fail"
)]

use std::fs;

use github_actions_models::common::expr::BoE;
use github_actions_models::common::{Permission, Permissions};
use github_actions_models::workflow::job::{NormalJob, Step};
use github_actions_models::workflow::{Concurrency, Job, Workflow};
use repository::root;

/// Each workflow: its file's name, its text, and what it means.
fn workflows() -> Vec<(String, String, Workflow)> {
    let folder = root().join(".github/workflows");
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let (name, text) = (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            );
            let workflow =
                yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, text, workflow)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn jobs(workflow: &Workflow) -> impl Iterator<Item = &NormalJob> {
    workflow.jobs.values().filter_map(|job| match job {
        Job::NormalJob(job) => Some(&**job),
        Job::ReusableWorkflowCallJob(_) => None,
    })
}

fn granted(permissions: &Permissions) -> Vec<(&str, bool)> {
    match permissions {
        Permissions::Explicit(all) => all
            .iter()
            .map(|(name, permission)| (name.as_str(), *permission == Permission::Write))
            .collect(),
        Permissions::Base(base) => panic!("{base:?} instead of what is needed"),
    }
}

#[test]
fn the_three_workflows_are_there_and_of_githubs_schema() {
    let names: Vec<_> = workflows().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["ci.yml", "release.yml", "smoke.yml"]);
}

#[test]
fn an_action_whose_tag_is_moved_does_not_run_here() {
    for (name, text, _) in workflows() {
        let foreign = |line: &&str| line.contains("uses:") && !line.contains("uses: ./");
        for line in text.lines().filter(foreign) {
            let (action, version) = line
                .split_once(" # ")
                .unwrap_or_else(|| panic!("{name}: no version beside {line}"));
            let commit = action.rsplit('@').next().unwrap();
            assert!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{name}: {line}"
            );
            assert!(version.starts_with('v'), "{name}: {line}");
        }
    }
}

#[test]
fn a_job_may_write_nothing_but_its_identity_token() {
    for (name, _, workflow) in workflows() {
        assert_eq!(
            granted(&workflow.permissions),
            [("contents", false)],
            "{name}"
        );
        for job in jobs(&workflow).filter(|job| job.permissions != Permissions::default()) {
            assert_eq!(
                granted(&job.permissions),
                [("contents", false), ("id-token", true)],
                "{name}"
            );
        }
    }
}

#[test]
fn a_workflow_holds_no_logic_and_puts_no_input_into_a_script() {
    for (name, _, workflow) in workflows() {
        for step in jobs(&workflow).flat_map(|job| &job.steps) {
            let Step::Run(step) = step else { continue };
            let command = step.run.trim().trim_start_matches("exec ");
            let script = [".ci/install", ".ci/run"].contains(&command);
            assert!(
                command.starts_with("cargo xtask ") || script,
                "{name}: {command}"
            );
            assert!(
                !command.contains("${{") && !command.contains('\n'),
                "{name}: {command}"
            );
        }
    }
}

#[test]
fn a_release_is_never_cancelled_by_the_next_one() {
    let (_, _, release) = workflows().remove(1);
    match release.concurrency {
        Some(Concurrency::Rich {
            cancel_in_progress: BoE::Literal(false),
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

/// A commit on main whose own check fails, or still runs, is not released.
#[test]
fn a_release_waits_for_the_checks_of_its_own_commit() {
    let (_, text, release) = workflows().remove(1);
    let Job::ReusableWorkflowCallJob(checks) = &release.jobs["ci"] else {
        panic!("`ci` is a call of ci.yml")
    };
    let called = format!("{:?}", checks.uses);
    assert!(called.contains(".github/workflows/ci.yml"), "{called}");
    assert!(text.contains("  release:\n    needs: ci\n"), "{text}");
    assert!(!text.contains("workflow_run"), "{text}");
}

/// GitHub's signal reaches the step's shell only: where the tool does not take its place, it is killed ten seconds later.
#[test]
fn a_cancelled_run_stops_the_deployment_and_not_only_the_shell() {
    for (name, _, workflow) in workflows().into_iter().skip(1) {
        for step in jobs(&workflow).flat_map(|job| &job.steps) {
            let Step::Run(step) = step else { continue };
            assert!(step.run.starts_with("exec "), "{name}: {}", step.run);
        }
    }
}

/// An hourly run that waits for a reviewer, or that could change something, is worse than none.
#[test]
fn the_hourly_check_names_no_environment_and_takes_a_role_of_its_own() {
    let (_, text, smoke) = workflows().remove(2);
    assert!(jobs(&smoke).all(|job| job.environment.is_none()));
    assert!(
        text.contains("vars.AWS_SMOKE_ROLE") && !text.contains("AWS_DEPLOY_ROLE"),
        "{text}"
    );
}

/// GitHub makes a deployment of a job that names an environment, and shows the URL that the job gives it.
#[test]
fn the_deployment_record_leads_to_what_was_deployed() {
    let (_, text, release) = workflows().remove(1);
    assert!(
        text.contains("url: ${{ steps.deploy.outputs.url }}"),
        "{text}"
    );
    let deploys = jobs(&release).flat_map(|job| &job.steps).any(|step| {
        matches!(step, Step::Run(run) if run.shared.id.as_deref() == Some("deploy") && run.run.starts_with("exec cargo xtask deploy "))
    });
    assert!(deploys, "no step `deploy` whose output `url` is");
}
