//! The event record.

use serde::Serialize;

use super::{Availability, Blame, ExitCode, Forecast};
use crate::config::Finding;
use crate::lease::Lease;
use crate::model::{ImageDigest, ServiceKey, SmokeCheck};
use crate::plan::Plan;
use crate::rollout::{Cause, Diagnosis, TaskMove, Verdict, Waiting};

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Event {
    /// Position in the record, from 1.
    pub seq: u64,
    /// Milliseconds since the command began.
    pub at_ms: u64,
    #[serde(flatten)]
    pub kind: Kind,
}

/// The parts of a command, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The embedded cloud is started.
    Start,
    /// Binaries are compiled and images assembled.
    Build,
    Observe,
    /// The plan is carried out.
    Apply,
    Settle,
    Verify,
}

impl Phase {
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Build => "build",
            Self::Observe => "observe",
            Self::Apply => "apply",
            Self::Settle => "settle",
            Self::Verify => "verify",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Kind {
    Began {
        command: String,
        environment: String,
        /// The release's id, for a deploy.
        release: Option<String>,
        /// The full hash of the commit that is released, with a `+` where the work tree differs from it.
        #[serde(skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
    },
    /// The mistakes of `deploy.toml`. The failure that follows counts them.
    Mistaken {
        mistakes: Vec<Finding>,
    },
    PhaseBegan {
        phase: Phase,
        about: String,
    },
    PhaseEnded {
        phase: Phase,
        result: String,
        elapsed_ms: u64,
    },
    /// A line that the compiler or a container engine printed.
    BuildLine {
        /// The service whose image the engine builds; `None` for the compiler, which works for all at once.
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<ServiceKey>,
        line: String,
    },
    Built {
        service: ServiceKey,
        digest: ImageDigest,
        /// Its size in bytes, compressed; `None` for an image that the registry has and this machine has not.
        bytes: Option<u64>,
        /// Whether an engine was not asked for it, because it was built from the same inputs before.
        unchanged: bool,
    },
    Planned {
        plan: Box<Plan>,
    },
    /// How long the plan's rolls will take.
    Forecast(Forecast),
    /// How long they took, and what was predicted.
    ForecastMet {
        predicted_ms: u64,
        took_ms: u64,
    },
    LeaseHeld {
        /// As its tag has it.
        lease: Lease,
    },
    /// A lease that somebody else has is taken over.
    LeaseTaken {
        /// Who had it, and for which release.
        from: String,
        /// Why, as it was given.
        reason: String,
    },
    /// The lease is not ours any more: no further stage is begun.
    LeaseLost {
        /// Who has it now; `None` when nobody has it, or it is not known who.
        to: Option<Lease>,
    },
    StepBegan {
        lane: String,
        step: String,
    },
    StepEnded {
        lane: String,
        step: String,
        /// What came of it, such as a revision's name.
        result: String,
        elapsed_ms: u64,
    },
    /// A part of an image was sent, or was there already.
    Pushing {
        service: ServiceKey,
        /// Bytes that the registry has by now, and those of the whole image, compressed.
        done: u64,
        of: u64,
    },
    StepFailed {
        lane: String,
        step: String,
        error: String,
    },
    /// An API call was answered, or failed.
    Called(Call),
    /// A deployment began or is followed.
    Following {
        service: ServiceKey,
        deployment: String,
        /// The revision, written as `family:revision`.
        revision: String,
    },
    Rolling {
        service: ServiceKey,
        /// The revision, written as `family:revision`.
        revision: String,
        desired: u32,
        running: u32,
        pending: u32,
        failed: u32,
        waiting: Waiting,
        /// Whether more than a running number changed since the event before.
        changed: bool,
    },
    /// Tasks of a deployment that stand differently than before.
    TasksMoved {
        service: ServiceKey,
        tasks: Vec<TaskMove>,
    },
    /// ECS said something about a service.
    ServiceSaid {
        service: ServiceKey,
        message: String,
        /// How often it said just that since the poll before.
        times: usize,
    },
    /// The task that runs before the roll printed something.
    Printed {
        service: ServiceKey,
        lines: Vec<String>,
    },
    Settled {
        service: ServiceKey,
        verdict: Verdict,
        /// It is scaled to 0, and runs no task.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        emptied: bool,
        elapsed_ms: u64,
    },
    /// Why a deployment will fail, reported before it has: waiting would not change it.
    Explained {
        service: ServiceKey,
        /// The cause and the remedy.
        cause: Cause,
    },
    /// Why a deployment failed, with all that is known of it.
    Diagnosed {
        service: ServiceKey,
        /// The facts, and the cause where it is known.
        diagnosis: Box<Diagnosis>,
    },
    /// Services of a failed release are restored.
    Undoing {
        services: Vec<ServiceKey>,
    },
    /// Where the services of a failed release stand.
    Undone {
        /// Each service that the release changed.
        services: Vec<UndoneService>,
    },
    /// A smoke check was answered as it should, or its deadline passed.
    Probed {
        service: ServiceKey,
        url: String,
        passed: bool,
        check: SmokeCheck,
        answer: ProbeAnswer,
        /// How often it was asked.
        attempts: u32,
    },
    /// What the public saw while services rolled and baked.
    Availability(Availability),
    /// Something that the user should know and that stops nothing.
    Warned {
        text: String,
    },
    /// Something that stops the command.
    Failed {
        error: String,
        /// What to do, when something can be said.
        hint: Option<String>,
    },
    Table {
        /// A row for each service.
        rows: Vec<ServiceRow>,
        /// The address of the load balancer.
        url: Option<String>,
        /// Why smoke checks are not asked from here.
        #[serde(skip_serializing_if = "Option::is_none")]
        unasked: Option<String>,
    },
    /// What happened was written down for later.
    EvidenceKept {
        folder: String,
    },
    Ended {
        exit: ExitCode,
        summary: String,
        /// Why, where it failed: the last thing on the screen, below what was undone.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        causes: Vec<Blame>,
        elapsed_ms: u64,
        reads: u32,
        /// Calls that changed something. The tags in which this tool keeps its notes are not counted.
        writes: u32,
    },
}

/// One attempt of one API call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Call {
    pub service: String,
    pub operation: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Whether it wrote, or may have: a refused one did not.
    pub write: bool,
    pub elapsed_ms: u64,
    /// `ok`, or the error's code.
    pub outcome: String,
}

