//! One AWS account in one region: all state, the time it is given, what is due, and what it asks of the workload.

mod clock;
mod ids;
mod operations;

pub use clock::Millis;
pub(crate) use clock::Timers;
pub(crate) use ids::Ids;
pub(crate) use operations::Operations;
pub use operations::page as operations;

use crate::identity::LandingZone;
use crate::tagging::Tags;
use crate::wire::{ApiRequest, Outcome, drop_nulls, limits};
use crate::workload::{Effect, Report};
use crate::{acm, cloudmap, cloudwatch, ecr, ecs, elb, identity, logs, quotas, scaling, secretsmanager, ssm};

/// What a new account is like.
#[derive(Clone, Debug)]
pub struct Settings {
    pub account: String,
    pub region: String,
    /// Where identifiers are drawn from: the same seed gives the same identifiers.
    pub seed: u64,
    /// `host[:port]` of the registry, as image references name it and `proxyEndpoint` gives it.
    pub registry_host: String,
    /// `scheme://host[:port]` of Session Manager's data channels; AWS's when `None`.
    pub messages: Option<String>,
    /// How long the steps of a task's life take.
    pub pace: ecs::Pace,
    /// The network and the roles that are there.
    pub landing_zone: LandingZone,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "ap-southeast-1".to_owned(),
            seed: 1,
            registry_host: "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com".to_owned(),
            messages: None,
            pace: ecs::Pace::default(),
            landing_zone: LandingZone::example(),
        }
    }
}

impl Settings {
    pub(crate) fn messages(&self) -> String {
        let aws = || format!("wss://ssmmessages.{}.amazonaws.com", self.region);
        self.messages.clone().unwrap_or_else(aws)
    }
}

/// One account in one region.
#[derive(Debug)]
pub struct Account {
    pub(crate) settings: Settings,
    pub(crate) ids: Ids,
    pub(crate) timers: Timers<Due>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) tags: Tags,
    pub(crate) ecs: ecs::State,
    pub(crate) elb: elb::State,
    pub(crate) scaling: scaling::State,
    pub(crate) cloudmap: cloudmap::State,
    pub(crate) ecr: ecr::State,
    pub(crate) logs: logs::State,
    pub(crate) ssm: ssm::State,
    pub(crate) cloudwatch: cloudwatch::State,
    pub(crate) secrets_manager: secretsmanager::State,
    pub(crate) identity: identity::State,
    pub(crate) acm: acm::State,
    pub(crate) quotas: quotas::State,
}

/// What can be due, by the API whose state it concerns.
#[derive(Debug)]
pub(crate) enum Due {
    /// A task's or a service's next moment.
    Ecs(ecs::Due),
    /// A health check or the end of a drain.
    Elb(elb::Due),
    Scaling(scaling::Due),
    /// The end of a namespace operation.
    CloudMap(cloudmap::Due),
    /// The end of a minute, and what was measured in it.
    CloudWatch(cloudwatch::Due),
    /// The end of a secret's recovery window.
    SecretGone,
}

impl Account {
    /// A new account: its landing zone and nothing else.
    pub fn new(settings: Settings) -> Self {
        let zone = settings.landing_zone.clone();
        let mut account = Self {
            ids: Ids::new(settings.seed),
            timers: Timers::default(),
            effects: Vec::new(),
            tags: Tags::default(),
            ecs: ecs::State::default(),
            elb: elb::State::default(),
            scaling: scaling::State::default(),
            cloudmap: cloudmap::State::default(),
            ecr: ecr::State::default(),
            logs: logs::State::default(),
            ssm: ssm::State::default(),
            cloudwatch: cloudwatch::State::default(),
            secrets_manager: secretsmanager::State::default(),
            identity: identity::State::new(&settings),
            acm: acm::State::default(),
            quotas: quotas::State::default(),
            settings,
        };
        account.furnish(&zone);
        account
    }

    /// Answers one API call at `now`. Call [`Account::advance`] with the same `now` first.
    pub(crate) fn handle(&mut self, now: Millis, request: &ApiRequest) -> Outcome {
        limits::check(request)?;
        let mut outcome = self.carry_out(now, request);
        ecs::reconcile(self, now);
        if let Ok(reply) = &mut outcome {
            drop_nulls(reply);
        }
        outcome
    }

    /// Lets everything happen that is due by `now`, in order.
    pub(crate) fn advance(&mut self, now: Millis) {
        while let Some((at, due)) = self.timers.pop_due(now) {
            match due {
                Due::Ecs(due) => ecs::due(self, at, due),
                Due::Elb(due) => elb::due(self, at, due),
                Due::Scaling(due) => scaling::due(self, at, due),
                Due::CloudMap(due) => cloudmap::due(self, at, due),
                Due::CloudWatch(due) => cloudwatch::due(self, at, due),
                Due::SecretGone => self.secrets_manager.forget_deleted(at),
            }
            ecs::reconcile(self, at);
        }
    }

    /// When the account next has something to do by itself.
    pub fn next(&self) -> Option<Millis> {
        self.timers.next()
    }

    /// Takes what the account asks of the workload since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes word from the workload.
    pub fn report(&mut self, now: Millis, report: Report) {
        match report {
            // What was printed or used moves no task.
            Report::Log { group, stream, line } => return self.logs.append(now, &group, &stream, line),
            Report::Usage { task, cpu, memory_mib } => {
                return ecs::measured(self, now, &task, cpu, memory_mib);
            }
            Report::TargetHealth { target_group, task, answer } => {
                elb::answered(self, now, &target_group, &task, &answer);
            }
            other => ecs::reported(self, now, other),
        }
        ecs::reconcile(self, now);
    }

    /// Brings what the account lacks of a landing zone.
    pub fn furnish(&mut self, zone: &LandingZone) {
        self.identity.furnish(zone, &self.settings);
        self.acm.furnish(&zone.certificates);
        self.quotas.furnish(&zone.quotas);
    }

    /// An ARN of this account and region.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.settings.region, self.settings.account)
    }
}
