//! AWS Certificate Manager: what a certificate is for, and until when. Reads only.

use deploy::doctor::Certificate;
use serde::Deserialize;
use serde_json::json;

use super::call::Op;
use super::error::found;
use super::lite::{self, Api};
use super::{Aws, Error};

const CERTIFICATE: Op = Op::read("acm", "DescribeCertificate");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    certificate: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    #[serde(default)]
    status: String,
    #[serde(default)]
    subject_alternative_names: Vec<String>,
    /// Seconds since the Unix epoch.
    not_after: Option<f64>,
}

impl Aws {
    /// The certificate of this ARN; `None` when there is none in this account and region.
    pub async fn describe_certificate(&self, arn: &str) -> Result<Option<Certificate>, Error> {
        let members = json!({ "CertificateArn": arn });
        let call = || self.lite.json(Api::Acm, CERTIFICATE.name, "CertificateManager", &members);
        let Some(body) = found(self.call(CERTIFICATE, call).await)? else { return Ok(None) };
        let reply: Reply = lite::json(&body).map_err(|why| Error::unreadable(CERTIFICATE, &body, &why))?;
        let Detail { status, subject_alternative_names: names, not_after } = reply.certificate;
        let not_after_ms = not_after.map(|secs| (secs * 1_000.0).max(0.0) as u64);
        Ok(Some(Certificate { status, names, not_after_ms }))
    }
}
