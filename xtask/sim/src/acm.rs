//! Certificates as AWS Certificate Manager shows them. They are brought with the landing zone: nothing here issues one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::Handler;
use crate::base::ZoneCertificate;
use crate::base::{Base, Millis};
use crate::wire::Operations;
use crate::wire::{ApiError, ApiRequest, Outcome, text};

#[derive(Debug, Default)]
pub(crate) struct State(BTreeMap<String, ZoneCertificate>);

impl State {
    pub(crate) fn furnish(&mut self, certificates: &[ZoneCertificate]) {
        for brought in certificates {
            self.0.entry(brought.arn.clone()).or_insert_with(|| brought.clone());
        }
    }
}

pub(crate) const OPERATIONS: Operations<Handler<State>> =
    &[("DescribeCertificate", |base, acm, now, request| describe(base, acm, now, request))];

const HALF_A_YEAR_SECS: u64 = 183 * 86_400;

fn describe(base: &Base, acm: &State, now: Millis, request: &ApiRequest) -> Outcome {
    let arn = text(request, "CertificateArn")?;
    let found = acm.0.get(&arn).ok_or_else(|| {
        let owner = &base.settings.account;
        let text = format!("Could not find certificate {arn} in account {owner}");
        ApiError::new("ResourceNotFoundException", text)
    })?;
    let issued = found.status != "PENDING_VALIDATION";
    let not_after = issued.then(|| found.not_after.unwrap_or(now.0 / 1_000 + HALF_A_YEAR_SECS));
    Ok(json!({ "Certificate": {
        "CertificateArn": arn,
        "DomainName": found.names.first(),
        "SubjectAlternativeNames": found.names,
        "Status": found.status,
        "Type": "AMAZON_ISSUED",
        "NotAfter": not_after.map_or(Value::Null, Value::from),
    } }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::base::Settings;
    use crate::wire::Api;

    #[test]
    fn a_pending_certificate_has_no_end_and_an_unknown_one_is_not_found() {
        let mut account = Account::new(Settings::default());
        let pending = ZoneCertificate {
            status: "PENDING_VALIDATION".into(),
            ..ZoneCertificate::issued("arn:a", &["x.test"])
        };
        account.acm.furnish(&[pending, ZoneCertificate::issued("arn:b", &["y.test", "*.z.test"])]);
        account.acm.furnish(&[ZoneCertificate::issued("arn:a", &["other.test"])]);
        let mut read = |arn: &str| {
            let request = ApiRequest::of(Api::Acm, "DescribeCertificate", json!({ "CertificateArn": arn }));
            account.handle(Millis(1_000_000), &request)
        };
        let pending = read("arn:a").unwrap()["Certificate"].clone();
        assert_eq!((&pending["DomainName"], pending.get("NotAfter")), (&json!("x.test"), None));
        let issued = read("arn:b").unwrap()["Certificate"].clone();
        assert_eq!(issued["NotAfter"], json!(1_000 + HALF_A_YEAR_SECS));
        assert_eq!(read("arn:c").unwrap_err().code, "ResourceNotFoundException");
    }
}
