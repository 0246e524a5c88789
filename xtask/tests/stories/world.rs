//! The stage of a story: an account, a machine and a `deploy.toml`.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::lease::Holder;
use deploy::model::{Architecture, Availability, Environment, Observed, Release, Service, ServiceKey};
use sim::Settings;
use sim::door::clock::SimClock;
use sim::door::cloud::{CallRecord, Cloud, RuleGuard};
use sim::workload::scripted::{Scripted, Scripts};
use tokio::sync::Notify;
use xtask::aws::{Aws, Connect, Keys, Observer};
use xtask::forecast;
use xtask::host::{Env, Halt, Host};
use xtask::image::{self, Image, Recipe};
use xtask::local::landing_zone;
use xtask::observe;
use xtask::release::{self, Attached, Claim, NoRollbackTarget, ReleaseContext, attach, wait_for};
use xtask::report::{Format, Recorder, Screen};

use crate::ended::Ended;
use crate::front_door::FrontDoor;
use crate::schema;
use crate::somebody::{self, Somebody};

/// The file that most stories deploy.
pub(crate) const FILE: &str = include_str!("../../deploy/tests/fixtures/ielts.toml");

pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) scripts: Scripts,
    pub(crate) environment: Environment,
    pub(crate) host: Host,
    pub(crate) aws: Aws,
    pub(crate) front_door: FrontDoor,
    /// Who acts here: the access key, and the releases' names.
    name: &'static str,
    releases: u32,
    /// Seconds into the next deploys at which somebody presses Ctrl-C.
    pub(crate) stop_after: Option<u64>,
    /// Whether deploys leave once the last services roll.
    pub(crate) detaches: bool,
    /// Whether deploys predict how long they will take.
    pub(crate) forecasts: bool,
    /// Not with `--no-rollback`.
    pub(crate) roll_back: bool,
    /// Another commit than the one of the same sources.
    pub(crate) commit: Option<String>,
    pub(crate) claim: Claim,
    /// Seconds that pass between the plan and the consent to it.
    pub(crate) consents_after: u64,
    /// What those who deploy to the account may do: what the printed policy allows, unless a story says otherwise.
    pub(crate) rights: Option<RuleGuard>,
    /// Whether releases replace what somebody else deployed, whatever the file does not say of it.
    pub(crate) adopts: bool,
    /// Whether rollbacks go past migrations.
    pub(crate) past_migration: bool,
    /// Prints what the tool prints.
    pub(crate) shows: bool,
}

/// The production environment of a file. A request a second makes stories slow: only those that are about it ask for it.
pub(crate) fn production(text: &str) -> Environment {
    let environment = deploy::config::load("deploy.toml", text, Some("prod")).unwrap().environment;
    let availability = Availability { enable: false, ..environment.availability };
    Environment { availability, ..environment }
}

/// Runs a story on one thread of virtual time.
pub(crate) fn story<F: Future<Output = ()>>(play: impl FnOnce() -> F) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { play().await });
}

impl World {
    /// An account with the landing zone and nothing else, and the production environment.
    pub(crate) async fn new() -> Self {
        Self::ahead_of_the_cloud(0).await
    }

    /// The same on a machine whose clock is so many seconds ahead of AWS's, or behind it.
    pub(crate) async fn ahead_of_the_cloud(secs: i64) -> Self {
        Self::of(production(FILE), secs).await
    }

    /// The same with another environment.
    pub(crate) async fn of(environment: Environment, secs: i64) -> Self {
        let scripts = Scripts::default();
        let clock = SimClock::virtual_time();
        let epoch = clock.millis().0.saturating_add_signed(secs * 1000);
        let cloud = Cloud::rehearsal(settings(&environment), clock, Scripted::new(scripts.clone()));
        let rights = Some(crate::policy::grant(&cloud, crate::policy::printed(&environment)));
        let front_door = FrontDoor::new(cloud.clone());
        let host = Host::rehearsal(7, epoch, Env::default(), front_door.http());
        let aws = connect(&host, &environment, "release").await;
        Self {
            cloud,
            scripts,
            environment,
            host,
            aws,
            front_door,
            name: "release",
            releases: 0,
            stop_after: None,
            detaches: false,
            forecasts: false,
            roll_back: true,
            commit: None,
            claim: run_of("story"),
            consents_after: 0,
            rights,
            shows: false,
            adopts: false,
            past_migration: false,
        }
    }

    /// Another machine with a workflow run of its own that deploys to the same account.
    pub(crate) async fn rival(&self) -> Self {
        let host = Host::rehearsal(13, self.host.clock.now_ms(), Env::default(), self.front_door.http());
        Self {
            cloud: self.cloud.clone(),
            scripts: self.scripts.clone(),
            environment: self.environment.clone(),
            aws: connect(&host, &self.environment, "rival").await,
            host,
            front_door: self.front_door.clone(),
            name: "rival",
            releases: 0,
            stop_after: None,
            detaches: false,
            forecasts: false,
            roll_back: true,
            commit: None,
            claim: run_of("rival"),
            consents_after: 0,
            rights: None,
            shows: self.shows,
            adopts: false,
            past_migration: false,
        }
    }

