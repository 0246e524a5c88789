//! Who may speak to the daemon's endpoint: programs of the user that runs it, and no web page.
//!
//! It pushes images and runs them as this user, and it checks no signatures. A page in this user's browser reaches
//! loopback too: by a form or a script, whose requests carry `Origin` or `Sec-Fetch-Site`, or by a host name of its own
//! that it lets point to 127.0.0.1 (DNS rebinding), which only the `Host` shows.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use http::HeaderValue;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use rustix::process::geteuid;

use super::listen::Seen;

/// The system lists connections in pieces, and one that is open can be missed when others come and go meanwhile.
const LOOKS: usize = 3;

/// The connections of this machine and who owns them; `tcp6` for programs that reach an IPv4 address through a socket of
/// IPv6, as Java's do.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Why a request is refused, if it is. The endpoint's own page may lead to itself.
pub(super) fn refusal(
    head: &Parts,
    client: SocketAddr,
    server: SocketAddr,
    page: bool,
) -> Option<&'static str> {
    if !names_this_machine(head, server.port()) {
        return Some("the Host must be localhost or 127.0.0.1, with this port");
    }
    let own = |site: &HeaderValue| site == "none" || page && site == "same-origin";
    let fetched = head.headers.get("sec-fetch-site").is_some_and(|site| !own(site));
    if fetched || head.headers.contains_key(ORIGIN) {
        return Some("not from a browser");
    }
    // Once for each connection: the system takes some 10 ms to list its own, and the end of one does not change hands.
    let judged = head.extensions.get::<Seen>().map(|seen| *seen.0.get_or_init(|| foreign(client, server)));
    let foreign = judged.unwrap_or_else(|| foreign(client, server));
    foreign.then_some("this embedded cloud belongs to another user of this machine")
}

/// Whether the client's end of a connection is somebody else's, or cannot be found.
fn foreign(client: SocketAddr, server: SocketAddr) -> bool {
    let found = (0..LOOKS).flat_map(|_| TABLES).find_map(|table| {
        // Without IPv6 there is no second one.
        is_foreign(&fs::read_to_string(table).ok()?, client, server)
    });
    // Only Linux has these tables; elsewhere everybody on the machine is let in.
    found.unwrap_or(cfg!(target_os = "linux"))
}

fn names_this_machine(head: &Parts, port: u16) -> bool {
    let ours = |authority: &str| {
        let host = authority.strip_suffix(&format!(":{port}"));
        host.is_some_and(|host| ["localhost", "127.0.0.1"].contains(&host.to_ascii_lowercase().as_str()))
    };
    let hosts: Vec<_> = head.headers.get_all(HOST).iter().collect();
    let [host] = hosts.as_slice() else { return false };
    host.to_str().is_ok_and(ours) && head.uri.authority().is_none_or(|authority| ours(authority.as_str()))
}

/// Whether the client's end of a connection belongs to neither this user nor root; `None` when it is not listed.
fn is_foreign(tables: &str, client: SocketAddr, server: SocketAddr) -> Option<bool> {
    let (client, server) = (written(client), written(server));
    tables.lines().find_map(|line| {
        // Number, local and remote address, state, queues, timer, retransmits, user, timeout, inode.
        let row: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, _, _, _, _, owner, _, inode, ..] = row.as_slice() else { return None };
        // A socket that its program has closed has no inode any more, and counts as root's.
        let own = *inode != "0" && (*owner == "0" || *owner == geteuid().as_raw().to_string());
        (local.ends_with(&client) && remote.ends_with(&server)).then_some(!own)
    })
}

/// An address as the tables write it: bytes in this machine's order, then the port. In `tcp6` an address
/// of IPv4 ends the same.
fn written(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(_) => return "none: the endpoint is bound to an address of IPv4".to_owned(),
    };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(octets), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: u16 = 4566;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_a_name_of_loopback_with_the_port_is_this_machine() {
        let ours = |uri: &str, host: &str| names_this_machine(&head(uri, &[("host", host)]), PORT);
        assert!(ours("/", "localhost:4566") && ours("/", "127.0.0.1:4566") && ours("/", "LocalHost:4566"));
        assert!(ours("http://127.0.0.1:4566/", "127.0.0.1:4566"));
        for host in
            ["evil.example:4566", "localhost", "localhost:80", "a.localhost:4566", "127.0.0.1:45660", ""]
        {
            assert!(!ours("/", host), "{host}");
        }
        assert!(!ours("http://evil.example:4566/", "localhost:4566"));
        assert!(!names_this_machine(&head("/", &[]), PORT));
        let two = [("host", "localhost:4566"), ("host", "evil.example:4566")];
        assert!(!names_this_machine(&head("/", &two), PORT));
    }

    #[test]
    fn the_page_may_lead_to_itself_and_no_other_site_to_it() {
        let reached = |page: bool, site: &str| {
            let head = head("/", &[("host", "127.0.0.1:4566"), ("sec-fetch-site", site)]);
            let (client, server) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:4566".parse().unwrap());
            // Nobody is connected: what passes the headers is refused for that.
            refusal(&head, client, server, page) != Some("not from a browser")
        };
        assert!(reached(true, "none") && reached(true, "same-origin") && reached(false, "none"));
        assert!(
            !reached(true, "same-site") && !reached(true, "cross-site") && !reached(false, "same-origin")
        );
    }

    #[test]
    fn a_deploy_s_hundred_calls_do_not_list_the_machine_s_connections_a_hundred_times() {
        let (client, server) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:4566".parse().unwrap());
        let mut head = head("/", &[("host", "127.0.0.1:4566")]);
        let seen = Seen::default();
        head.extensions.insert(seen.clone());
        assert!(refusal(&head, client, server, false).is_some(), "nobody is connected");
        assert_eq!(seen.0.get(), Some(&true));
        let seen = Seen::default();
        seen.0.set(false).unwrap();
        head.extensions.insert(seen);
        assert_eq!(refusal(&head, client, server, false), None, "what was seen is not looked for again");
    }

    #[test]
    fn a_connection_is_its_user_s_only_while_its_program_has_it() {
        let client: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let server: SocketAddr = "127.0.0.1:4566".parse().unwrap();
        let own = geteuid().as_raw();
        let listed = |local: &str, remote: &str, owner: u32, inode: u32| {
            let rest = "01 00000000:00000000 00:00000000 00000000";
            let tables =
                format!("  sl  local_address\n   0: {local} {remote} {rest} {owner} 0 {inode} 1 0\n");
            is_foreign(&tables, client, server)
        };
        let (here, there) = (written(client), written(server));
        assert_eq!(listed(&here, &there, own, 7), Some(false));
        assert_eq!(listed(&here, &there, 0, 7), Some(false), "root can do anything anyway");
        assert_eq!(listed(&here, &there, own + 1, 7), Some(true));
        assert_eq!(listed(&here, &there, 0, 0), Some(true), "closed at once, to look like root's");
        assert_eq!(listed(&there, &here, own, 7), None, "the daemon's own end");
        let mapped = |end: &str| format!("0000000000000000FFFF0000{end}");
        assert_eq!(listed(&mapped(&here), &mapped(&there), own, 7), Some(false));
    }
}
