//! Service Quotas: AWS's defaults, and what the landing zone brings in their place. Nothing here enforces them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::Handler;
use crate::wire::Operations;
use crate::wire::{ApiError, ApiRequest, Outcome, listing, text};

/// Service, code, name and default value (Service Quotas console; AWS General Reference).
const DEFAULTS: [(&str, &str, &str, f64); 5] = [
    ("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", 4000.0),
    ("fargate", "L-36FBB829", "Fargate Spot vCPU resource count", 4000.0),
    ("ecs", "L-92E49DE3", "Tasks per service", 5000.0),
    ("elasticloadbalancing", "L-822D1B1B", "Target Groups per Application Load Balancer", 100.0),
    ("elasticloadbalancing", "L-B22855CB", "Target Groups per Region", 3000.0),
];

/// Applied values by the quota's name.
#[derive(Debug, Default)]
pub(crate) struct State(BTreeMap<String, f64>);

impl State {
    pub(crate) fn furnish(&mut self, quotas: &BTreeMap<String, u32>) {
        self.0.extend(quotas.iter().map(|(name, value)| (name.clone(), f64::from(*value))));
    }
}

pub(crate) const OPERATIONS: Operations<Handler<State>> = &[
    ("GetServiceQuota", |_, quotas, _, request| get(quotas, request)),
    ("ListServiceQuotas", |_, quotas, _, request| list(quotas, request)),
];

fn of(quotas: &State, service: &str) -> Result<Vec<Value>, ApiError> {
    let rows = DEFAULTS.iter().filter(|(own, ..)| *own == service);
    let view = |(service, code, name, default): &(&str, &str, &str, f64)| {
        let value = quotas.0.get(*name).unwrap_or(default);
        json!({ "ServiceCode": service, "QuotaCode": code, "QuotaName": name, "Value": value, "Unit": "None", "Adjustable": true })
    };
    let found: Vec<Value> = rows.map(view).collect();
    match found.is_empty() {
        true => Err(ApiError::new(
            "NoSuchResourceException",
            format!("The request failed because the specified service {service} does not exist."),
        )),
        false => Ok(found),
    }
}

fn get(quotas: &State, request: &ApiRequest) -> Outcome {
    let code = text(request, "QuotaCode")?;
    let found =
        of(quotas, &text(request, "ServiceCode")?)?.into_iter().find(|quota| quota["QuotaCode"] == *code);
    let absent = || {
        ApiError::new(
            "NoSuchResourceException",
            "The request failed because the specified quota does not exist.",
        )
    };
    Ok(json!({ "Quota": found.ok_or_else(absent)? }))
}

fn list(quotas: &State, request: &ApiRequest) -> Outcome {
    listing(request, "Quotas", (100, 100), of(quotas, &text(request, "ServiceCode")?)?, |quota| quota)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::base::Settings;
    use crate::clock::Millis;
    use crate::wire::Api;

    #[test]
    fn a_quota_is_aws_s_default_until_the_zone_brings_another() {
        let mut account = Account::new(Settings::default());
        let name = "Fargate On-Demand vCPU resource count";
        account.quotas.furnish(&BTreeMap::from([(name.to_owned(), 6)]));
        let mut call = |operation: &str, params: Value| {
            account.handle(Millis(0), &ApiRequest::of(Api::Quotas, operation, params))
        };
        let listed = call("ListServiceQuotas", json!({ "ServiceCode": "fargate" })).unwrap();
        assert_eq!(
            (&listed["Quotas"][0]["Value"], &listed["Quotas"][1]["Value"]),
            (&json!(6.0), &json!(4000.0))
        );
        let asked = json!({ "ServiceCode": "fargate", "QuotaCode": "L-3032A538" });
        assert_eq!(call("GetServiceQuota", asked).unwrap()["Quota"]["QuotaName"], name);
        assert_eq!(
            call("ListServiceQuotas", json!({ "ServiceCode": "x" })).unwrap_err().code,
            "NoSuchResourceException"
        );
    }
}