    /// Somebody else on the same account.
    pub(crate) async fn somebody(&self) -> Somebody {
        let host = Host::rehearsal(11, self.host.clock.now_ms(), Env::default(), self.front_door.http());
        Somebody {
            cloud: self.cloud.clone(),
            aws: connect(&host, &self.environment, somebody::ACCESS_KEY).await,
            environment: self.environment.clone(),
        }
    }

    /// Images whose content is the given text, so that another text is another digest.
    pub(crate) fn images(&self, backend: &str, frontend: &str) -> BTreeMap<ServiceKey, Image> {
        let image = |service: &Service| {
            let content = if service.key.0 == "backend" { backend } else { frontend };
            let platform = &image::platform(Architecture::X86_64);
            let (package, port, executable) = (&*service.key.0, service.container.port, content.as_bytes());
            let recipe = Recipe { package, version: "1", port, platform, tmp: false, executable };
            (service.key.clone(), image::assemble(&recipe).unwrap())
        };
        let services = &self.environment.services;
        let mut images: BTreeMap<_, _> = services.iter().filter(|it| it.builds()).map(image).collect();
        for service in services {
            let same = service.build.same_as.as_ref().and_then(|source| images.get(source).cloned());
            images.extend(same.map(|image| (service.key.clone(), image)));
        }
        images
    }

    /// Deploys, but the tool is killed once the cloud has carried out so many calls: `None`, unless it was done by then.
    pub(crate) async fn killed_after(
        &mut self,
        calls: usize,
        backend: &str,
        frontend: &str,
    ) -> Option<Ended> {
        let (dead, mut count) = (Arc::new(Notify::new()), 0);
        let death = dead.clone();
        self.cloud.watch_calls(move |_| {
            count += 1;
            if count == calls {
                death.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = dead.notified() => None,
            ended = Box::pin(self.deploy(backend, frontend)) => Some(ended),
        }
    }

    /// Deploys images with these contents. Returns how it ended.
    pub(crate) async fn deploy(&mut self, backend: &str, frontend: &str) -> Ended {
        self.releases += 1;
        let images = self.images(backend, frontend);
        let id = format!("{}-{}", self.name, self.releases);
        let commit = self.commit.clone().unwrap_or_else(|| commit(backend, frontend));
        let release = self.release(&id, Some(commit));
        self.carry(release, &images).await
    }

    /// Rolls back to a release, or to the last good one. Returns how it ended.
    pub(crate) async fn rollback(&self, to: Option<&str>) -> Result<Ended, NoRollbackTarget> {
        let former =
            release::former(&self.aws, &self.environment, to, self.past_migration, "story".to_owned())
                .await?;
        let mut ended = self.carry(former.release, &BTreeMap::new()).await;
        ended.events.extend(former.warnings.into_iter().map(|text| Kind::Warned { text }));
        Ok(ended)
    }

    /// Restarts services, or gives one another number of tasks, as the verbs do.
    pub(crate) async fn again(&self, release: impl FnOnce(&Observed, &[Service]) -> Release) -> Ended {
        let observed = observe::account(&self.aws, &self.environment).await.unwrap();
        self.carry(release(&observed, &self.environment.services), &BTreeMap::new()).await
    }

    pub(crate) async fn carry(&self, release: Release, images: &BTreeMap<ServiceKey, Image>) -> Ended {
        self.act(images, self.roll_back, async |context| Box::pin(run(self, context, release)).await).await
    }

    /// Waits for a release that somebody began, as the verb does.
    pub(crate) async fn wait(&self, release: Option<&str>) -> Ended {
        let wait = async |context: &ReleaseContext<'_>| {
            let context = ReleaseContext { detach: false, ..*context };
            match Box::pin(attach(&context, release)).await.unwrap() {
                Attached::Over { exit, summary, .. } => (exit, summary),
                Attached::Follow(planned) => closing(Box::pin(wait_for(&context, &planned)).await),
            }
        };
        self.act(&BTreeMap::new(), false, wait).await
    }

    /// Stops what rolls, as the verb does.
    pub(crate) async fn abort(&self) -> Ended {
        let abort = async |context: &ReleaseContext<'_>| {
            let observed = observe::account(context.aws, context.environment).await.unwrap();
            closing(Box::pin(release::abort(context, &observed)).await)
        };
        self.act(&BTreeMap::new(), true, abort).await
    }

    pub(crate) fn release(&self, id: &str, commit: Option<String>) -> Release {
        Release { id: id.to_owned(), commit, actor: "story".to_owned(), ..Release::default() }
    }

