//! The load balancer's address: the URL by which the public reaches the services, and how this machine sends requests there.

use bytes::Bytes;
use deploy::model::{Environment, Protocol, SmokeFrom};

use crate::host::ConnectTo;

/// Where the public reaches the services, and how this machine asks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// What a person opens, without a path.
    pub url: String,
    /// Why smoke checks are not asked from here; `None` when they are.
    pub unasked: Option<&'static str>,
    /// The public URL, which requests use as SNI and Host. For the embedded cloud it is not a URL that a person can open.
    base: String,
    connect_to: Option<ConnectTo>,
}

impl Front {
    /// The front door of a load balancer with this DNS name, or of the embedded cloud, which listens at `local`.
    pub fn of(environment: &Environment, dns_name: Option<&str>, local: Option<&ConnectTo>) -> Option<Self> {
        let balancer = environment.balancer()?;
        let (scheme, usual) = match balancer.listener.protocol {
            Protocol::Http => ("http", 80),
            Protocol::Https => ("https", 443),
        };
        let port = balancer.listener.port;
        let at = |name: &str| {
            if port == usual { format!("{scheme}://{name}") } else { format!("{scheme}://{name}:{port}") }
        };
        let door = local.map(|local| format!("{scheme}://{}", local.address));
        let own = door.clone().or_else(|| dns_name.map(at))?;
        let base = balancer.host.as_deref().map_or_else(|| own.clone(), at);
        // No certificate is issued for `*.elb.amazonaws.com`: SNI and Host are the certificate's own name, and the connection goes to
        // the load balancer's address, so that a DNS record which still leads elsewhere proves nothing.
        let connect_to = balancer.host.as_ref().and_then(|_| {
            let far = || Some(ConnectTo { address: format!("{}:{port}", dns_name?), authority: None });
            local.cloned().or_else(far)
        });
        // The scheme of a load balancer shows in its name, and no name may be chosen that begins like this
        // (ELBv2 API, CreateLoadBalancer).
        let internal = dns_name.is_some_and(|name| name.starts_with("internal-"));
        let unasked = match balancer.smoke_from {
            Some(SmokeFrom::Here) => None,
            Some(SmokeFrom::Nowhere) => Some("`smoke-from` in deploy.toml is \"nowhere\""),
            None if internal => Some("the load balancer is internal"),
            None => None,
        };
        Some(Self { url: door.unwrap_or_else(|| base.clone()), unasked, base, connect_to })
    }

    /// The public URL of a path.
    pub fn asked(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request for a path.
    pub(super) fn request(&self, path: &str) -> Result<http::Request<Bytes>, http::Error> {
        let mut request = http::Request::get(self.asked(path))
            .header("accept", "application/json, text/html;q=0.9")
            .body(Bytes::new())?;
        if let Some(to) = &self.connect_to {
            request.extensions_mut().insert(to.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALB: &str = "ielts-prod-alb-1.ap-southeast-1.elb.amazonaws.com";

    fn environment(https: bool) -> Environment {
        let text = include_str!("../../deploy/tests/fixtures/ielts.toml");
        let mut environment = deploy::config::load("deploy.toml", text, Some("prod")).unwrap().environment;
        if https {
            environment.load_balancer.host = Some("app.example.com".to_owned());
            environment.load_balancer.listener.protocol = Protocol::Https;
            environment.load_balancer.listener.port = 443;
        }
        environment
    }

    fn to(front: &Front) -> Option<&str> {
        let request = front.request("/x").unwrap();
        assert_eq!(request.uri(), front.asked("/x").as_str());
        front.connect_to.as_ref().map(|to| to.address.as_str())
    }

    #[test]
    fn the_public_name_is_asked_at_the_load_balancer_s_own_address() {
        let front = Front::of(&environment(true), Some(ALB), None).unwrap();
        assert_eq!(
            (front.url.as_str(), front.asked("/x").as_str()),
            ("https://app.example.com", "https://app.example.com/x")
        );
        assert_eq!(to(&front), Some(format!("{ALB}:443").as_str()));

        let mut other_port = environment(true);
        other_port.load_balancer.listener.port = 8443;
        let front = Front::of(&other_port, Some(ALB), None).unwrap();
        assert_eq!(
            (front.asked("/"), to(&front)),
            ("https://app.example.com:8443/".to_owned(), Some(format!("{ALB}:8443").as_str()))
        );
    }

    #[test]
    fn without_a_public_name_the_load_balancer_is_asked_by_its_own() {
        let front = Front::of(&environment(false), Some(ALB), None).unwrap();
        assert_eq!((front.url.clone(), to(&front)), (format!("http://{ALB}"), None));
        assert_eq!(Front::of(&environment(false), None, None), None);
    }

    #[test]
    fn the_embedded_cloud_is_opened_at_its_port_and_asked_by_the_public_name() {
        let local = ConnectTo { address: "127.0.0.1:8088".to_owned(), authority: Some("pem".into()) };
        let front = Front::of(&environment(true), Some(ALB), Some(&local)).unwrap();
        assert_eq!(front.url, "https://127.0.0.1:8088");
        assert_eq!(
            (front.asked("/"), to(&front)),
            ("https://app.example.com/".to_owned(), Some("127.0.0.1:8088"))
        );
    }

    #[test]
    fn an_internal_load_balancer_is_asked_from_here_only_when_the_file_says_so() {
        let mut environment = environment(true);
        let unasked =
            |environment: &Environment, name: &str| Front::of(environment, Some(name), None).unwrap().unasked;
        assert!(unasked(&environment, ALB).is_none());
        assert!(unasked(&environment, &format!("internal-{ALB}")).is_some());
        environment.load_balancer.smoke_from = Some(SmokeFrom::Here);
        assert!(unasked(&environment, &format!("internal-{ALB}")).is_none());
        environment.load_balancer.smoke_from = Some(SmokeFrom::Nowhere);
        assert!(unasked(&environment, ALB).is_some());
    }
}
