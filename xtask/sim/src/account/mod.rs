//! One AWS account in one region: all state, the time it is given, what is due, and what it asks of the workload.
//!
//! The services do not know it. Each has its own state; what it works with beside that is lent to it by name, call by call.

mod operations;

pub use operations::page as operations;

use crate::base::{Base, LandingZone, Settings};
use crate::clock::{Millis, Moment};
use crate::wire::{ApiRequest, Outcome, drop_nulls, limits};
use crate::workload::{Effect, Report};
use crate::{acm, cloudmap, cloudwatch, ecr, ecs, elb, identity, logs, quotas, scaling, secretsmanager, ssm};

/// One account in one region.
#[derive(Debug)]
pub struct Account {
    pub(crate) base: Base,
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

impl Account {
    /// A new account: its landing zone and nothing else.
    pub fn new(settings: Settings) -> Self {
        let zone = settings.landing_zone.clone();
        let mut account = Self {
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
            base: Base::new(settings),
        };
        account.furnish(&zone);
        account
    }

    /// Answers one API call at `now`. Call [`Account::advance`] with the same `now` first.
    pub(crate) fn handle(&mut self, now: Millis, request: &ApiRequest) -> Outcome {
        limits::check(request)?;
        let mut outcome = self.carry_out(now, request);
        ecs::reconcile(&mut self.ecs_region(), now);
        if let Ok(reply) = &mut outcome {
            drop_nulls(reply);
        }
        outcome
    }

    /// Lets everything happen that is due by `now`, in order.
    pub(crate) fn advance(&mut self, now: Millis) {
        while let Some(moment) = self.due().filter(|moment| moment.at <= now) {
            self.happen(moment);
            ecs::reconcile(&mut self.ecs_region(), moment.at);
        }
    }

    fn happen(&mut self, moment: Moment) {
        let at = moment.at;
        if let Some(due) = self.ecs.timers.take(moment) {
            ecs::due(&mut self.ecs_region(), at, due);
        } else if let Some(due) = self.elb.timers.take(moment) {
            elb::due(&mut self.base, &mut self.elb, at, due);
        } else if let Some(due) = self.scaling.timers.take(moment) {
            scaling::due(&mut self.scaling_region(), at, due);
        } else if let Some(due) = self.cloudmap.timers.take(moment) {
            cloudmap::due(&mut self.base, &mut self.cloudmap, at, due);
        } else if let Some(due) = self.cloudwatch.timers.take(moment) {
            self.minute(at, due);
        } else if self.secrets_manager.timers.take(moment).is_some() {
            self.secrets_manager.forget_deleted(at);
        }
    }

    /// What services measure is CloudWatch's, and what its alarms find is for scaling to act on.
    fn minute(&mut self, now: Millis, due: cloudwatch::Due) {
        match due {
            cloudwatch::Due::Minute => {
                let minute = cloudwatch::minute_before(now);
                let runs = ecs::ask_for_usage(&mut self.ecs_region());
                elb::measure(&self.elb, &mut self.cloudwatch.metrics, minute);
                cloudwatch::minute_over(&mut self.base, &mut self.cloudwatch, now, runs);
            }
            cloudwatch::Due::Evaluate => {
                let ringing = cloudwatch::evaluate(&mut self.cloudwatch, now);
                scaling::alarms_ring(&mut self.scaling_region(), now, &ringing);
            }
        }
    }

    /// The next moment of all services.
    fn due(&self) -> Option<Moment> {
        let each = [
            self.ecs.timers.next(),
            self.elb.timers.next(),
            self.scaling.timers.next(),
            self.cloudmap.timers.next(),
            self.cloudwatch.timers.next(),
            self.secrets_manager.timers.next(),
        ];
        each.into_iter().flatten().min()
    }

    /// When the account next has something to do by itself.
    pub fn next(&self) -> Option<Millis> {
        self.due().map(|moment| moment.at)
    }

    /// Takes what the account asks of the workload since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.base.effects)
    }

    /// Takes word from the workload.
    pub fn report(&mut self, now: Millis, report: Report) {
        match report {
            // What was printed or used moves no task.
            Report::Log { group, stream, line } => return self.logs.append(now, &group, &stream, line),
            Report::Usage { task, cpu, memory_mib } => {
                return ecs::measured(&mut self.ecs_region(), now, &task, cpu, memory_mib);
            }
            Report::TargetHealth { target_group, task, answer } => {
                elb::answered(&mut self.elb, &target_group, &task, &answer);
            }
            other => ecs::reported(&mut self.ecs_region(), now, other),
        }
        ecs::reconcile(&mut self.ecs_region(), now);
    }

    pub(crate) fn ecs_region(&mut self) -> ecs::Region<'_> {
        ecs::Region {
            base: &mut self.base,
            ecs: &mut self.ecs,
            elb: &mut self.elb,
            cloudmap: &mut self.cloudmap,
            cloudwatch: &mut self.cloudwatch,
            ecr: &self.ecr,
            logs: &mut self.logs,
            ssm: &self.ssm,
            secrets_manager: &self.secrets_manager,
            identity: &mut self.identity,
        }
    }

    fn scaling_region(&mut self) -> scaling::Region<'_> {
        scaling::Region {
            base: &mut self.base,
            scaling: &mut self.scaling,
            ecs: &mut self.ecs,
            elb: &self.elb,
            cloudwatch: &mut self.cloudwatch,
        }
    }

    /// Brings what the account lacks of a landing zone.
    pub fn furnish(&mut self, zone: &LandingZone) {
        self.identity.furnish(zone, &self.base.settings);
        self.acm.furnish(&zone.certificates);
        self.quotas.furnish(&zone.quotas);
    }
}
