//! Do all services run the release completely: the tasks that they should have, of the image that was pushed, healthy, in one
//! complete deployment? All of it is read together, and has to hold until the bake time is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deploy::event::Kind;
use deploy::model::{Desired, ImageDigest, Service, ServiceKey};
use deploy::rollout::TaskSnapshot;
use deploy::verify::{Lack, Mismatch, Reading, mismatches};

use super::detail::why_stopped;
use super::foreign::{Foreign, Look};
use super::{Door, readings_of};
use crate::aws::{Aws, Error};
use crate::host::Mark;
use crate::image;
use crate::report::Recorder;
use crate::settle::{Healthy, Settled};

/// How the services were found.
#[derive(Clone, Debug, PartialEq)]
pub enum Running {
    /// All services are as wanted at the same time.
    Complete {
        /// Whether something that only time could end, such as a deployment of somebody else, was in progress before.
        disturbed: bool,
        read: Vec<Reading>,
    },
    /// A service was scaled to 0 meanwhile.
    Parked,
    /// Somebody deployed another revision of this service; an event names it.
    Superseded(ServiceKey),
    /// Still in progress at the deadline; the reason is an event.
    InProgress,
    /// Something is not as wanted; an event names it.
    Refuted,
}

/// What a release wants a service to run, with which what runs is compared.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub desired: &'a Desired,
    pub door: &'a Door,
    pub settled: &'a [Settled],
    /// The revision that each service runs since the release, by ARN.
    pub revisions: &'a BTreeMap<ServiceKey, String>,
    /// Services that run nothing, because somebody scaled them to 0.
    pub parked: &'a [ServiceKey],
    /// Services that did not roll and whose tasks have to stay up for the bake time all the same.
    pub bakes: &'a [ServiceKey],
}

/// Tasks of a service that did not roll which may stop by themselves before that counts: one is replaced, and is
/// no failure of this release.
const CRASHES_OF_OTHERS: usize = 2;

/// What a throttled call answers later than the others of its reading was not true together with them.
const TOGETHER: Duration = Duration::from_secs(2);
/// Until the next reading after one whose parts lay further apart.
const READ_AGAIN: Duration = Duration::from_millis(500);

/// Reads, after what was `read` a moment ago, until all is as wanted and was so for the bake time, or until the deadline.
///
/// What time alone can end (a deployment that somebody else began, tasks that autoscaling started) is waited for as long as
/// for a roll; anything else as long as for the smoke checks. A new task that stops by itself is not waited for.
///
/// # Errors
/// [`Error`] when services, tasks or targets cannot be read: then nothing is proven.
pub async fn running(
    aws: &Aws,
    events: &Recorder,
    Wanted { desired, door, settled, revisions, parked, bakes }: Wanted<'_>,
    mut read: Option<Vec<Reading>>,
) -> Result<Running, Error> {
    let environment = &desired.environment;
    let mut foreign = Foreign::default();
    let after = |secs| events.clock().mark().after(Duration::from_secs(secs));
    let deadline = after(environment.timeouts.smoke_secs);
    let roll = environment.services.iter().map(|service| service.deployment.patience.roll_secs).max();
    let patience = after(roll.unwrap_or(0).max(environment.timeouts.smoke_secs));
    let mut disturbed = false;
    let mut waits = 0;
    let mut others: Option<Vec<Vec<String>>> = None;
    let mut scaled: BTreeMap<&ServiceKey, Mark> = BTreeMap::new();
    // Where a proof begins. The readings after it look once more at what was observed for its bake time.
    let begins = read.is_some();
    let mut named: BTreeSet<String> = BTreeSet::new();
    loop {
        let mark = events.clock().mark();
        let readings = match read.take() {
            Some(read) => read,
            None => readings_of(aws, desired, door, true).await?,
        };
        let together = mark.elapsed() <= TOGETHER || deadline.remaining().is_zero();
        let crashed = |reading: &Reading| reading.crashed().iter().map(|task| task.id.clone()).collect();
        // The first reading counts the crashes of before: ECS lists stopped tasks for an hour, and those are no news.
        let known = others.get_or_insert_with(|| readings.iter().map(crashed).collect());
        let (mut lacks, mut crashes, mut bake) = (Vec::new(), Vec::new(), Duration::ZERO);
        for ((service, reading), known) in environment.services.iter().zip(&readings).zip(&*known) {
            if parked.contains(&service.key) {
                continue;
            }
            if service.desired_count > 0 && reading.is_parked() {
                return Ok(Running::Parked);
            }
            match revisions.get(&service.key).map(|ours| foreign.look(&service.key, ours, reading)) {
                None | Some(Look::Ours) => {}
                Some(Look::Again(lack)) => {
                    lacks.push(lack);
                    continue;
                }
                Some(Look::Theirs(text)) => {
                    events.emit(Kind::Failed { error: text, hint: None });
                    return Ok(Running::Superseded(service.key.clone()));
                }
            }
            let healthy = settled.iter().find(|it| it.key == service.key).and_then(|it| it.healthy.as_ref());
            let count = desired.release.pins.get(&service.key).and_then(|pin| pin.count);
            let followed = match healthy {
                Some(Healthy { since, failed }) => Some((Some(*since), failed)),
                // ECS starts no deployment for a number of tasks, and no circuit breaker counts: they bake from the reading that
                // first finds them all.
                None if (count.is_some() && begins) || bakes.contains(&service.key) => {
                    if !reading.lacks(known, 1).is_empty() {
                        scaled.remove(&service.key);
                    }
                    Some((Some(*scaled.entry(&service.key).or_insert(mark)), known))
                }
                None if count.is_some() => Some((None, known)),
                None => None,
            };
            let found = match followed {
                Some((since, failed)) => {
                    let secs = Duration::from_secs(service.deployment.bake_secs.into());
                    let baked = since.map_or(secs, |since| since.elapsed());
                    // The longest of all: services are proven together, by one reading.
                    bake = bake.max(secs.saturating_sub(baked));
                    let news = reading.crashed().into_iter().filter(|task| !failed.contains(&task.id));
                    let news: Vec<TaskSnapshot> = news.cloned().collect();
                    if !news.is_empty() {
                        crashes.push((service, reading, news));
                    }
                    reading.lacks(failed, 1)
                }
                None => {
                    for task in reading.crashed().into_iter().filter(|task| !known.contains(&task.id)) {
                        if named.insert(task.id.clone()) {
                            let text = reading.crash(task);
                            let text =
                                format!("{text}; this release does not change it, and ECS replaces the task");
                            events.emit(Kind::Warned { text });
                        }
                    }
                    reading.lacks(known, CRASHES_OF_OTHERS)
                }
            };
            lacks.extend(found);
            lacks.extend(images(aws, desired, service, reading).await?);
        }
        let passing = lacks.iter().all(|lack| lack.passing);
        disturbed |= lacks.iter().any(|lack| lack.passing);
        let wait = match lacks.is_empty() {
            true if bake.is_zero() && together => {
                return Ok(Running::Complete { disturbed, read: readings });
            }
            true => bake.max(READ_AGAIN),
            false if !crashes.is_empty() => Duration::ZERO,
            false if passing => patience.remaining(),
            false => deadline.remaining(),
        };
        if wait.is_zero() {
            for Lack { text, .. } in lacks {
                events.emit(Kind::Failed { error: text, hint: None });
            }
            // As of a roll that fails: the cause is the last that the command prints, below what is undone for it.
            for (service, reading, news) in crashes {
                let why = why_stopped(aws, events, (environment, service), reading, news).await;
                let diagnosed =
                    |why| Kind::Diagnosed { service: service.key.clone(), diagnosis: Box::new(why) };
                why.map(diagnosed).into_iter().for_each(|why| events.emit(why));
            }
            return Ok(if passing { Running::InProgress } else { Running::Refuted });
        }
        if passing && !lacks.is_empty() {
            waits += 1;
            // Not at the first reading: what was written a moment ago is often only late.
            if waits == 2 {
                let texts: Vec<_> = lacks.iter().map(|lack| lack.text.as_str()).collect();
                events.emit(Kind::Warned { text: format!("waiting: {}", texts.join("; ")) });
            }
        }
        events.clock().sleep(Duration::from_secs(environment.timeouts.poll_secs).min(wait)).await;
    }
}

