//! `wait`: follows a release that another run began, to its proof.

use std::collections::BTreeMap;

use deploy::event::Kind;

use super::context::release_context;
use super::deploy::table;
use super::release as begun;
use super::rollback::failure;
use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args};
use crate::host::Halt;
use crate::release::{Attached, ReleaseContext, attach, wait_for};

pub(super) async fn run(job: &Job<'_>, asked: &args::Wait) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    let session = Session::running(job.host, job.events, settings).await?;
    let images = BTreeMap::new();
    let (_switch, halt) = Halt::new();
    let claim = begun::claim(job.host, &args::Lease { take_lease: None });
    // Who waits only looks: neither Ctrl-C nor the deadline stops what somebody else began.
    let context =
        ReleaseContext { halt: &halt, roll_back: false, ..release_context(job, &session, &images, &claim) };
    let attached = attach(&context, asked.release.as_deref()).await.map_err(|error| failure(&error))?;
    let began = |release: &str| {
        job.events.emit(Kind::Began {
            command: "wait".to_owned(),
            environment: environment.name.clone(),
            release: Some(release.to_owned()),
            commit: None,
        });
    };
    match attached {
        Attached::Over { release, exit, summary } => {
            began(&release);
            Ok(Closing::new(exit, summary))
        }
        Attached::Follow(planned) => {
            began(&planned.desired.release.id);
            let ending = wait_for(&context, &planned).await;
            table(job.events, &session.aws, &environment, &ending).await;
            Ok(Closing::new(ending.exit, ending.summary))
        }
    }
}