/// A service of a failed release, as it was found after the undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UndoneService {
    pub service: ServiceKey,
    /// Whether it was confirmed to run what it ran before the release.
    pub back: bool,
    /// What it ran before, `family:revision`; `None` when the release created it.
    pub before: Option<String>,
    /// What it ran when the run began, and why it is not that; `None` when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// What it runs now, `family:revision`; `None` when that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
    /// Running and wanted tasks, as they were read afterwards; `None` when they could not be.
    pub tasks: Option<(u32, u32)>,
}

/// What a probe was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ProbeAnswer {
    /// The wanted status from the wanted service.
    Right {
        /// The version that the service answered with.
        version: Option<String>,
    },
    Status {
        status: u16,
        /// The first characters of the body.
        body: String,
    },
    /// The wanted status, but not from the wanted service.
    WrongService {
        /// Who answered; `None` when the answer names nobody.
        answered: Option<String>,
    },
    /// The request was sent, and no answer came.
    NoAnswer { error: String },
    /// The request could not be sent from this machine.
    Unreachable { error: String },
}

/// A service in the closing table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ServiceRow {
    pub key: ServiceKey,
    /// Its name in ECS.
    pub service: String,
    pub status: String,
    pub running: u32,
    pub desired: u32,
    /// How many deployments it has.
    pub deployments: u32,
    pub rollout: String,
    /// The revision, written as `family:revision`.
    pub revision: String,
    pub digest: Option<ImageDigest>,
    pub targets: String,
    /// The path that leads to it.
    pub url: Option<String>,
    /// Its page in the AWS console; `None` where there is none.
    pub console: Option<String>,
}
