//! Simulates a roll on virtual time, in a separate runtime and account.

use std::collections::BTreeMap;
use std::time::Duration;

use deploy::event::{Event, Forecast, Part, Share, shares};
use deploy::lease::Holder;
use deploy::model::spec::Members;
use deploy::model::{Architecture, Environment, Listener, LoadBalancer, Lookup, Release, ServiceKey};
use deploy::plan::Order;
use sim::Pace;
use sim::Settings;
use sim::door::clock::SimClock;
use sim::door::cloud::Cloud;
use sim::door::connector::SimHttp;
use sim::workload::scripted::{Script, Scripted, Scripts};

use crate::apply::ResourceIds;
use crate::aws::{Aws, Connect, Keys, Observer};
use crate::host::{Env, Halt, Host, Http};
use crate::image::{self, Image, Recipe};
use crate::local::landing_zone;
use crate::observe;
use crate::release::{Claim, HeldLease, Own, ReleaseContext, carry_out};
use crate::report::{Recorder, Screen};

#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The environment as it will be.
    pub environment: Environment,
    /// The services that run, with their desired counts.
    pub live: BTreeMap<ServiceKey, u32>,
    /// The services that roll, stage by stage.
    pub rolls: Vec<Vec<ServiceKey>>,
    /// Milliseconds from a task's creation to its start, where that is known.
    pub starts: BTreeMap<ServiceKey, u64>,
    /// Milliseconds from the containers' start until the application listens.
    pub boot_ms: u64,
    /// How long the account takes over its own steps.
    pub pace: Pace,
}

/// The simulated account, and a client for it.
struct Stage {
    host: Host,
    aws: Aws,
}

/// Runs the rolls on virtual time. Blocks the thread for some tenths of a second; `None` when a roll fails.
pub fn rehearse(rehearsal: &Rehearsal) -> Option<Forecast> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().ok()?;
    runtime.block_on(Box::pin(run(rehearsal)))
}

async fn run(rehearsal: &Rehearsal) -> Option<Forecast> {
    let environment = rehearsed(rehearsal);
    let stage = stage(rehearsal, &environment).await;
    let mut there: Vec<ServiceKey> = rehearsal.live.keys().cloned().collect();
    let mut moved: Vec<ServiceKey> = Vec::new();
    if !there.is_empty() {
        // How long it takes is not asked for: nobody follows it, which would be half of the calls.
        deploy(&stage, &environment, &there, &moved, false).await?;
        let roll_secs = environment.services.iter().map(|it| it.deployment.patience.roll_secs).max();
        stage.host.clock.sleep(Duration::from_secs(roll_secs.unwrap_or(0))).await;
    }
    let (mut total_ms, mut all) = (0, BTreeMap::<Part, u64>::new());
    for keys in &rehearsal.rolls {
        there.extend(keys.iter().filter(|key| !rehearsal.live.contains_key(*key)).cloned());
        moved.extend(keys.iter().cloned());
        let (took_ms, events) = deploy(&stage, &environment, &there, &moved, true).await?;
        total_ms += took_ms;
        for (part, ms) in shares(&events) {
            *all.entry(part).or_insert(0) += ms;
        }
    }
    let longest = all.into_iter().max_by_key(|(_, ms)| *ms).map(|(part, ms)| Share { part, ms });
    let rolled = || rehearsal.rolls.iter().flatten();
    let start_ms = rolled().map(|key| start_ms(rehearsal, key)).max().unwrap_or(0);
    let start_seen = rolled().all(|key| rehearsal.starts.contains_key(key));
    Some(Forecast { total_ms, longest, start_ms, start_seen })
}