    /// Does something in a context of its own. Returns what came of it.
    pub(crate) async fn act(
        &self,
        images: &BTreeMap<ServiceKey, Image>,
        roll_back: bool,
        act: impl AsyncFnOnce(&ReleaseContext<'_>) -> (ExitCode, String),
    ) -> Ended {
        let screen =
            if self.shows { Screen::new(Format::Text, true, self.host.terminal) } else { Screen::silent() };
        let events = Recorder::new(self.host.clock.clone(), screen);
        let before = self.cloud.calls().len();
        let mark = self.host.clock.mark();
        let (switch, halt) = Halt::new();
        let context = ReleaseContext {
            host: &self.host,
            aws: &self.aws,
            events: &events,
            environment: &self.environment,
            images,
            registry: None,
            door: None,
            halt: &halt,
            roll_back,
            detach: self.detaches,
            order: deploy::plan::Order::Together,
            claim: &self.claim,
        };
        // As the verbs do: a stop that nothing heeds ends the command at once.
        let unheeded = async {
            match self.stop_after {
                Some(secs) => self.host.clock.sleep(Duration::from_secs(secs)).await,
                None => std::future::pending().await,
            }
            if switch.ask() {
                std::future::pending().await
            }
        };
        let (exit, summary) = tokio::select! {
            biased;
            () = unheeded => (ExitCode::Interrupted, String::new()),
            ended = act(&context) => ended,
        };
        let calls = self.cloud.calls().split_off(before);
        events.emit_late();
        schema::check_events(&events.events());
        Ended {
            exit,
            summary,
            files: deploy::evidence::files(&events.events(), &events.records()),
            events: events.events().into_iter().map(|event| event.kind).collect(),
            record: events.events(),
            writes: calls
                .into_iter()
                .filter(|call| self.is_our_write(call))
                .map(|call| call.operation)
                .collect(),
            secs: mark.elapsed_ms() / 1000,
        }
    }

    /// A write that was carried out and that nobody else on the account made.
    fn is_our_write(&self, call: &CallRecord) -> bool {
        let others = ["release", "rival", somebody::ACCESS_KEY].into_iter().filter(|key| *key != self.name);
        let key = call.access_key.as_deref();
        call.write && call.outcome.ends_with("ok") && !others.into_iter().any(|other| key == Some(other))
    }
}

/// The account and the region of the environment, with what it looks up.
fn settings(environment: &Environment) -> Settings {
    Settings {
        account: environment.account.clone().unwrap(),
        region: environment.region.clone(),
        landing_zone: landing_zone(environment),
        ..Settings::default()
    }
}

/// The same sources are the same commit.
fn commit(backend: &str, frontend: &str) -> String {
    let add = |sum: u128, byte: u8| sum.wrapping_mul(257).wrapping_add(byte.into());
    format!("{:040x}", format!("{backend} {frontend}").bytes().fold(1, add))
}

/// The lease as the workflow run of this name asks for it.
fn run_of(name: &str) -> Claim {
    let run = Some(format!("https://ci.test/{name}"));
    Claim { holder: Holder { owner: name.to_owned(), run, process: None }, take: None }
}

async fn connect(host: &Host, environment: &Environment, key: &str) -> Aws {
    Aws::connect(Connect {
        region: environment.region.clone(),
        endpoint: Some("http://cloud.test".to_owned()),
        keys: Some(Keys { id: key.to_owned(), secret: key.to_owned() }),
        http: host.http.clone(),
        clock: host.clock.clone(),
        rng: host.rng.clone(),
        observer: Observer::none(),
        source: None,
    })
    .await
}

fn closing(ending: release::Ending) -> (ExitCode, String) {
    (ending.exit, ending.summary)
}

async fn run(world: &World, context: &ReleaseContext<'_>, release: Release) -> (ExitCode, String) {
    let planned = async {
        let (observed, expiring) = observe::with_expiry(context.aws, context.environment).await?;
        for text in &observed.warnings {
            context.events.emit(Kind::Warned { text: text.clone() });
        }
        let mut planned = context.plan(release, observed).await?;
        if !world.adopts {
            deploy::plan::refuse_losses(&mut planned.plan, &planned.desired, &planned.observed);
        }
        planned.plan.notes.extend(expiring);
        Ok::<_, observe::Error>(planned)
    };
    match planned.await {
        Ok(planned) if !planned.plan.refusals.is_empty() => {
            for refusal in &planned.plan.refusals {
                let (error, hint) = (refusal.what.clone(), Some(refusal.remedy.clone()));
                context.events.emit(Kind::Failed { error, hint });
            }
            (ExitCode::Usage, String::new())
        }
        Ok(planned) => {
            context.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
            if world.forecasts {
                let forecast = forecast::predict(context.aws, context.environment, &planned).await;
                context.events.emit(Kind::Forecast(forecast.unwrap()));
            }
            context.host.clock.sleep(Duration::from_secs(world.consents_after)).await;
            closing(release::run(context, &planned).await)
        }
        Err(error) => {
            context.events.emit(Kind::Failed { error: error.to_string(), hint: error.hint() });
            (ExitCode::Usage, String::new())
        }
    }
}
