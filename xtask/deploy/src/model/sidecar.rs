//! `[service.NAME.sidecar.NAME]`: the other containers of a service's tasks.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::spec::Members;
use super::{Container, Service, Volume};

/// Another container in each task of the service: an agent, a proxy, a log router, or something that has to
/// be done before the application starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sidecar {
    /// Its image as its registry calls it, such as `public.ecr.aws/datadog/agent:7`: a tag runs by the digest that it has when
    /// the release is planned. The service's own image when omitted.
    #[schemars(length(min = 1, max = 4096))]
    pub image: Option<String>,
    /// Whether the task ends when this container ends. One that others wait to end must not be essential.
    pub essential: bool,
    /// CPU units of the task that are its own.
    #[schemars(range(min = 1, max = 32768))]
    pub cpu: Option<u32>,
    /// The memory of the task, in MiB, that it may use; with more it is killed.
    #[schemars(range(min = 6, max = 249_856))]
    pub memory_mib: Option<u32>,
    /// It is the router for the logs of containers with a `log-output`.
    pub log_router: Option<LogRouter>,
    /// The service's volumes that it has, and where: `NAME = "/path"`.
    pub mounts: BTreeMap<String, String>,
    /// Further members of this container, in AWS's own words (ECS ContainerDefinition).
    #[schemars(schema_with = "sidecar")]
    pub aws: Members,
    /// What it has in common with the service's own container.
    #[serde(flatten)]
    pub container: Container,
}

impl Default for Sidecar {
    fn default() -> Self {
        Self {
            image: None,
            essential: true,
            cpu: None,
            memory_mib: None,
            log_router: None,
            mounts: BTreeMap::new(),
            aws: Members::default(),
            container: Container::default(),
        }
    }
}

impl Service {
    /// Its containers, the own one first, each with its path below the service's.
    pub fn containers(&self) -> impl Iterator<Item = (String, &Container)> {
        let path = |name: &String| format!("sidecar.{name}");
        let beside = self.sidecars.iter().map(move |it| (path(&it.container.name), &it.container));
        [("container".to_owned(), &self.container)].into_iter().chain(beside)
    }

    /// The containers whose end is the end of their task.
    pub fn essential(&self) -> impl Iterator<Item = &Container> {
        let beside = self.sidecars.iter().filter(|it| it.essential).map(|it| &it.container);
        [&self.container].into_iter().chain(beside)
    }

    /// The volumes that a container has, and where.
    pub fn mounts<'a>(&'a self, container: &'a str) -> impl Iterator<Item = (&'a Volume, &'a String)> {
        let sidecar = self.sidecars.iter().find(move |it| it.container.name == container);
        let own = container == self.container.name;
        self.volumes.iter().filter_map(move |volume| {
            let of_sidecar = || sidecar?.mounts.get(&volume.name);
            Some((volume, if own { volume.mount.as_ref() } else { of_sidecar() }?))
        })
    }

    pub fn is_sidecar(&self, container: &str) -> bool {
        self.sidecars.iter().any(|it| it.container.name == container)
    }

    /// The package that a container's image is made of; `None` where it is made otherwise, or elsewhere.
    pub fn package_of(&self, container: &str) -> Option<&String> {
        let foreign = |it: &Sidecar| it.container.name == container && it.image.is_some();
        self.build.cargo.as_ref().filter(|_| !self.sidecars.iter().any(foreign))
    }
}

fn sidecar(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/aws.table.sidecar" })
}

/// The program of a log router (`firelensConfiguration.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogRouter {
    FluentBit,
    Fluentd,
}

/// How far another container must be before one starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Condition {
    /// The other container has started.
    Start,
    /// It has ended, whatever its exit code.
    Complete,
    /// It has ended with 0.
    Success,
    /// Its health check has passed.
    Healthy,
}
