//! Service Quotas. Reads only.

use std::collections::BTreeMap;

use deploy::doctor::Quota;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Op;
use super::lite::{self, Api};
use super::{Aws, Error};

const LIST: Op = Op::read("servicequotas", "ListServiceQuotas");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(default)]
    quotas: Vec<Row>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(default)]
    quota_name: String,
    #[serde(default)]
    value: f64,
}

impl Aws {
    /// The applied values of the quotas that a release can run into. One that is not listed is left out.
    pub async fn list_service_quotas(&self) -> Result<BTreeMap<Quota, f64>, Error> {
        let mut services: Vec<&str> = Quota::ALL.iter().map(|quota| quota.aws().0).collect();
        services.dedup();
        let rows = try_join_all(services.into_iter().map(|service| self.quotas_of(service))).await?.concat();
        let value = |quota: Quota| {
            rows.iter().find(|(name, _)| name == quota.aws().1).map(|(_, value)| (quota, *value))
        };
        Ok(Quota::ALL.into_iter().filter_map(value).collect())
    }

    async fn quotas_of(&self, service: &str) -> Result<Vec<(String, f64)>, Error> {
        let mut members = json!({ "ServiceCode": service, "MaxResults": 100 });
        let mut found = Vec::new();
        loop {
            let call = || self.lite.json(Api::Quotas, LIST.name, "ServiceQuotasV20190624", &members);
            let body = self.call(LIST, call).await?;
            let reply: Reply = lite::json(&body).map_err(|why| Error::unreadable(LIST, &body, &why))?;
            found.extend(reply.quotas.into_iter().map(|row| (row.quota_name, row.value)));
            let Some(next) = reply.next_token else { return Ok(found) };
            members["NextToken"] = Value::String(next);
        }
    }
}