/// Deploys these services, those that roll with another image than before. Returns the milliseconds that it took, until the rolls'
/// end where it `follows` them.
async fn deploy(
    stage: &Stage,
    environment: &Environment,
    there: &[ServiceKey],
    moved: &[ServiceKey],
    follows: bool,
) -> Option<(u64, Vec<Event>)> {
    let mut environment = environment.clone();
    environment.services.retain(|service| there.contains(&service.key));
    let images: BTreeMap<ServiceKey, Image> =
        there.iter().map(|key| Some((key.clone(), image(moved.contains(key))?))).collect::<Option<_>>()?;
    let events = Recorder::new(stage.host.clock.clone(), Screen::silent());
    let (_switch, halt) = Halt::new();
    // Nobody else deploys to this account, so no lease is taken.
    let holder = Holder { owner: "rehearsal".to_owned(), run: None, process: None };
    let claim = Claim { holder, take: None };
    let context = ReleaseContext {
        host: &stage.host,
        aws: &stage.aws,
        events: &events,
        environment: &environment,
        images: &images,
        registry: None,
        door: None,
        halt: &halt,
        roll_back: true,
        detach: false,
        order: Order::Together,
        claim: &claim,
    };
    let release = Release {
        id: format!("rehearsal-{}", moved.len()),
        actor: "rehearsal".to_owned(),
        ..Release::default()
    };
    let observed = observe::account(&stage.aws, &environment).await.ok()?;
    let mut planned = context.plan(release, observed).await.ok()?;
    if !follows {
        planned.plan.stages.iter_mut().for_each(|stage| stage.settle.clear());
    }
    let mark = stage.host.clock.mark();
    let ids = ResourceIds::of(&planned.observed);
    let own = Own { planned: &planned, ids: &ids };
    let settled = carry_out(&context, &planned, &ids, &HeldLease::default(), own).await.ok()?.settled;
    settled.iter().all(crate::settle::Settled::is_success).then(|| (mark.elapsed_ms(), events.events()))
}

async fn stage(rehearsal: &Rehearsal, environment: &Environment) -> Stage {
    let scripts = Scripts::default();
    for service in &environment.services {
        let pull_ms = start_ms(rehearsal, &service.key)
            .saturating_sub(rehearsal.pace.provisioning_ms + rehearsal.pace.activating_ms);
        scripts.set(&service.family, Script { pull_ms, boot_ms: rehearsal.boot_ms, ..Script::default() });
    }
    let clock = SimClock::virtual_time();
    let epoch = clock.millis().0;
    let settings = Settings {
        region: environment.region.clone(),
        pace: rehearsal.pace.clone(),
        landing_zone: landing_zone(environment),
        ..Settings::default()
    };
    let cloud = Cloud::rehearsal(settings, clock, Scripted::new(scripts));
    let host = Host::rehearsal(1, epoch, Env::default(), Http::new(SimHttp::new(cloud)));
    let key = || "rehearsal".to_owned();
    let aws = Aws::connect(Connect {
        region: environment.region.clone(),
        endpoint: Some("http://cloud.rehearsal".to_owned()),
        keys: Some(Keys { id: key(), secret: key() }),
        http: host.http.clone(),
        clock: host.clock.clone(),
        rng: host.rng.clone(),
        observer: Observer::none(),
        source: None,
    })
    .await;
    Stage { host, aws }
}

/// From a task's creation to its start: what was seen, or what is usual.
fn start_ms(rehearsal: &Rehearsal, key: &ServiceKey) -> u64 {
    let Pace { provisioning_ms, pulling_ms, activating_ms, .. } = rehearsal.pace;
    let usual = || provisioning_ms + pulling_ms + activating_ms;
    rehearsal.starts.get(key).copied().unwrap_or_else(usual)
}

/// The environment without what does not affect the duration of a roll, and with a load balancer that is created.
fn rehearsed(rehearsal: &Rehearsal) -> Environment {
    let name = |name: &str| Lookup::Name(name.to_owned());
    let mut environment = rehearsal.environment.clone();
    environment.account = None;
    environment.availability.enable = false;
    let listener = Listener { port: environment.load_balancer.listener.port, ..Listener::default() };
    environment.load_balancer = LoadBalancer {
        name: "rehearsal".to_owned(),
        subnets: vec![name("rehearsal-a"), name("rehearsal-b")],
        listener,
        ..LoadBalancer::default()
    };
    for service in &mut environment.services {
        service.scaling = None;
        // Each has a made-up image of its own.
        service.image = None;
        service.build.same_as = None;
        service.repository.name.clone_from(&service.key.0);
        service.before_roll = None;
        service.container.secrets.clear();
        // How long sidecars take is in the starts that were seen; storage is not there.
        service.sidecars.clear();
        service.volumes.clear();
        service.container.environment_files.clear();
        service.container.depends_on.clear();
        service.container.log_output.clear();
        service.aws.task_definition = Members::default();
        service.aws.container = Members::default();
        service.architecture = Architecture::X86_64;
        service.desired_count = rehearsal.live.get(&service.key).copied().unwrap_or(service.desired_count);
    }
    environment
}

fn image(moved: bool) -> Option<Image> {
    let platform = &image::platform(Architecture::X86_64);
    let executable = if moved { b"after" as &[u8] } else { b"before" };
    let recipe = Recipe { package: "rehearsal", version: "1", port: 80, platform, tmp: false, executable };
    image::assemble(&recipe).ok()
}
