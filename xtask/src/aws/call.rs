//! One call: admitted, attempted, classified, reported, made again.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Serialize;

use super::{Aws, Error, Kind};

/// What a call does to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// It changes something; making the same call twice does no harm.
    Write,
    /// It changes something; a second call would change it once more, so one whose reply was lost is
    /// not repeated before a look.
    WriteOnce,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::aws) struct Op {
    /// The prefix of its IAM action, such as `elasticloadbalancing`.
    pub(in crate::aws) service: &'static str,
    /// Its name, such as `CreateRule`.
    pub(in crate::aws) name: &'static str,
    pub(in crate::aws) effect: Effect,
    /// Error codes that mean: what was made a moment ago is not seen yet.
    pub(in crate::aws) late: &'static [&'static str],
}

impl Op {
    pub(in crate::aws) const fn read(service: &'static str, name: &'static str) -> Self {
        Self { service, name, effect: Effect::Read, late: &[] }
    }

    pub(in crate::aws) const fn write(service: &'static str, name: &'static str) -> Self {
        Self { service, name, effect: Effect::Write, late: &[] }
    }

    pub(in crate::aws) const fn write_once(service: &'static str, name: &'static str) -> Self {
        Self { service, name, effect: Effect::WriteOnce, late: &[] }
    }

    /// The same, patient about these error codes.
    pub(in crate::aws) const fn patient(self, late: &'static [&'static str]) -> Self {
        Self { late, ..self }
    }
}

/// One attempt of one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRecord {
    /// The prefix of its IAM action, such as `ecs`.
    pub service: &'static str,
    /// The operation, such as `UpdateService`.
    pub operation: &'static str,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Whether it changed the account, or may have: a write that AWS refused did not.
    pub write: bool,
    /// How long the attempt took, in milliseconds.
    pub elapsed_ms: u64,
    pub outcome: CallOutcome,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum CallOutcome {
    Done,
    /// It failed and will be made again.
    Retried {
        /// What happened to the call, such as `was throttled (…)`.
        reason: String,
        wait_ms: u64,
    },
    /// It failed for good. Some callers expect that: a look-up may find nothing.
    Failed {
        /// What happened to the call, such as `was throttled (…)`.
        reason: String,
    },
}

#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&CallRecord) + Send + Sync>);

impl Observer {
    /// Calls `report` with every attempt.
    pub fn new(report: impl Fn(&CallRecord) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    pub fn none() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

impl Aws {
    /// Makes a call until it succeeds or fails for good.
    pub(in crate::aws) async fn call<T, E, F>(&self, op: Op, attempt: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        self.call_for(op, attempt, Ok).await
    }

    /// The same, for a part of the reply that AWS always sends. A success without it (an empty body, `{}`) is no answer:
    /// the call is repeated like one whose reply was lost. `part` names what is missing.
    pub(in crate::aws) async fn call_for<T, U, E, F>(
        &self,
        op: Op,
        attempt: impl Fn() -> F,
        part: impl Fn(T) -> Result<U, String>,
    ) -> Result<U, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let mut turn = Turn { aws: self, op, attempt: 0, waited: Duration::ZERO, happened: false };
        loop {
            turn.attempt += 1;
            // Closed only when the client is dropped, which this borrow prevents.
            let permit = self.permits.acquire().await;
            let start = self.clock.mark();
            let result = attempt().await;
            // Before the wait for the next attempt: a call that backs off keeps no other from being sent.
            drop(permit);
            let error = match result.map(&part) {
                Ok(Ok(value)) => {
                    turn.report(start.elapsed_ms(), true, CallOutcome::Done);
                    return Ok(value);
                }
                Ok(Err(missing)) => Error::incomplete(op, &missing).after(turn.attempt),
                Err(error) => Error::of(op, turn.attempt, error),
            };
            turn.failed(start.elapsed_ms(), error).await?;
        }
    }

    /// What all pages of a list hold. `page` asks for the page of a token, and `read` takes its reply apart: what it lists, and
    /// the token of the next page.
    pub(in crate::aws) async fn pages<T, U, E, F>(
        &self,
        op: Op,
        page: impl Fn(Option<String>) -> F,
        read: impl Fn(T) -> (Option<Vec<U>>, Option<String>),
    ) -> Result<Vec<U>, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let (listed, token) = read(self.call(op, || page(next.clone())).await?);
            found.extend(listed.unwrap_or_default());
            next = token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

/// One call and its attempts so far.
struct Turn<'a> {
    aws: &'a Aws,
    op: Op,
    attempt: u32,
    waited: Duration,
    /// Whether an attempt may have done what was asked.
    happened: bool,
}

impl Turn<'_> {
    /// Waits for the next attempt, or gives the error back when there is to be none.
    async fn failed(&mut self, elapsed_ms: u64, error: Error) -> Result<(), Error> {
        let error = error.with_source(self.aws.source.as_ref());
        let (reason, happened) = (error.reason(), error.may_have_happened);
        // An earlier attempt whose reply was lost may have done it: the last one's error alone would deny that.
        let error = error.or_earlier(self.happened);
        self.happened = error.may_have_happened;
        let Some(wait) = self.aws.retry.next(self.op.effect, &error, self.waited, &self.aws.rng) else {
            self.report(elapsed_ms, happened, CallOutcome::Failed { reason });
            return Err(error);
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.report(elapsed_ms, happened, CallOutcome::Retried { reason, wait_ms });
        // Only this kind has a limit in time: what was made a moment ago is seen within two minutes, or something else is
        // wrong.
        if matches!(error.kind, Kind::NotReady) {
            self.waited += wait;
        }
        self.aws.clock.sleep(wait).await;
        Ok(())
    }

    fn report(&self, elapsed_ms: u64, happened: bool, outcome: CallOutcome) {
        (self.aws.observer.0)(&CallRecord {
            service: self.op.service,
            operation: self.op.name,
            attempt: self.attempt,
            write: happened && self.op.effect != Effect::Read,
            elapsed_ms,
            outcome,
        });
    }
}
