//! What a new account is like.

use super::landing_zone::LandingZone;
use super::pace::Pace;

#[derive(Clone, Debug)]
pub struct Settings {
    pub account: String,
    pub region: String,
    /// Where identifiers are drawn from: the same seed gives the same identifiers.
    pub seed: u64,
    /// `host[:port]` of the registry, as image references name it and `proxyEndpoint` gives it.
    pub registry_host: String,
    /// `scheme://host[:port]` of Session Manager's data channels; AWS's when `None`.
    pub messages: Option<String>,
    /// How long the steps of a task's life take.
    pub pace: Pace,
    /// The network and the roles that are there.
    pub landing_zone: LandingZone,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "ap-southeast-1".to_owned(),
            seed: 1,
            registry_host: "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com".to_owned(),
            messages: None,
            pace: Pace::default(),
            landing_zone: LandingZone::example(),
        }
    }
}

impl Settings {
    pub(crate) fn messages(&self) -> String {
        let aws = || format!("wss://ssmmessages.{}.amazonaws.com", self.region);
        self.messages.clone().unwrap_or_else(aws)
    }
}
