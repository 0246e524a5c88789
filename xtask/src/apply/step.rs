//! One step: one action, the calls that it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use deploy::event::Kind;
use deploy::model::spec::{Member, ServiceSpec, TaskDefinitionSpec};
use deploy::model::{Desired, Environment, ImageDigest, Owner, ServiceKey, arn_name};
use deploy::plan::{Action, Revision, RuleMove, client_token, release_tags};
use deploy::rollout::ServiceSnapshot;

use super::arn::{any_target_group, forwards, labelled, listener, load_balancer, rule, target_group};
use super::remove::{gone, remove};
use super::{Deployed, ResourceIds, before_roll};
use crate::aws::{self, Aws};
use crate::host::{Halt, Host};
use crate::image::registry::{self, Credential, PushEvent, Registry};
use crate::image::{self, Image};
use crate::observe;
use crate::report::Recorder;

/// Everything that a step works with.
#[derive(Debug)]
pub struct StepContext<'a> {
    pub aws: &'a Aws,
    /// Sockets, clock and randomness, for the registry.
    pub host: &'a Host,
    /// What is wanted; `None` when the environment is taken down.
    pub desired: Option<&'a Desired>,
    /// The images that may have to be pushed.
    pub images: &'a BTreeMap<ServiceKey, Image>,
    /// Where the registry is, when it is not where ECR says.
    pub registry: Option<&'a str>,
    /// The environment, whose tags all that is made gets.
    pub environment: &'a Environment,
    pub ids: &'a ResourceIds,
    /// A stop that is asked for meanwhile.
    pub halt: &'a Halt,
    pub events: &'a Recorder,
}

#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// AWS refused or did not answer.
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// The image could not be pushed.
    #[error(transparent)]
    Push(#[from] registry::Error),
    /// A deleted service still drains.
    #[error("service {0} is still DRAINING; run this again")]
    Draining(String),
    /// The task before the roll failed, or could not be run to its end.
    #[error("{0}")]
    BeforeRoll(String),
    /// A name of the plan means nothing: an earlier step that should have made it did not.
    #[error("no id for {0}: this is a bug in the plan")]
    Unknown(String),
}

impl StepError {
    /// Whether AWS refused it outright: it changed nothing.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Aws(error) if !error.may_have_happened)
    }

    /// What the operator can do about AWS's refusal.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(error) => error.hint(),
            _ => None,
        }
    }
}

