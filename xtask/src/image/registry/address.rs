//! Addresses in a registry, and where it sends a client next.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

/// Why a text is no address that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no http or https address")]
pub struct Unusable {
    pub text: String,
}

/// Parses a registry's address such as `https://123456789012.dkr.ecr.eu-west-1.amazonaws.com`.
pub(super) fn base(text: &str) -> Result<Uri, Unusable> {
    let unusable = || Unusable { text: text.to_owned() };
    let uri: Uri = text.parse().map_err(|_| unusable())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) if uri.query().is_none() => Ok(uri),
        _ => Err(unusable()),
    }
}

/// `path` at the origin of `base`.
pub(super) fn at(base: &Uri, path: &str) -> Result<Uri, Unusable> {
    let unusable = || Unusable { text: format!("{base} with path {path}") };
    let path: PathAndQuery = path.parse().map_err(|_| unusable())?;
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_| unusable())
}

/// Where the `Location` that answered a request to `asked` leads; registries send absolute and relative ones.
pub(super) fn follow(asked: &Uri, location: &str) -> Result<Uri, Unusable> {
    if location.starts_with("http://") || location.starts_with("https://") {
        return location.parse().map_err(|_| Unusable { text: location.to_owned() });
    }
    if location.starts_with('/') && !location.starts_with("//") {
        return at(asked, location);
    }
    let folder = asked.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    at(asked, &format!("{folder}/{location}"))
}

/// `uri` with the parameter that closes an upload. The query that is there already belongs to the registry.
pub(super) fn with_digest(uri: &Uri, digest: &str) -> Result<Uri, Unusable> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("digest", digest).finish();
    let path = match uri.query() {
        Some(before) if !before.is_empty() => format!("{}?{before}&{query}", uri.path()),
        _ => format!("{}?{query}", uri.path()),
    };
    at(uri, &path)
}

/// Whether a credential for `base` may be shown to `uri`.
pub(super) fn same_origin(base: &Uri, uri: &Uri) -> bool {
    let origin = |uri: &Uri| {
        let default = if uri.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 };
        let host = uri.host().map(str::to_ascii_lowercase);
        (uri.scheme().cloned(), host, uri.port_u16().unwrap_or(default))
    };
    origin(base) == origin(uri)
}

/// Whether what is sent there can be read on the way: plain HTTP to another machine.
pub(super) fn exposes(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    uri.scheme() == Some(&Scheme::HTTP) && !here
}

/// Where a registry of this name answers: plain HTTP is for this machine only.
pub fn base_url(host: &str) -> String {
    let plain = format!("http://{host}");
    let here = plain.parse().is_ok_and(|uri| !exposes(&uri));
    if here { plain } else { format!("https://{host}") }
}

/// Host and port, to name a registry in a sentence.
pub(super) fn host(uri: &Uri) -> &str {
    uri.authority().map_or("", Authority::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_may_be_absolute_or_relative_and_keeps_its_query() {
        let asked: Uri = "http://127.0.0.1:4566/v2/app/blobs/uploads/".parse().unwrap();
        let table = [
            (
                "/v2/app/blobs/uploads/7?state=a%3D",
                "http://127.0.0.1:4566/v2/app/blobs/uploads/7?state=a%3D&digest=sha256%3Aab",
            ),
            ("https://other.example/up/7", "https://other.example/up/7?digest=sha256%3Aab"),
            ("https://other.example/up/7?", "https://other.example/up/7?digest=sha256%3Aab"),
            ("7?x=y", "http://127.0.0.1:4566/v2/app/blobs/uploads/7?x=y&digest=sha256%3Aab"),
        ];
        for (location, expected) in table {
            let uri = with_digest(&follow(&asked, location).unwrap(), "sha256:ab").unwrap();
            assert_eq!(uri.to_string(), expected, "{location}");
        }
        for bad in ["http://", "/spa ce", "https://exa mple/"] {
            assert!(follow(&asked, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_credential_goes_to_the_registry_and_to_nobody_else() {
        let base = base("https://Registry.example").unwrap();
        for same in ["https://registry.example/v2/", "https://registry.example:443/x?y"] {
            assert!(same_origin(&base, &same.parse().unwrap()), "{same}");
        }
        for other in ["http://registry.example/", "https://registry.example:8443/", "https://evil.example/"] {
            assert!(!same_origin(&base, &other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (address, exposed) in [
            ("http://127.0.0.1:4566", false),
            ("http://localhost:5000", false),
            ("http://[::1]:5000", false),
            ("https://registry.example", false),
            ("http://registry.example", true),
            ("http://10.0.0.7:5000", true),
        ] {
            assert_eq!(exposes(&base(address).unwrap()), exposed, "{address}");
        }
        for bad in ["registry.example", "ftp://registry.example", "/v2/", "", "https://a/?q"] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }
}
