//! Task definitions: register, describe, list, deregister.

use std::time::Duration;

use aws_sdk_ecs::operation::describe_task_definition::DescribeTaskDefinitionOutput;
use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionOutput;
use aws_sdk_ecs::types::{SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use deploy::model::spec::{Members, TaskDefinitionSpec};
use deploy::model::{TaskDefinitionState, arn_name};

use super::tags::{read_tags, wire_tags};
use crate::aws::call::Op;
use crate::aws::names::millis;
use crate::aws::raw::Raw;
use crate::aws::{Aws, Error, Kind, Tags};

const REGISTER: Op = Op::write_once("ecs", "RegisterTaskDefinition");
const DESCRIBE: Op = Op::read("ecs", "DescribeTaskDefinition");
const LIST: Op = Op::read("ecs", "ListTaskDefinitions");
const DEREGISTER: Op = Op::write("ecs", "DeregisterTaskDefinition");

/// How often a registration whose reply was lost is looked for and made again.
const ROUNDS: u32 = 3;
/// Time for a registration to be seen by DescribeTaskDefinition.
const SEEN_AFTER: Duration = Duration::from_secs(1);

/// A revision that was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredTaskDefinition {
    pub arn: String,
    pub revision: u32,
}

impl Aws {
    /// Registers a revision, once. RegisterTaskDefinition has no token: a second call makes a second revision. When a reply is lost, the
    /// family's latest revision is looked at before another attempt, and counts when it has this content and
    /// these tags; so let the tags name the release.
    pub async fn register_task_definition(
        &self,
        spec: &TaskDefinitionSpec,
        tags: &Tags,
    ) -> Result<RegisteredTaskDefinition, Error> {
        let mut round = 0;
        loop {
            round += 1;
            let error = match self.register_once(spec, tags).await {
                Err(error) if error.may_have_happened && round < ROUNDS => error,
                result => return result,
            };
            self.clock.sleep(SEEN_AFTER).await;
            match self.describe_task_definition(spec.family()).await {
                Ok(found)
                    if found.spec == *spec && tags.iter().all(|tag| found.tags.get(tag.0) == Some(tag.1)) =>
                {
                    return registered(found.arn);
                }
                Ok(_) => {}
                Err(look) if matches!(look.kind, Kind::NotFound) => {}
                // Without a look one cannot know; the first error says more than that the look failed too.
                Err(_) => return Err(error),
            }
        }
    }

    async fn register_once(
        &self,
        spec: &TaskDefinitionSpec,
        tags: &Tags,
    ) -> Result<RegisteredTaskDefinition, Error> {
        // The SDK's part of the request is the tags: the definition is AWS's own JSON.
        let call = || {
            let register =
                self.ecs.register_task_definition().family(spec.family()).set_tags(wire_tags(tags));
            register.customize().interceptor(Raw::with(spec.members().clone())).send()
        };
        let arn = |reply: RegisterTaskDefinitionOutput| {
            let arn = reply.task_definition.and_then(|definition| definition.task_definition_arn);
            arn.ok_or_else(|| "taskDefinitionArn".to_owned())
        };
        registered(self.call_for(REGISTER, call, arn).await?)
    }

    /// A revision, by ARN or `family:revision`, or the latest active one of a family by the family's name.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none; when AWS refuses.
    pub async fn describe_task_definition(&self, name: &str) -> Result<TaskDefinitionState, Error> {
        self.read_task_definition(name, Some(vec![TaskDefinitionField::Tags])).await
    }

    /// The same without its tags, for a caller that may not read them.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none; when AWS refuses.
    pub async fn describe_untagged_task_definition(&self, name: &str) -> Result<TaskDefinitionState, Error> {
        self.read_task_definition(name, None).await
    }

    async fn read_task_definition(
        &self,
        name: &str,
        include: Option<Vec<TaskDefinitionField>>,
    ) -> Result<TaskDefinitionState, Error> {
        let raw = Raw::default();
        let call = || {
            let describe = self.ecs.describe_task_definition().task_definition(name);
            describe.set_include(include.clone()).customize().interceptor(raw.clone()).send()
        };
        let found = |reply: DescribeTaskDefinitionOutput| {
            let found = reply.task_definition.ok_or_else(|| "taskDefinition".to_owned())?;
            let members = Members::of(raw.reply()["taskDefinition"].take());
            Ok(TaskDefinitionState {
                spec: TaskDefinitionSpec::of(members),
                registered_ms: millis(found.registered_at()),
                active: found.status() == Some(&TaskDefinitionStatus::Active),
                arn: found.task_definition_arn.ok_or_else(|| "taskDefinitionArn".to_owned())?,
                tags: read_tags(reply.tags),
            })
        };
        self.call_for(DESCRIBE, call, found).await
    }

    /// The ARNs of a family's revisions, newest first, at most `most`: those that are active, or those that are not.
    pub async fn list_task_definitions(
        &self,
        family: &str,
        active: bool,
        most: usize,
    ) -> Result<Vec<String>, Error> {
        let status = if active { TaskDefinitionStatus::Active } else { TaskDefinitionStatus::Inactive };
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = || {
                self.ecs
                    .list_task_definitions()
                    .family_prefix(family)
                    .status(status.clone())
                    // Newest first: of a family with thousands of revisions one page is enough.
                    .sort(SortOrder::Desc)
                    .max_results(100)
                    .set_next_token(next.clone())
                    .send()
            };
            let reply = self.call(LIST, call).await?;
            // `familyPrefix` matches families with longer names, too.
            let arns = reply.task_definition_arns.unwrap_or_default().into_iter();
            found.extend(arns.filter(|arn| family_of(arn) == family));
            next = reply.next_token;
            if next.is_none() || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
    }

    /// Makes a revision inactive: nothing new can be started from it.
    pub async fn deregister_task_definition(&self, arn: &str) -> Result<(), Error> {
        self.call(DEREGISTER, || self.ecs.deregister_task_definition().task_definition(arn).send())
            .await
            .map(drop)
    }
}

fn registered(arn: String) -> Result<RegisteredTaskDefinition, Error> {
    let revision = arn.rsplit(':').next().and_then(|number| number.parse().ok());
    let revision = revision.ok_or_else(|| Error::incomplete(REGISTER, "revision in taskDefinitionArn"))?;
    Ok(RegisteredTaskDefinition { arn, revision })
}

/// The family in `…:task-definition/<family>:<revision>`.
fn family_of(arn: &str) -> &str {
    let name = arn_name(arn);
    name.split(':').next().unwrap_or(name)
}
