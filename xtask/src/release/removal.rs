//! Deletes what this tool created: all of an environment, or what is no longer in deploy.toml.

use deploy::event::{ExitCode, Kind, Phase};
use deploy::history::PROVEN;
use deploy::model::{Desired, Environment, Maker, Observed, Owned, OwnedKind, Release};
use deploy::plan::{self, Action, REMAINS};

use super::lease::{self, Refused};

use super::{Planned, ReleaseContext};
use crate::apply::{self, ResourceIds};
use crate::aws;
use crate::observe;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Everything,
    /// What is no longer in deploy.toml.
    Orphans,
}

/// Why nothing is deleted. A sentence, and what to do.
pub type Unsafe = (String, &'static str);

impl Removal {
    /// Why it would be unsafe to begin, by what was read.
    pub fn obstacle(self, environment: &Environment, observed: &Observed) -> Option<Unsafe> {
        if observed.made.is_none() {
            let text = "tags cannot be read, so what this tool created is unknown".to_owned();
            return Some((text, "allow `tag:GetResources`; `cargo xtask iam policy` prints it"));
        }
        // A service that is not in the file may still serve until all of the file does.
        let incomplete = environment.services.iter().find(|service| {
            let state = observed.services.get(&service.key);
            !state.is_some_and(|state| {
                state.is_active()
                    && state.rollout.as_deref() == Some("COMPLETED")
                    && state.running >= state.desired
                    && state.task_definition.tags.contains_key(PROVEN)
            })
        });
        let service = incomplete.filter(|_| self == Self::Orphans && !observed.orphans.is_empty())?;
        let text = format!("{} is not proven, so what it replaces may still be needed", service.key);
        Some((text, "run `cargo xtask deploy` first"))
    }

    pub async fn plan(
        self,
        context: &ReleaseContext<'_>,
        release: Release,
        observed: Observed,
    ) -> Result<Planned, observe::Error> {
        let environment = context.environment;
        let mut plan = match self {
            Self::Everything => {
                let there = observe::existing(context.aws, plan::made(environment, &observed)).await?;
                let (free, kept) = unshared(context, &observed, there).await?;
                let mut plan = plan::down(environment, &observed, &free);
                plan.notes.extend(kept);
                let own = environment.services.iter().map(|service| service.family.as_str());
                plan.stages.insert(0, plan::stop_left(environment, &observed, own.chain(families(&free))));
                plan
            }
            Self::Orphans => {
                let (free, kept) = unshared(context, &observed, observed.orphans.clone()).await?;
                let mut plan = plan::removal(&free, &[], "no longer in deploy.toml");
                plan.notes = kept;
                let data = free.iter().filter(|owned| owned.kind.holds_data());
                plan.notes
                    .extend(data.map(|it| format!("{} {}: kept, it holds data", it.kind.words(), it.name)));
                plan.stages.insert(0, plan::stop_left(environment, &observed, families(&free)));
                plan
            }
        };
        plan.stages.retain(|stage| !stage.lanes.is_empty());
        let desired = Desired { environment: environment.clone(), release };
        Ok(Planned { desired, observed, plan, undo: Default::default() })
    }

    /// Carries the plan out under the environment's lease. Returns the exit code and the closing sentence.
    pub async fn run(self, context: &ReleaseContext<'_>, planned: &Planned) -> (ExitCode, String) {
        // Nothing of it can be restored, so no record of what was there is kept.
        let context = &ReleaseContext { roll_back: false, ..*context };
        let again = async |observed| self.plan(context, planned.desired.release.clone(), observed).await;
        let (held, planned) = match Box::pin(lease::take(context, planned, again)).await {
            Ok(taken) => taken,
            Err(Refused { error, hint, .. }) => {
                context.events.emit(Kind::Failed { error, hint });
                return (ExitCode::Usage, "not started; nothing was deleted".to_owned());
            }
        };
        let ids = ResourceIds::of(&planned.observed);
        let step_context = context.step_context(&planned, &ids);
        let work = async {
            for stage in &planned.plan.stages {
                if !held.is_still_held(context).await {
                    return (
                        ExitCode::Superseded,
                        "another run took the lease over before this one was complete".to_owned(),
                    );
                }
                context.events.emit(Kind::PhaseBegan { phase: Phase::Apply, about: stage.name.clone() });
                if let Err(failed) = apply::stage(&step_context, stage).await {
                    context.emit_failure(
                        &failed,
                        Some("fix the cause and run it again: only the rest is left".to_owned()),
                    );
                    return (ExitCode::NotRecovered, "not everything was deleted".to_owned());
                }
            }
            (ExitCode::Done, self.done(context.environment))
        };
        let ended = held.keep(context, work).await;
        // The lease is a tag of the cluster: DeleteCluster removed it.
        let gone = |action: &Action| matches!(action, Action::Remove(owned) if is_cluster(owned, context.environment));
        if ended.0 != ExitCode::Done || !planned.plan.steps().any(|step| gone(&step.action)) {
            held.give_back(context).await;
        }
        ended
    }

    fn done(self, environment: &Environment) -> String {
        match self {
            Self::Everything => format!("{} is down; {REMAINS}", environment.name),
            Self::Orphans => "deleted what is no longer in deploy.toml".to_owned(),
        }
    }
}

fn families(owned: &[Owned]) -> impl Iterator<Item = &str> + Clone {
    owned.iter().filter(|owned| owned.kind == OwnedKind::Family).map(|owned| owned.name.as_str())
}

fn is_cluster(owned: &Owned, environment: &Environment) -> bool {
    owned.kind == OwnedKind::Cluster && owned.name == environment.cluster
}

/// Keeps load balancers and listeners with rules of somebody else: AWS would delete those with them.
async fn unshared(
    context: &ReleaseContext<'_>,
    observed: &Observed,
    there: Vec<Owned>,
) -> Result<(Vec<Owned>, Vec<String>), aws::Error> {
    let (mut free, mut kept) = (Vec::new(), Vec::new());
    for owned in there {
        // ELBv2 deletes a load balancer's listeners with it, and a listener's rules (DeleteLoadBalancer, DeleteListener).
        let listeners = match owned.kind {
            OwnedKind::LoadBalancer => context.aws.describe_listeners(&owned.arn).await?,
            OwnedKind::Listener => context.aws.find_listener(&owned.arn).await?.into_iter().collect(),
            _ => Vec::new(),
        };
        let mut parts = Vec::new();
        for listener in listeners {
            let spec = &listener.state.spec;
            parts.push((format!("listener {}:{}", spec.protocol, spec.port), listener.state.arn.clone()));
            let rules = context.aws.describe_rules(&listener.state.arn).await?;
            parts.extend(rules.into_iter().filter_map(|it| it.state).map(|rule| (rule.words(), rule.arn)));
        }
        let theirs = |(_, arn): &&(String, String)| observed.maker(context.environment, arn) != Maker::Ours;
        match parts.iter().find(theirs) {
            Some((part, _)) => kept.push(format!(
                "{} {}: kept, because {part} on it is not this tool's",
                owned.kind.words(),
                owned.name
            )),
            None => free.push(owned),
        }
    }
    Ok((free, kept))
}
