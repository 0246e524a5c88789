//! A token for anonymous callers: registries of public images want one even from those who have no account.
//!
//! Source: distribution spec, "Token Authentication": an unauthenticated request is answered with 401 and a
//! `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`; GET of the realm with service and scope gives the token.

use std::time::Duration;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::address;
use super::session::Credential;
use crate::host::{Host, HttpError};

const QUIET: Duration = Duration::from_secs(30);

/// How a registry lets somebody without an account read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// It asks nobody, or gives no token: the request itself shows.
    Open,
    /// With a token of its own.
    Token(Credential),
    /// It wants a user and a password.
    Password,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// What reading a repository takes.
///
/// # Errors
/// When the registry or its token server cannot be reached.
pub async fn access(host: &Host, base_url: &str, repository: &str) -> Result<Access, HttpError> {
    let answer = get(host, &format!("{base_url}/v2/")).await?;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return Ok(Access::Open);
    }
    let challenge = answer.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let challenge = challenge.unwrap_or_default();
    let Some((realm, service)) = bearer(challenge) else {
        return Ok(if challenge.starts_with("Basic ") { Access::Password } else { Access::Open });
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("service", service)
        .append_pair("scope", &format!("repository:{repository}:pull"))
        .finish();
    let answer = get(host, &format!("{realm}?{query}")).await?;
    let token = serde_json::from_slice::<Token>(answer.body()).ok();
    let token = token.and_then(|token| token.token.or(token.access_token));
    let credential = |token| Access::Token(Credential::of_header(&format!("Bearer {token}")));
    Ok(token.map_or(Access::Open, credential))
}

async fn get(host: &Host, url: &str) -> Result<Response<Bytes>, HttpError> {
    let request =
        Request::get(url).body(Bytes::new()).map_err(|error| HttpError::Invalid(error.to_string()))?;
    host.http.send(request, QUIET).await
}

/// Realm and service of a challenge. A realm over plain HTTP on another machine would show the token on the way.
fn bearer(challenge: &str) -> Option<(&str, &str)> {
    let rest = challenge.strip_prefix("Bearer ")?;
    let of = |name: &str| {
        let (_, rest) = rest.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    let realm = of("realm").filter(|realm| realm.parse().is_ok_and(|uri| !address::exposes(&uri)))?;
    Some((realm, of("service").unwrap_or_default()))
}