/// The running tasks of the deployment that do not run the wanted image, a sentence each. A task of another deployment is
/// reported as that, whatever it runs.
async fn images(
    aws: &Aws,
    desired: &Desired,
    service: &Service,
    reading: &Reading,
) -> Result<Vec<Lack>, Error> {
    // The revision names an image of others by its digest, so that its tasks run nothing else; which of an index's images
    // that is, ECR knows of its own only.
    let wanted = desired.release.images.get(&service.key).filter(|_| service.image.is_none());
    let Some(wanted) = wanted else { return Ok(Vec::new()) };
    // PRIMARY comes first in `deployments[]`.
    let primary = reading.service.deployments.first().map(|primary| &primary.task_definition);
    let ours: Vec<_> =
        reading.tasks.iter().filter(|task| Some(&task.task_definition) == primary).cloned().collect();
    let mismatches = mismatches(&ours, &service.container.name, wanted);
    let listed = listed(aws, service, wanted, &mismatches).await?;
    let others = |mismatch: &Mismatch| mismatch.runs.as_ref().is_none_or(|runs| !listed.contains(runs));
    let text = |mismatch: Mismatch| {
        let runs = mismatch
            .runs
            .map_or_else(|| "an image that ECS does not name".to_owned(), |digest| digest.to_string());
        let text = format!("task {} of {} runs {runs}, not {wanted}", mismatch.task, service.name);
        Lack { text, passing: false }
    };
    Ok(mismatches.into_iter().filter(others).map(text).collect())
}

/// The images that count as `wanted`, where that is an index: those that it lists for the tasks' platform. A task of an
/// index may name either (aws/amazon-ecs-agent#2201). Not asked for while every task runs what is wanted.
async fn listed(
    aws: &Aws,
    service: &Service,
    wanted: &ImageDigest,
    mismatches: &[Mismatch],
) -> Result<Vec<ImageDigest>, Error> {
    if mismatches.iter().all(|mismatch| mismatch.runs.is_none()) {
        return Ok(Vec::new());
    }
    let platform = image::platform(service.architecture);
    let members = aws.index_members(&service.repository.name, wanted).await?;
    Ok(members.into_iter().filter(|(of, _)| *of == platform).map(|(_, digest)| digest).collect())
}
