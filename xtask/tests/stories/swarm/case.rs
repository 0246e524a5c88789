//! A seed's account, release and misfortunes.

use std::fmt::Write as _;
use std::iter;

use deploy::model::Environment;
use sim::workload::scripted::Script;
use xtask::host::Rng;

use super::neighbour::Act;
use super::network::Network;
use super::shape::Shape;

/// The environment of deploy.toml that a case adds.
pub(super) const NAME: &str = "swarm";

/// One run of the swarm.
#[derive(Debug)]
pub(super) struct Case {
    /// What it appends to deploy.toml of how services roll.
    settings: String,
    pub(super) shape: Shape,
    /// Whether the services lose their scalable targets.
    unscaled: bool,
    /// The account's first release, and not an update.
    pub(super) first: bool,
    /// Whether the release changes the frontend.
    pub(super) both: bool,
    /// How the tasks of the new images behave, backend first.
    pub(super) scripts: [Script; 2],
    pub(super) network: Network,
    /// By their time.
    pub(super) acts: Vec<Act>,
    /// The tool is killed after so many calls.
    pub(super) killed_after: Option<usize>,
    /// Seconds into the release at which somebody presses Ctrl-C.
    pub(super) stopped_after: Option<u64>,
    /// How far the machine's clock is ahead of the cloud's, in seconds; AWS accepts five minutes.
    pub(super) ahead_secs: i64,
    /// Seconds until somebody runs the release again.
    pub(super) pause_secs: u64,
    /// Whether the public paths are asked, which makes a run slow.
    is_asked: bool,
}

pub(super) fn pick<T: Copy>(rng: &Rng, of: &[T]) -> T {
    of[rng.below(of.len() as u64) as usize]
}

impl Case {
    pub(super) fn of(seed: u64) -> Self {
        let rng = Rng::from_seed(seed);
        let percent = |of| rng.below(100) < of;
        let acts = if percent(45) { 1 + rng.below(3) } else { 0 };
        let mut acts: Vec<Act> = (0..acts).map(|_| Act::draw(&rng)).collect();
        acts.sort_by_key(|act| act.after_ms);
        Self {
            settings: iter::repeat_with(|| settings(&rng)).find(|it| environment(it).is_ok()).unwrap(),
            shape: Shape::draw(&rng),
            unscaled: percent(20),
            first: percent(25),
            both: percent(70),
            scripts: [script(&rng, "/actuator/health"), script(&rng, "/api/health")],
            network: Network::draw(&rng),
            acts,
            killed_after: percent(25).then(|| rng.below(200) as usize + 1),
            stopped_after: percent(12).then(|| rng.below(180)),
            ahead_secs: if percent(20) { rng.below(560) as i64 - 280 } else { 0 },
            pause_secs: pick(&rng, &[0, 5, 60, 900]),
            is_asked: rng.stream("public").below(8) == 0,
        }
    }

    /// The environment that the case deploys.
    pub(super) fn environment(&self) -> Environment {
        let mut environment = environment(&[&*self.settings, &self.shape.settings].concat()).unwrap();
        self.shape.take_away(&mut environment);
        environment.availability.enable = self.is_asked;
        if self.unscaled {
            // A table of an environment can change a setting, and not take one away.
            environment.services.iter_mut().for_each(|service| service.scaling = None);
        }
        environment
    }

    /// Nothing that happens keeps the release from being proven.
    pub(super) fn is_untroubled(&self) -> bool {
        let well = |script: &Script| *script == Script::default();
        self.network.is_well()
            && self.stopped_after.is_none()
            && self.acts.is_empty()
            && self.shape.is_well()
            && self.scripts.iter().all(well)
    }
}

fn environment(settings: &str) -> Result<Environment, deploy::config::Report> {
    let file = [crate::world::FILE, settings].concat();
    Ok(deploy::config::load("deploy.toml", &file, Some(NAME))?.environment)
}

/// Settings of a roll, at random: some of them do not go together.
fn settings(rng: &Rng) -> String {
    let table = |name: &str| format!("\n[env.{NAME}{name}]\n");
    let mut text = table("");
    let undo = pick(rng, &["release", "release", "service"]);
    // In an account of its own: there no other environment of the file shares its names.
    writeln!(text, "account = \"210987654321\"\nundo = \"{undo}\"").unwrap();
    text += &table(".timeouts");
    let (smoke, poll) = (pick(rng, &[60, 120]), pick(rng, &[5, 10, 15]));
    writeln!(text, "smoke-secs = {smoke}\npoll-secs = {poll}").unwrap();
    text += &table(".every-service.deployment");
    let (min, max) = pick(rng, &[(100, 200), (100, 200), (50, 200), (0, 100), (0, 200)]);
    writeln!(text, "minimum-healthy-percent = {min}\nmaximum-percent = {max}").unwrap();
    writeln!(text, "health-check-grace-secs = {}", pick(rng, &[20, 60, 120])).unwrap();
    let flag = || rng.below(4) > 0;
    let (enable, rollback, reset, threshold) = (flag(), flag(), flag(), 1 + rng.below(4));
    let breaker = format!("enable = {enable}, rollback = {}, threshold = {threshold}", enable && rollback);
    writeln!(text, "circuit-breaker = {{ {breaker}, reset-on-healthy-task = {reset} }}").unwrap();
    writeln!(text, "bake-secs = {}", pick(rng, &[0, 10, 30, 30])).unwrap();
    writeln!(text, "on-plain-cause = \"{}\"", pick(rng, &["roll-back", "wait"])).unwrap();
    if rng.below(5) == 0 {
        let cleanup = pick(rng, &["blocking", "deferred"]);
        writeln!(text, "early-success = {{ healthy-percent = 100, cleanup = \"{cleanup}\" }}").unwrap();
    }
    text += &table(".every-service.target-group");
    writeln!(text, "deregistration-delay-secs = {}", pick(rng, &[0, 5, 30, 90])).unwrap();
    text += &table(".every-service.target-group.health");
    let (interval, threshold) = (pick(rng, &[5, 10]), pick(rng, &[2, 3]));
    writeln!(text, "interval-secs = {interval}\nunhealthy-threshold = {threshold}").unwrap();
    for service in ["backend", "frontend"] {
        let count = 1 + rng.below(3);
        text += &table(&format!(".service.{service}"));
        writeln!(text, "desired-count = {count}").unwrap();
        text += &table(&format!(".service.{service}.scaling"));
        writeln!(text, "min = {}\nmax = {}", 1 + rng.below(count), count + 1 + rng.below(6)).unwrap();
    }
    text
}

/// How tasks of a new image behave.
fn script(rng: &Rng, health_path: &str) -> Script {
    let soon = || 200 + rng.below(60_000);
    let late = || 20_000 + rng.below(300_000);
    let refusal = pick(rng, &[404, 500]);
    match rng.below(20) {
        0 | 1 => Script::boots_in(rng.below(90_000)),
        2 => Script::crashes(soon(), 1),
        3 => Script::crashes(late(), 1),
        4 => Script::runs_out_of_memory(late()),
        5 => Script::never_listens(),
        6 => Script { hangs: true, ..Script::default() },
        7 => Script::default().answering(health_path, 0, refusal),
        8 => Script::default().answering(health_path, late(), refusal),
        9 => Script { container_health: vec![(late(), false)], ..Script::default() },
        10 => Script::fails_to_start("CannotPullContainerError: not found"),
        11 => Script { ignores_sigterm: true, ..Script::default() },
        12 => Script { pull_ms: rng.below(90_000), ..Script::default() },
        _ => Script::default(),
    }
}