/// Carries out one action and returns what came of it, for the record.
pub(super) async fn carry_out(context: &StepContext<'_>, action: &Action) -> Result<String, StepError> {
    let StepContext { aws, ids, .. } = context;
    let tags = tags(context);
    match action {
        Action::CreateRepository(spec) => {
            let uri = aws.create_repository(spec, &tags).await?;
            ids.learn(|ids| drop(ids.repositories.insert(spec.name.clone(), uri.clone())));
            return Ok(uri);
        }
        Action::SetTagMutability(spec) => aws.put_image_tag_mutability(spec).await?,
        Action::PutLifecyclePolicy(spec) => aws.put_lifecycle_policy(spec).await?,
        Action::PushImage { service, repository, digest } => {
            return push(context, service, repository, digest).await;
        }
        Action::CreateLogGroup(spec) => {
            // CreateLogGroup has no retention: without the second call the lines are kept, and paid for, for ever.
            aws.create_log_group(spec, &tags).await?;
            aws.put_retention_policy(spec).await?;
        }
        Action::SetLogRetention(spec) => aws.put_retention_policy(spec).await?,
        Action::PutCapacityProviders { cluster, default_strategy } => {
            aws.put_capacity_providers(cluster, default_strategy).await?;
        }
        Action::CreateCluster(spec) => {
            aws.create_cluster(spec, &tags).await?;
        }
        Action::CreateNamespace(spec) => {
            let namespace = aws.create_http_namespace(spec, &tags).await?;
            ids.learn(|ids| ids.namespace = Some((namespace.arn, namespace.id.clone())));
            return Ok(namespace.id);
        }
        Action::CreateLoadBalancer(spec) => {
            // Attributes are no members of CreateLoadBalancer.
            let made = aws.create_load_balancer(spec, &tags).await?;
            if !spec.attributes.is_empty() {
                aws.set_load_balancer_attributes(&made.arn, &spec.attributes).await?;
            }
            ids.learn(|ids| ids.load_balancer = Some((made.arn, made.dns_name.clone())));
            return Ok(made.dns_name);
        }
        Action::SetLoadBalancerAttributes(spec) => {
            aws.set_load_balancer_attributes(&load_balancer(ids)?, &spec.attributes).await?;
        }
        Action::CreateListener(spec) => {
            let arn = aws.create_listener(spec, &load_balancer(ids)?, &tags).await?;
            // Rules belong to the listener that forwards, never to the one that only redirects to HTTPS.
            if spec.redirect_to.is_none() {
                ids.learn(|ids| ids.listener = Some(arn));
            }
        }
        Action::ModifyListener(spec) => {
            let arn = if spec.redirect_to.is_some() { ids.redirect() } else { ids.listener() };
            let arn = arn.ok_or_else(|| StepError::Unknown(format!("listener {}", spec.port)))?;
            aws.modify_listener(&arn, spec).await?;
        }
        Action::AddListenerCertificates { certificates, .. } => {
            aws.add_listener_certificates(&listener(ids)?, certificates).await?;
        }
        Action::CreateTargetGroup(spec) => {
            let arn = aws.create_target_group(spec, &tags).await?;
            ids.learn(|ids| drop(ids.target_groups.insert(spec.name.clone(), arn.clone())));
            // Attributes are no members of CreateTargetGroup. Without this call every old task would drain
            // for the default of 300 s.
            aws.set_target_group_attributes(&arn, &spec.attributes).await?;
        }
        Action::ModifyTargetGroup(spec) => {
            aws.modify_target_group(&target_group(ids, &spec.name)?, spec).await?
        }
        Action::SetTargetGroupAttributes(spec) => {
            let arn = target_group(ids, &spec.name)?;
            aws.set_target_group_attributes(&arn, &spec.attributes).await?;
        }
        Action::CreateRule(spec) => {
            let arn = aws.create_rule(&listener(ids)?, spec, &forwards(aws, ids, spec).await?, &tags).await?;
            ids.learn(|ids| drop(ids.rules.insert(spec.priority, arn)));
        }
        Action::ModifyRule(spec) => {
            aws.modify_rule(&rule(ids, spec)?, spec, &forwards(aws, ids, spec).await?).await?;
        }
        Action::MoveRules { moves } => {
            let arn = |moved: &RuleMove| {
                ids.rule(moved.from)
                    .map(|arn| (arn, moved.to))
                    .ok_or_else(|| StepError::Unknown(format!("rule {}", moved.from)))
            };
            let priorities = moves.iter().map(arn).collect::<Result<Vec<_>, _>>()?;
            // All in one call: a priority is unique in its listener at any moment, so rules that swap theirs
            // cannot move one by one.
            aws.set_rule_priorities(&priorities).await?;
            ids.move_rules(moves);
        }
        Action::DeleteRule(spec) => aws.delete_rule(&rule(ids, spec)?).await?,
        Action::RegisterTaskDefinition { service, spec, kept } => {
            return register(context, service, spec, kept).await;
        }
        Action::RunTask { service, spec, revision, task, follows: _ } => {
            let unknown = || StepError::Unknown(format!("service {service}"));
            let service = context.environment.service(service).ok_or_else(unknown)?;
            return before_roll::run(context, service, spec, &arn(context, revision)?, task).await;
        }
        Action::EndTask { cluster, task, revision, limit_secs } => {
            return before_roll::end(context, cluster, task, revision, *limit_secs).await;
        }
        Action::DeregisterTaskDefinition { revision } => aws.deregister_task_definition(revision).await?,
        Action::CreateService { service, spec, revision, desired } => {
            return create(context, service, spec, revision, *desired).await;
        }
        Action::UpdateService { service, spec, members, revision, force } => {
            return update(context, service, spec, members, revision.as_ref(), *force).await;
        }
        Action::SetDesiredCount { name, to, .. } => {
            // The count alone: UpdateService keeps every member that is left out.
            aws.set_desired_count(&desired(context)?.environment.cluster, name, *to).await?;
        }
        Action::RegisterScalableTarget(spec) => aws.register_scalable_target(spec, &tags).await?,
        Action::PutScalingPolicy(spec) => aws.put_scaling_policy(&labelled(ids, spec)?).await?,
        Action::PutScheduledAction(spec) => aws.put_scheduled_action(spec).await?,
        Action::DeleteScheduledAction(spec) => aws.delete_scheduled_action(spec).await?,
        Action::DeleteScalingPolicy(spec) => aws.delete_scaling_policy(spec).await?,
        Action::DeregisterScalableTarget(spec) => aws.deregister_scalable_target(spec).await?,
        Action::Remove(owned) => remove(context, owned).await?,
    }
    Ok(String::new())
}

