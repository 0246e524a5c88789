//! The handle that every door shares: one account, the workload that runs its tasks, the rules that spoil calls and
//! the record of what was asked.
//!
//! On virtual time the workload is driven from here: before a call is answered, everything that is due by then
//! happens in the order of its time, account timers and workload reports interleaved. On wall-clock time there is no
//! virtual workload; the daemon takes the effects and reports by itself. Nothing here waits, except [`Cloud::exchange`]
//! for a delay that a rule asked for.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;
use tokio::sync::Notify;

pub(crate) use super::admission::Admitted;
use super::admission::Asked;
use super::clock::SimClock;
pub use super::history::CallRecord;
use super::history::{History, leave_out};
use super::regions::Regions;
use super::registry::{self, Uploads};
use super::{refusal, session};
use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::fault::{Fault, Rule};
use crate::identity;
use crate::ids::Ids;
use crate::wire::{self, Api, ApiRequest};
use crate::workload::{Effect, Exec, Play, Report, VirtualWorkload};

#[derive(Debug)]
pub enum Delivery {
    Reply(http::Response<Bytes>),
    Refused,
    /// The connection broke before a reply came.
    Reset,
}

/// A cheap handle on one embedded cloud.
#[derive(Clone)]
pub struct Cloud(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    clock: SimClock,
    changed: Notify,
    held: session::Held,
}

type Watcher = Box<dyn FnMut(&CallRecord) + Send>;

struct State {
    account: Account,
    elsewhere: Regions,
    workload: Option<Box<dyn VirtualWorkload>>,
    /// The latest moment that the account has reached: it never goes to an earlier one.
    reached: Millis,
    rules: Vec<(u64, Box<dyn Rule>)>,
    next_rule: u64,
    history: History,
    uploads: Uploads,
    watcher: Option<Watcher>,
    /// Apart from the account's own, so that its identifiers do not depend on how often it was asked.
    request_ids: Ids,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

impl Cloud {
    /// A new account whose tasks `workload` runs on `clock`'s (virtual) time.
    pub fn rehearsal(settings: Settings, clock: SimClock, workload: impl VirtualWorkload + 'static) -> Self {
        Self::build(settings, clock, Some(Box::new(workload)))
    }

    /// A new account whose effects the caller takes and carries out.
    pub fn new(settings: Settings, clock: SimClock) -> Self {
        Self::build(settings, clock, None)
    }

