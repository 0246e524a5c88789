//! Where a process listens: `HOST` and `PORT` as its definition or its image has them, brought to this machine's loopback.
//!
//! On Fargate a task has an address of its own, and its application binds what it is given. Here every container port is
//! another loopback port. A value that would work there is translated, any other one reaches the application as it is, and
//! what nobody could reach there is not reached here.

use std::net::IpAddr;

/// What a container is given as `HOST` and `PORT`, and what that means to those who call it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listens {
    /// Set over the definition's own value.
    pub(super) host: Option<&'static str>,
    /// The container port whose loopback port is set over the definition's own value.
    pub(super) port: Option<u16>,
    /// Only the task itself reaches it.
    pub(super) inside_only: bool,
    /// What the log says of it.
    pub(super) remark: Option<String>,
}

/// `host` and `port` are the values that the application would have on Fargate, `ports` its container ports.
pub(super) fn listens(host: Option<&str>, port: Option<&str>, ports: &[u16]) -> Listens {
    let mut listens = Listens::default();
    let address = host.map(|host| if host == "localhost" { "127.0.0.1" } else { host }.parse::<IpAddr>());
    match (host, address) {
        (Some(host), Some(Ok(address))) if address.is_loopback() => {
            listens.inside_only = true;
            listens.remark = Some(format!(
                "embedded cloud: HOST={host} is reached from inside the task only; the load balancer's requests and health checks \
                 are refused, as on Fargate"
            ));
        }
        (None, _) => listens.host = Some("127.0.0.1"),
        (_, Some(Ok(address))) if address.is_unspecified() => listens.host = Some("127.0.0.1"),
        // No address of this machine's is right for it, and none of the task's would be.
        _ => {}
    }
    match port.map(str::parse::<u16>) {
        None => listens.port = ports.first().copied(),
        Some(Ok(number)) if number > 0 => {
            listens.port = Some(number);
            if !ports.is_empty() && !ports.contains(&number) {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                listens.remark = Some(format!(
                    "embedded cloud: PORT={number} is no container port of this container ({}); nothing listens there, as on \
                     Fargate",
                    ports.join(", ")
                ));
            }
        }
        Some(_) => {}
    }
    listens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_works_on_fargate_is_translated_and_what_does_not_stays_as_it_is() {
        let seen = |host, port| {
            let Listens { host, port, inside_only, remark } = listens(host, port, &[8080]);
            (host, port, inside_only, remark.is_some())
        };
        let here = Some("127.0.0.1");
        assert_eq!(seen(None, None), (here, Some(8080), false, false));
        assert_eq!(seen(Some("0.0.0.0"), Some("8080")), (here, Some(8080), false, false));
        assert_eq!(seen(Some("::"), Some("8080")), (here, Some(8080), false, false));
        for host in ["127.0.0.1", "localhost", "::1", "127.255.0.1"] {
            assert_eq!(seen(Some(host), None), (None, Some(8080), true, true), "{host}");
        }
        for host in ["not-an-address", "10.0.0.9", ""] {
            assert_eq!(seen(Some(host), None), (None, Some(8080), false, false), "{host}");
        }
        assert_eq!(seen(None, Some("8099")), (here, Some(8099), false, true));
        for port in ["http", "0", "70000", ""] {
            assert_eq!(seen(None, Some(port)), (here, None, false, false), "{port}");
        }
        assert_eq!(listens(None, Some("9000"), &[]).remark, None, "a worker may listen for itself");
    }
}