fn desired<'a>(context: &StepContext<'a>) -> Result<&'a Desired, StepError> {
    context.desired.ok_or_else(|| StepError::Unknown("the release".to_owned()))
}

async fn push(
    context: &StepContext<'_>,
    service: &ServiceKey,
    repository: &str,
    digest: &ImageDigest,
) -> Result<String, StepError> {
    let image = context
        .images
        .get(service)
        .filter(|image| image.digest == *digest)
        .ok_or_else(|| StepError::Unknown(format!("the image {}", digest.short())))?;
    // A token for each push: it is valid for 12 hours, and a build that waited for consent may have outlived an older one.
    let login = context.aws.registry_login(None).await?;
    let registry = Registry {
        base_url: context.registry.map_or(login.proxy_endpoint, str::to_owned),
        repository: repository.to_owned(),
        credential: Some(Credential::of_header(login.authorization.expose())),
    };
    let tag = image::tag_for(&desired(context)?.release, digest);
    let of = image.blobs().map(|blob| blob.bytes().len() as u64).sum();
    let done = AtomicU64::new(0);
    let report = |event: PushEvent| {
        if let PushEvent::Present { bytes, .. } | PushEvent::Uploaded { bytes, .. } = &event {
            let done = done.fetch_add(*bytes, Ordering::Relaxed) + bytes;
            context.events.emit(Kind::Pushing { service: service.clone(), done, of });
        }
        event.warning().into_iter().for_each(|text| context.events.emit(Kind::Warned { text }));
    };
    let report = registry::push(context.host, &registry, image, &tag, &report).await?;
    if let Some(inputs) = &image.inputs {
        remember(context, &registry, image, inputs).await;
    }
    Ok(format!("{} blobs sent, {} there already, tag {}", report.uploaded_blobs, report.skipped, report.tag))
}

/// Tags an image with what it was built from, so that other machines find it. The next number is taken, never a moved tag: the
/// last one counts, where tags are immutable too. Without the tag others build again, which fails no release.
async fn remember(context: &StepContext<'_>, registry: &Registry, image: &Image, inputs: &str) {
    let repository = &registry.repository;
    let why = match observe::made(context.aws, repository, inputs).await {
        Ok(Some((_, last))) if last == image.digest => return,
        Ok(Some((image::INPUT_TAGS, _))) => format!("{} other images have such tags", image::INPUT_TAGS),
        Ok(last) => {
            let tag = image::inputs_tag(inputs, last.map_or(1, |(number, _)| number + 1));
            match registry::tag(context.host, registry, image, &tag, &|_| {}).await {
                Ok(()) => return,
                Err(error) => error.to_string(),
            }
        }
        Err(error) => error.to_string(),
    };
    let text = format!(
        "the image of {repository} has no tag of its inputs, so other machines build it again: {why}"
    );
    context.events.emit(Kind::Warned { text });
}

/// Registers the revision, with its image under the address that the repository turned out to have.
async fn register(
    context: &StepContext<'_>,
    service: &ServiceKey,
    spec: &TaskDefinitionSpec,
    kept: &aws::Tags,
) -> Result<String, StepError> {
    let desired = desired(context)?;
    let spec = spec.clone().with_images(|image| {
        let (name, digest) = image.split_once('@')?;
        // An image whose name is none of our repositories belongs to another registry.
        let ours =
            desired.environment.service(service).is_some_and(|service| service.repository.name == name);
        ours.then(|| Some(format!("{}@{digest}", context.ids.repository(name)?)))?
    });
    let mut tags = kept.clone();
    tags.extend(release_tags(&Owner::of(context.environment), &desired.release));
    let arn = context.aws.register_task_definition(&spec, &tags).await?.arn;
    context.ids.learn(|ids| drop(ids.revisions.insert(spec.family().to_owned(), arn.clone())));
    Ok(arn_name(&arn).to_owned())
}