    fn build(settings: Settings, clock: SimClock, workload: Option<Box<dyn VirtualWorkload>>) -> Self {
        let state = State {
            request_ids: Ids::new(!settings.seed),
            account: Account::new(settings),
            elsewhere: Regions::default(),
            workload,
            reached: clock.millis(),
            rules: Vec::new(),
            next_rule: 0,
            history: History::default(),
            uploads: Uploads::default(),
            watcher: None,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            clock,
            changed: Notify::new(),
            held: session::Held::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sessions of ECS Exec that clients hold.
    pub(super) fn held(&self) -> &session::Held {
        &self.0.held
    }

    /// The clock that this cloud runs on.
    pub fn clock(&self) -> &SimClock {
        &self.0.clock
    }

    /// Answers one HTTP request, to an AWS API or to the registry, at `now`. A delay that a rule
    /// asks for counts as passed.
    pub fn call(&self, now: Millis, parts: &Parts, body: Bytes) -> Delivery {
        let admitted = self.admit(parts, body);
        let late = admitted.delay().as_millis() as u64;
        self.carry_out(now.plus_millis(late), admitted)
    }

    /// Answers one HTTP request now, after the delay that a rule may ask for.
    pub async fn exchange(&self, parts: &Parts, body: Bytes) -> Delivery {
        let admitted = self.admit(parts, body);
        if !admitted.delay().is_zero() {
            tokio::time::sleep(admitted.delay()).await;
        }
        self.carry_out(self.0.clock.millis(), admitted)
    }

    /// Whether a request carries a password of the registry.
    pub(super) fn knows_password(&self, headers: &http::HeaderMap) -> bool {
        self.look(|account| registry::authenticate(account, self.0.clock.millis(), headers).is_ok())
    }

    /// Reads a request and asks the rules about it.
    pub(crate) fn admit(&self, parts: &Parts, body: Bytes) -> Admitted {
        let asked = Asked::read(parts, body);
        let call = asked.call();
        let fault = self.state().rules.iter_mut().find_map(|(_, rule)| rule.on_call(&call));
        Admitted { fault, asked }
    }

    /// Carries out a call at `now`, after everything that is due by then, and records it.
    pub(crate) fn carry_out(&self, now: Millis, admitted: Admitted) -> Delivery {
        let mut state = self.state();
        let now = state.advance(now);
        let delivery = state.carry_out(now, admitted);
        state.settle(now);
        drop(state);
        self.0.changed.notify_one();
        delivery
    }

    /// Lets everything happen that is due by `now`.
    pub(crate) fn advance_to(&self, now: Millis) {
        self.state().advance(now);
    }

    /// When the account or its virtual workload next has something to do by itself.
    pub(crate) fn next(&self) -> Option<Millis> {
        self.state().next()
    }

    /// Changes the account behind the API's back, or looks into it.
    pub fn with_account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        let mut state = self.state();
        let answer = look(&mut state.account);
        let now = state.reached;
        state.settle(now);
        drop(state);
        self.0.changed.notify_one();
        answer
    }

    /// The reply of a call that reads; nothing where the account refuses it. It is no call of the API:
    /// no fault applies to it, and no log records it.
    pub(super) fn ask(&self, api: Api, operation: &str, params: Value) -> Option<Value> {
        let operation = operation.to_owned();
        let request = ApiRequest { api, operation, params, access_key: None, region: None };
        let mut state = self.state();
        let now = state.advance(self.0.clock.millis());
        let reply = state.account.handle(now, &request).ok();
        state.settle(now);
        reply
    }

    /// What a command of a session does, by the virtual workload.
    pub(super) fn play(&self, exec: &Exec) -> Result<Play, String> {
        let mut state = self.state();
        let workload = state.workload.as_mut().ok_or("this cloud has no workload of its own")?;
        workload.exec(exec)
    }

    /// Looks into the account without giving it anything to do.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Account) -> T) -> T {
        look(&self.state().account)
    }

    /// Takes what the account asks of the workload; empty when a virtual workload takes it.
    pub(crate) fn take_effects(&self) -> Vec<Effect> {
        self.state().account.take_effects()
    }

    /// Takes word from a workload on wall-clock time.
    pub(crate) fn report(&self, report: Report) {
        let mut state = self.state();
        let now = state.advance(self.0.clock.millis());
        state.account.report(now, report);
        state.settle(now);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Resolves once something was asked or reported since the last time that this resolved.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// The calls so far, oldest first; the daemon forgets the oldest of many thousands.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.state().history.calls()
    }

    /// Reports every call from now on to `watcher`, which must not call this cloud.
    pub fn watch_calls(&self, watcher: impl FnMut(&CallRecord) + Send + 'static) {
        self.state().watcher = Some(Box::new(watcher));
    }

    /// Adds a rule, after those that are there, for good or until [`Cloud::clear_rules`].
    pub fn add_rule(&self, rule: impl Rule + 'static) {
        self.state().add_rule(Box::new(rule));
    }

    /// Adds a rule, after those that are there, for as long as the guard lives.
    #[must_use = "the rule goes when the guard is dropped"]
    pub fn guard_rule(&self, rule: impl Rule + 'static) -> RuleGuard {
        RuleGuard { id: self.state().add_rule(Box::new(rule)), cloud: self.clone() }
    }

    pub fn clear_rules(&self) {
        self.state().rules.clear();
    }
}

/// Removes its rule when dropped.
#[derive(Debug)]
pub struct RuleGuard {
    cloud: Cloud,
    id: u64,
}

impl Drop for RuleGuard {
    fn drop(&mut self) {
        self.cloud.state().rules.retain(|(id, _)| *id != self.id);
    }
}

impl State {
    fn add_rule(&mut self, rule: Box<dyn Rule>) -> u64 {
        self.next_rule += 1;
        self.rules.push((self.next_rule, rule));
        self.next_rule
    }

    fn next(&self) -> Option<Millis> {
        let workload = self.workload.as_ref().and_then(|workload| workload.next());
        [self.account.next(), workload].into_iter().flatten().min()
    }

