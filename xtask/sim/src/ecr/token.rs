//! Authorization tokens: what GetAuthorizationToken issues, the registry accepts for twelve hours.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::store::State;
use crate::base::{Base, Millis};
use crate::wire::Outcome;

/// An issued password. Its `Debug` form hides it.
pub(super) struct Token {
    password: String,
    expires: Millis,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

// 12 hours (ECR API, GetAuthorizationToken).
const LIFETIME_SECS: u64 = 43_200;

pub(super) fn get(base: &mut Base, ecr: &mut State, now: Millis) -> Outcome {
    let password = format!("{}{}", base.ids.hex(64), base.ids.hex(64));
    let expires = now.plus_secs(LIFETIME_SECS);
    let host = &base.settings.registry_host;
    // Clients speak HTTP to a registry on loopback, as Docker does by default, and TLS to any other.
    let scheme = match host.split(':').next() {
        Some("127.0.0.1" | "localhost") => "http",
        _ => "https",
    };
    let reply = json!({ "authorizationData": [{
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        "expiresAt": expires.epoch_secs(),
        "proxyEndpoint": format!("{scheme}://{host}"),
    }] });
    ecr.tokens.retain(|token| token.expires > now);
    ecr.tokens.push(Token { password, expires });
    Ok(reply)
}

impl State {
    /// Whether `user` and `password` are an issued authorization token that has not expired at `now`.
    pub(crate) fn check_password(&self, now: Millis, user: &str, password: &str) -> bool {
        user == "AWS" && self.tokens.iter().any(|token| token.expires > now && token.password == password)
    }
}
