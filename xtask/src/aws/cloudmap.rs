//! AWS Cloud Map: namespaces for Service Connect.

use std::time::Duration;

use aws_sdk_servicediscovery::types::{
    FilterCondition, NamespaceFilter, NamespaceFilterName, NamespaceSummary, NamespaceType, OperationStatus,
    OperationTargetType, Tag,
};
use deploy::model::NamespaceState;
use deploy::model::spec::NamespaceSpec;

use super::call::Op;
use super::error::gone;
use super::{Aws, Error, Kind, Tags};

const SERVICE: &str = "servicediscovery";
const LIST: Op = Op::read(SERVICE, "ListNamespaces");
/// Patient about a namespace that was created a moment ago.
const GET: Op = Op::read(SERVICE, "GetNamespace").patient(&["NamespaceNotFound"]);
const CREATE: Op = Op::write(SERVICE, "CreateHttpNamespace");
const OPERATION: Op = Op::read(SERVICE, "GetOperation");
/// Patient about endpoints of services that were deleted a moment ago.
const DELETE: Op = Op::write(SERVICE, "DeleteNamespace").patient(&["ResourceInUse"]);

/// An HTTP namespace is made within seconds.
const POLL: Duration = Duration::from_secs(1);
const POLLS: u32 = 120;

/// A namespace as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    pub name: String,
    pub arn: String,
    pub id: String,
    /// Whether it is of type HTTP, as Service Connect prefers.
    pub http: bool,
}

impl From<Namespace> for NamespaceState {
    fn from(namespace: Namespace) -> Self {
        Self { arn: namespace.arn, id: namespace.id }
    }
}

impl Aws {
    /// The namespace of this name. Where several have it, as an HTTP and a DNS namespace may, the HTTP one.
    pub async fn find_namespace(&self, name: &str) -> Result<Option<Namespace>, Error> {
        let filter = NamespaceFilter::builder()
            .name(NamespaceFilterName::Name)
            .values(name)
            .condition(FilterCondition::Eq)
            .build()
            .map_err(|error| Error::unsendable(LIST, &error))?;
        let page = |next| self.cloudmap.list_namespaces().filters(filter.clone()).set_next_token(next).send();
        let found = self.pages(LIST, page, |reply| (reply.namespaces, reply.next_token)).await?;
        // Some emulators ignore the filter.
        let named = found.into_iter().map(read).filter(|it| it.name == name);
        Ok(named.min_by_key(|namespace| (!namespace.http, namespace.id.clone())))
    }

    /// # Errors
    /// [`Kind::NotFound`] when there is none; when AWS refuses.
    pub async fn get_namespace(&self, id: &str) -> Result<Namespace, Error> {
        let call = || self.cloudmap.get_namespace().id(id).send();
        let found = self.call_for(GET, call, |reply| Ok(reply.namespace.ok_or("Namespace")?)).await?;
        Ok(Namespace {
            name: found.name.unwrap_or_default(),
            arn: found.arn.unwrap_or_default(),
            id: found.id.unwrap_or_default(),
            http: found.r#type == Some(NamespaceType::Http),
        })
    }

    /// Creates an HTTP namespace and waits until it is there; one that exists stays as it is.
    pub async fn create_http_namespace(&self, spec: &NamespaceSpec, tags: &Tags) -> Result<Namespace, Error> {
        let name = &spec.name;
        // The same for all attempts of this call: a repeated one is then harmless.
        let request = format!("{:016x}", self.rng.next_u64());
        let tags: Vec<Tag> = tags
            .iter()
            .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
            .collect();
        let call = || {
            self.cloudmap
                .create_http_namespace()
                .name(name)
                .creator_request_id(&request)
                .set_tags((!tags.is_empty()).then(|| tags.clone()))
                .send()
        };
        // CreateHttpNamespace only starts an operation: the namespace has an id once that has succeeded.
        let made =
            match self.call_for(CREATE, call, |reply| Ok(reply.operation_id.ok_or("OperationId")?)).await {
                Ok(operation) => self.await_namespace(&operation).await,
                Err(error) => Err(error),
            };
        match made {
            Err(error) if is_made_already(&error) => self.await_other(name, error).await,
            result => result,
        }
    }

    /// The namespace that another request made or is making, such as one of a run that was killed.
    async fn await_other(&self, name: &str, refused: Error) -> Result<Namespace, Error> {
        for _ in 0..POLLS {
            if let Some(found) = self.find_namespace(name).await? {
                return Ok(found);
            }
            self.clock.sleep(POLL).await;
        }
        Err(refused)
    }

    async fn await_namespace(&self, operation: &str) -> Result<Namespace, Error> {
        for _ in 0..POLLS {
            let call = || self.cloudmap.get_operation().operation_id(operation).send();
            let found =
                self.call_for(OPERATION, call, |reply| Ok(reply.operation.ok_or("Operation")?)).await?;
            match found.status {
                Some(OperationStatus::Success) => {
                    let targets = found.targets.unwrap_or_default();
                    let id = targets.get(&OperationTargetType::Namespace);
                    let id = id.ok_or_else(|| Error::incomplete(OPERATION, "namespace id"))?;
                    match self.get_namespace(id).await {
                        // A replica that has not heard of it yet.
                        Err(error) if error.kind == Kind::NotFound => self.clock.sleep(POLL).await,
                        found => return found,
                    }
                }
                Some(OperationStatus::Fail) => {
                    let code = found.error_code.unwrap_or_default();
                    return Err(Error::operation_failed(
                        CREATE,
                        &code,
                        &found.error_message.unwrap_or_default(),
                    ));
                }
                _ => self.clock.sleep(POLL).await,
            }
        }
        Err(Error::operation_failed(
            CREATE,
            "OperationTimedOut",
            "the namespace was not made within two minutes",
        ))
    }

    /// Deletes a namespace. A missing one is not an error.
    ///
    /// # Errors
    /// [`Kind::Conflict`] while services are in it; when AWS refuses.
    pub async fn delete_namespace(&self, id: &str) -> Result<(), Error> {
        self.call(DELETE, || self.cloudmap.delete_namespace().id(id).send()).await.map(drop).or_else(gone)
    }
}

/// There is one, or another request is making it.
fn is_made_already(error: &Error) -> bool {
    matches!(error.kind, Kind::AlreadyExists) || error.code.as_deref() == Some("DuplicateRequest")
}

fn read(found: NamespaceSummary) -> Namespace {
    Namespace {
        name: found.name.unwrap_or_default(),
        arn: found.arn.unwrap_or_default(),
        id: found.id.unwrap_or_default(),
        http: found.r#type == Some(NamespaceType::Http),
    }
}
