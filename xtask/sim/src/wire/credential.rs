//! The credential scope of a signature, version 4. Signatures themselves are not checked: the embedded cloud
//! has no secrets to check them with, and listens on loopback only.

use http::request::Parts;

/// `Credential=<access key>/<date>/<region>/<service>/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) access_key: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// What is wrong with a request's signature before anybody verifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    Missing,
    /// There is an `Authorization` header, but it is no signature of version 4.
    Incomplete,
}

/// Reads the scope from the `Authorization` header. Not from the query string of a presigned request, although AWS
/// does: any web page can make a browser send one.
pub(super) fn scope(parts: &Parts) -> Result<Scope, Unsigned> {
    let header = parts.headers.get(http::header::AUTHORIZATION).ok_or(Unsigned::Missing)?;
    let fields = header
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256"))
        .ok_or(Unsigned::Incomplete)?;
    let field = |name: &str| {
        fields.split([',', ' ']).find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
    };
    if field("SignedHeaders").is_none() || field("Signature").is_none() {
        return Err(Unsigned::Incomplete);
    }
    field("Credential").and_then(parse).ok_or(Unsigned::Incomplete)
}

fn parse(credential: &str) -> Option<Scope> {
    // The access key comes first and may, in theory, hold a slash; the rest has a fixed number of parts.
    let mut parts = credential.rsplitn(5, '/');
    let (terminator, service, region) = (parts.next()?, parts.next()?, parts.next()?);
    let (_date, access_key) = (parts.next()?, parts.next()?);
    (terminator == "aws4_request" && !access_key.is_empty()).then(|| Scope {
        access_key: access_key.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    })
}
