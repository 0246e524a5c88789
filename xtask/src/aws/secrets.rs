//! Secrets Manager and the SSM parameter store: when a secret was changed, and a new value. A value is never read.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::call::Op;
use super::lite::{self, Api};
use super::{Aws, Error, Kind};
use crate::host::Secret;

const SECRET: Op = Op::read("secretsmanager", "DescribeSecret");
const PUT_SECRET: Op = Op::write("secretsmanager", "PutSecretValue");
const PARAMETERS: Op = Op::read("ssm", "DescribeParameters");
const PUT_PARAMETER: Op = Op::write("ssm", "PutParameter");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    last_changed_date: Option<f64>,
    last_modified_date: Option<f64>,
    created_date: Option<f64>,
    kms_key_id: Option<String>,
    key_id: Option<String>,
}

/// What a store says of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSecret {
    /// When it was changed last, in milliseconds since the Unix epoch.
    pub changed_ms: u64,
    /// The KMS key that it is encrypted with, where it is not AWS's own for the store.
    pub key: Option<String>,
}

impl Described {
    fn found(self) -> FoundSecret {
        let secs = self.last_changed_date.or(self.last_modified_date).or(self.created_date);
        let changed_ms = (secs.unwrap_or(0.0) * 1_000.0).max(0.0) as u64;
        let own = |key: &String| key.starts_with("alias/aws/") || key.contains(":alias/aws/");
        FoundSecret { changed_ms, key: self.kms_key_id.or(self.key_id).filter(|key| !own(key)) }
    }
}

/// The region of an ARN, and its resource without `parameter`; a name is of no region.
fn place(id: &str) -> (Option<&str>, &str) {
    let mut parts = id.splitn(6, ':');
    match (parts.next(), parts.nth(2), parts.nth(1)) {
        (Some("arn"), Some(region), Some(resource)) => {
            // The ARN of `/a/b` and the one of a name without a slash begin alike.
            let path = resource.strip_prefix("parameter").unwrap_or(resource);
            let flat = path.strip_prefix('/').filter(|name| !name.contains('/'));
            (Some(region), flat.unwrap_or(path))
        }
        _ => (None, id),
    }
}

impl Aws {
    /// A secret by its ARN; `None` when there is no such secret.
    pub async fn find_secret(&self, arn: &str) -> Result<Option<FoundSecret>, Error> {
        let members = json!({"SecretId": arn});
        let region = place(arn).0;
        match self.secrets::<Described>(SECRET, Api::SecretsManager, region, &members).await {
            Ok(described) => Ok(Some(described.found())),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same for a parameter, by its name, or by its ARN of whichever region.
    pub async fn find_parameter(&self, id: &str) -> Result<Option<FoundSecret>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Reply {
            #[serde(default)]
            parameters: Vec<Described>,
            next_token: Option<String>,
        }
        let (region, name) = place(id);
        let mut members =
            json!({"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [name]}]});
        loop {
            let reply: Reply = self.secrets(PARAMETERS, Api::Ssm, region, &members).await?;
            if let Some(found) = reply.parameters.into_iter().next() {
                return Ok(Some(found.found()));
            }
            // A page may be empty before the one that has it.
            let Some(next) = reply.next_token else { return Ok(None) };
            members["NextToken"] = Value::String(next);
        }
    }

    /// Gives a secret another value. A second call with the same token (32 to 64 characters) changes nothing.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such secret; when AWS refuses.
    pub async fn put_secret_value(&self, arn: &str, value: &Secret, token: &str) -> Result<(), Error> {
        let members = json!({"SecretId": arn, "SecretString": value.expose(), "ClientRequestToken": token});
        self.secrets::<Value>(PUT_SECRET, Api::SecretsManager, place(arn).0, &members).await.map(drop)
    }

    /// Gives a parameter another value, or makes it. It keeps the key that it is encrypted with: without one PutParameter would take
    /// the account's own for the store.
    ///
    /// # Errors
    /// When AWS refuses, or does not say which key that is.
    pub async fn put_parameter(&self, id: &str, value: &Secret) -> Result<(), Error> {
        let (region, name) = place(id);
        let key = self.find_parameter(id).await?.and_then(|found| found.key);
        let mut members =
            json!({"Name": name, "Value": value.expose(), "Type": "SecureString", "Overwrite": true});
        if let Some(key) = key {
            members["KeyId"] = Value::String(key);
        }
        self.secrets::<Value>(PUT_PARAMETER, Api::Ssm, region, &members).await.map(drop)
    }

    async fn secrets<T: DeserializeOwned>(
        &self,
        op: Op,
        api: Api,
        region: Option<&str>,
        members: &Value,
    ) -> Result<T, Error> {
        let target = if api == Api::Ssm { "AmazonSSM" } else { "secretsmanager" };
        // An ARN may name a secret of another region, which only the endpoint there knows.
        let other = region.filter(|region| *region != self.region()).map(|region| self.lite.at(region));
        let lite = other.as_ref().unwrap_or(&self.lite);
        let body = self.call(op, || lite.json(api, op.name, target, members)).await?;
        lite::json(&body).map_err(|why| Error::unreadable(op, &body, &why))
    }
}