async fn create(
    context: &StepContext<'_>,
    service: &ServiceKey,
    spec: &ServiceSpec,
    revision: &Revision,
    count: u32,
) -> Result<String, StepError> {
    let revision = arn(context, revision)?;
    let create = aws::CreateService {
        spec,
        task_definition: &revision,
        desired: count,
        arns: &arns(context, spec).await?,
        client_token: &client_token(&desired(context)?.release, &spec.name),
        tags: &tags(context),
    };
    let answer = match context.aws.create_service(&create).await {
        // "Unable to Start a service that is still Draining.": a deleted service keeps its name until its tasks have stopped.
        Err(error) if matches!(error.kind, aws::Kind::Conflict) => {
            gone(context, &spec.cluster, &spec.name).await?;
            context.aws.create_service(&create).await?
        }
        answer => answer?,
    };
    follow(context, service, &answer, revision, None)
}

async fn update(
    context: &StepContext<'_>,
    service: &ServiceKey,
    spec: &ServiceSpec,
    members: &BTreeSet<Member>,
    revision: Option<&Revision>,
    force: bool,
) -> Result<String, StepError> {
    let before = context.ids.deployed(service);
    let revision = match revision {
        Some(revision) => Some(arn(context, revision)?),
        None => None,
    };
    let update = aws::UpdateService {
        spec,
        members,
        task_definition: revision.as_deref(),
        // The count belongs to Application Auto Scaling, which may change it between our read and this write.
        desired: None,
        force_new_deployment: force,
        previous_primary: before.as_ref().map(|before| before.deployment.as_str()),
        arns: &arns(context, spec).await?,
    };
    let answer = context.aws.update_service(&update).await?;
    let running = before.map(|before| before.revision).unwrap_or_default();
    let current = context.ids.service_deployment(service);
    follow(context, service, &answer, revision.unwrap_or(running), current)
}

/// Remembers the deployment that the reply calls PRIMARY: it is ours.
fn follow(
    context: &StepContext<'_>,
    service: &ServiceKey,
    answer: &ServiceSnapshot,
    revision: String,
    before: Option<String>,
) -> Result<String, StepError> {
    // From the reply to our own write: DescribeServices may still show the deployment before it.
    let primary =
        answer.primary().ok_or_else(|| StepError::Unknown(format!("the deployment of {}", answer.name)))?;
    let deployment = primary.id.clone();
    let deployed = Deployed { deployment: deployment.clone(), revision, before, adopted: false };
    context.ids.learn(|ids| drop(ids.deployed.insert(service.clone(), deployed)));
    Ok(deployment)
}

fn arn(context: &StepContext<'_>, revision: &Revision) -> Result<String, StepError> {
    match revision {
        Revision::Existing(arn) => Ok(arn.clone()),
        Revision::Registered(family) => context
            .ids
            .revision(family)
            .ok_or_else(|| StepError::Unknown(format!("a new revision of {family}"))),
    }
}

async fn arns(context: &StepContext<'_>, spec: &ServiceSpec) -> Result<aws::Arns, StepError> {
    let mut arns = aws::Arns::default();
    for binding in &spec.load_balancers {
        let arn = any_target_group(context.aws, context.ids, &binding.target_group).await?;
        arns.target_groups.insert(binding.target_group.clone(), arn);
    }
    // The ARN, not the name: an HTTP and a DNS namespace may share a name (aws/aws-cdk#25616).
    if let (Some(connect), Some((arn, _))) = (&spec.connect, context.ids.namespace()) {
        arns.namespaces.insert(connect.namespace.clone(), arn);
    }
    Ok(arns)
}

/// The tags of everything that is created. Revisions get those of their release as well.
fn tags(context: &StepContext<'_>) -> aws::Tags {
    Owner::of(context.environment).tags()
}