    /// Moves on to `now`, or stays where it is when that is in the past; gives the moment reached.
    fn advance(&mut self, now: Millis) -> Millis {
        self.settle(self.reached);
        while let Some(at) = self.next().filter(|at| *at <= now) {
            let at = at.max(self.reached);
            self.reached = at;
            self.account.advance(at);
            self.settle(at);
            if let Some(workload) = &mut self.workload
                && let Some((_, report)) = workload.pop_due(at)
            {
                self.account.report(at, report);
                self.settle(at);
            }
        }
        self.reached = self.reached.max(now);
        self.reached
    }

    /// Hands what the account asks for to the virtual workload, if there is one.
    fn settle(&mut self, now: Millis) {
        if let Some(workload) = &mut self.workload {
            for effect in self.account.take_effects() {
                workload.effect(now, effect);
            }
        }
    }

    fn carry_out(&mut self, now: Millis, admitted: Admitted) -> Delivery {
        let Admitted { asked, fault } = admitted;
        let call = asked.call();
        let mut record = CallRecord {
            at: now,
            api: call.surface,
            operation: call.operation.to_owned(),
            access_key: None,
            outcome: String::new(),
            write: call.write,
        };
        if let Asked::Api(request) = &asked {
            record.access_key.clone_from(&request.access_key);
        }
        let (delivery, outcome) = match fault {
            Some(Fault::Refuse) => (Delivery::Refused, "connection refused".to_owned()),
            Some(Fault::LoseRequest) => (Delivery::Reset, "request lost".to_owned()),
            Some(Fault::Status { code, body, content_type }) => {
                (Delivery::Reply(refusal::foreign(code, body, &content_type)), code.to_string())
            }
            Some(Fault::LoseReply) => {
                let (_, outcome) = self.answer(now, asked, None);
                (Delivery::Reset, format!("reply lost: {outcome}"))
            }
            Some(Fault::EmptyReply) => {
                let (_, outcome) = self.answer(now, asked, None);
                (
                    Delivery::Reply(refusal::foreign(200, String::new(), "")),
                    format!("reply emptied: {outcome}"),
                )
            }
            fault => {
                let (reply, outcome) = self.answer(now, asked, fault.as_ref());
                (Delivery::Reply(reply), outcome)
            }
        };
        record.outcome = outcome;
        if let Some(watcher) = &mut self.watcher {
            watcher(&record);
        }
        self.history.record(record);
        delivery
    }

    /// The reply, and `ok` or the error's code.
    fn answer(
        &mut self,
        now: Millis,
        asked: Asked,
        fault: Option<&Fault>,
    ) -> (http::Response<Bytes>, String) {
        match asked {
            Asked::Unreadable { refusal, .. } => {
                let status = refusal.status().as_u16().to_string();
                (refusal, status)
            }
            Asked::Registry(request) => {
                let reply = match fault.and_then(refusal::registry) {
                    Some(refused) => refused,
                    None => registry::answer(&mut self.account, &mut self.uploads, now, request),
                };
                let outcome = if reply.status().as_u16() < 400 {
                    "ok".to_owned()
                } else {
                    reply.status().as_u16().to_string()
                };
                (reply, outcome)
            }
            Asked::Api(request) => {
                let key = request.access_key.as_deref();
                let expired =
                    identity::is_expired(&self.account.identity, now, key).then_some(&Fault::ExpiredToken);
                let fault = fault.or(expired);
                let caller = identity::caller_arn(&self.account.base, &self.account.identity, key);
                let outcome = match fault.and_then(|fault| refusal::api(fault, &request, &caller)) {
                    Some(error) => Err(error),
                    None => {
                        let account = self.elsewhere.account(&mut self.account, now, &request);
                        let answer = || account.handle(now, &request);
                        let mut outcome = self.history.answer(now, &request, fault, answer);
                        if let (Some(Fault::Unseen(name)), Ok(reply)) = (fault, &mut outcome) {
                            leave_out(reply, name);
                        }
                        outcome
                    }
                };
                let code = outcome.as_ref().map_or_else(|error| error.code.to_owned(), |_| "ok".to_owned());
                let id = self.request_ids.uuid();
                (wire::encode(&request, outcome, &id), code)
            }
        }
    }
}
