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

impl Aws {
    /// A secret by its ARN; `None` when there is no such secret.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find_secret(&self, arn: &str) -> Result<Option<FoundSecret>, Error> {
        let members = json!({"SecretId": arn});
        match self.secrets::<Described>(SECRET, Api::SecretsManager, "secretsmanager", &members).await {
            Ok(described) => Ok(Some(described.found())),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same for a parameter, by its name.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find_parameter(&self, name: &str) -> Result<Option<FoundSecret>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Reply {
            #[serde(default)]
            parameters: Vec<Described>,
            next_token: Option<String>,
        }
        let mut members =
            json!({"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [name]}]});
        loop {
            let reply: Reply = self.secrets(PARAMETERS, Api::Ssm, "AmazonSSM", &members).await?;
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
        self.secrets::<Value>(PUT_SECRET, Api::SecretsManager, "secretsmanager", &members).await.map(drop)
    }

    /// Gives a parameter another value, or makes it, encrypted with the account's own key.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put_parameter(&self, name: &str, value: &Secret) -> Result<(), Error> {
        let members =
            json!({"Name": name, "Value": value.expose(), "Type": "SecureString", "Overwrite": true});
        self.secrets::<Value>(PUT_PARAMETER, Api::Ssm, "AmazonSSM", &members).await.map(drop)
    }

    async fn secrets<T: DeserializeOwned>(
        &self,
        op: Op,
        api: Api,
        target: &str,
        members: &Value,
    ) -> Result<T, Error> {
        let body = self.call(op, || self.lite.json(api, op.name, target, members)).await?;
        lite::json(&body).map_err(|why| Error::unreadable(op, &body, &why))
    }
}
