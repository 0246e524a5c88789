//! What the services of a case are, beside how they roll: workers, services without tasks, tasks before the roll, schedules of
//! their scaling, members in AWS's own words.
//!
//! Each is drawn from a stream of its own, so that another of them changes no other seed.

use std::fmt::Write as _;

use deploy::model::Environment;
use sim::workload::scripted::Script;
use xtask::host::Rng;

use super::case::{NAME, pick};
use crate::workers::to_worker;

const SERVICES: [&str; 2] = ["backend", "frontend"];

/// What the services of a case are.
#[derive(Debug)]
pub(super) struct Shape {
    /// Tables of deploy.toml.
    pub(super) settings: String,
    /// Services without a load balancer, by their places in deploy.toml.
    workers: &'static [usize],
    /// Whether the last worker should have no tasks.
    idle: bool,
    /// How the task before the roll of a service behaves.
    pub(super) before_roll: Option<(usize, Script)>,
}

impl Shape {
    pub(super) fn draw(rng: &Rng) -> Self {
        let workers = rng.stream("workers");
        let (before_roll, command) = before_roll(&rng.stream("before-roll")).unzip();
        Self {
            settings: [
                command.unwrap_or_default(),
                schedules(&rng.stream("schedules")),
                aws(&rng.stream("aws")),
            ]
            .concat(),
            workers: pick(&workers, &[&[], &[], &[], &[], &[], &[1], &[1], &[0], &[0, 1]]),
            idle: workers.below(3) == 0,
            before_roll,
        }
    }

    /// Takes from the services what a table of an environment cannot take away.
    pub(super) fn take_away(&self, environment: &mut Environment) {
        for &place in self.workers {
            to_worker(environment, place);
        }
        if let (true, Some(&last)) = (self.idle, self.workers.last()) {
            let service = &mut environment.services[last];
            (service.desired_count, service.scaling) = (0, None);
        }
    }

    /// Whether the task before the roll, if there is one, ends well.
    pub(super) fn is_well(&self) -> bool {
        self.before_roll
            .as_ref()
            .is_none_or(|(_, script)| script.crash.as_ref().is_some_and(|it| it.exit_code == 0))
    }
}

/// A service's task before the roll, and the table that has it run.
fn before_roll(rng: &Rng) -> Option<((usize, Script), String)> {
    if rng.below(6) > 0 {
        return None;
    }
    let place = rng.below(2) as usize;
    let soon = 1_000 + rng.below(29_000);
    let (timeout, script) = match rng.below(8) {
        0 => (60, Script::exits(soon, 3)),
        1 => (30, Script::default()),
        2 => (300, Script::fails_to_start("CannotPullContainerError: not found")),
        3 => (600, Script::exits(soon * 10, 0)),
        _ => (300, Script::exits(soon, 0)),
    };
    let text = format!(
        "\n[env.{NAME}.service.{}.before-roll]\ncommand = [\"/app/migrate\"]\ntimeout-secs = {timeout}\n",
        SERVICES[place]
    );
    Some(((place, script), text))
}

/// Other bounds of the scaling from certain times on.
fn schedules(rng: &Rng) -> String {
    let mut text = String::new();
    if rng.below(6) > 0 {
        return text;
    }
    for n in 0..=rng.below(2) {
        let service = pick(rng, &SERVICES);
        let min = 1 + rng.below(3);
        writeln!(text, "\n[[env.{NAME}.service.{service}.scaling.schedule]]\nname = \"s{n}\"").unwrap();
        writeln!(text, "schedule = \"rate({} minutes)\"", 2 + rng.below(12)).unwrap();
        writeln!(text, "min = {min}\nmax = {}", min + rng.below(3)).unwrap();
    }
    text
}

/// Members that no key of the tool's own says.
fn aws(rng: &Rng) -> String {
    let members = [
        ("backend.aws.container", r#"ulimits = [{ name = "nofile", softLimit = 1024, hardLimit = 2048 }]"#),
        ("backend.aws.task-definition", r#"pidMode = "task""#),
        (
            "frontend.aws.task-definition",
            r#"containerDefinitions = [{ name = "agent", image = "public.ecr.aws/a/agent:7", essential = false }]"#,
        ),
        ("frontend.aws.container", r#"dockerLabels = { team = "web" }"#),
        (
            "frontend.aws.connect",
            r#"logConfiguration = { logDriver = "awslogs", options = { awslogs-group = "/ecs/connect" } }"#,
        ),
        (
            "backend.aws.target-group-attributes",
            r#""load_balancing.algorithm.type" = "least_outstanding_requests""#,
        ),
    ];
    let drawn = members.iter().filter(|_| rng.below(12) == 0);
    drawn.map(|(table, member)| format!("\n[env.{NAME}.service.{table}]\n{member}\n")).collect()
}

#[test]
fn every_case_is_a_deploy_toml_that_is_accepted() {
    for seed in 1..=150 {
        super::case::Case::of(seed).environment();
    }
}
