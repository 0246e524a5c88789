//! Other regions of the account: empty, and without a network that tasks could run in. One begins when somebody asks there.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::base::Settings;
use crate::base::{LandingZone, Millis};
use crate::wire::{Api, ApiRequest};

#[derive(Debug, Default)]
pub(super) struct Regions(BTreeMap<String, Account>);

impl Regions {
    /// The account in the region that a request is signed for. IAM and STS are the same everywhere.
    pub(super) fn account<'a>(
        &'a mut self,
        home: &'a mut Account,
        now: Millis,
        request: &ApiRequest,
    ) -> &'a mut Account {
        let own = &home.base.settings.region;
        let Some(region) = request.region.as_ref().filter(|region| *region != own) else { return home };
        if matches!(request.api, Api::Iam | Api::Sts) {
            return home;
        }
        let empty = || {
            let registry_host = home.base.settings.registry_host.replace(own.as_str(), region);
            let landing_zone = LandingZone::default();
            Account::new(Settings {
                region: region.clone(),
                landing_zone,
                registry_host,
                ..home.base.settings.clone()
            })
        };
        let account = self.0.entry(region.clone()).or_insert_with(empty);
        account.advance(now);
        account
    }
}
