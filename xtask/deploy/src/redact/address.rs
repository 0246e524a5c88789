//! Secrets in addresses: passwords in URLs and connection strings, signatures of signed URLs, and webhooks.

use super::spans::Spans;

/// Addresses that anybody may post to who knows the rest of them.
const WEBHOOKS: [&str; 4] = [
    "hooks.slack.com/services/",
    "hooks.slack.com/workflows/",
    "discord.com/api/webhooks/",
    "webhook.office.com/",
];

/// What is before a colon in a text that is no login: `npm:name@1.2`, `mailto:name@host`.
const NO_LOGINS: [&str; 7] = ["acct", "mailto", "npm", "pkg", "sip", "sips", "xmpp"];

/// All of them, in no order; they may overlap.
pub(super) fn addresses(text: &str) -> Spans {
    let mut spans = url_passwords(text);
    spans.extend(dsn_passwords(text));
    spans.extend(logins(text));
    spans.extend(signatures(text));
    spans.extend(webhooks(text));
    spans
}

fn url_passwords(text: &str) -> Spans {
    let mut spans = Spans::new();
    for (at, mark) in text.match_indices("://") {
        let from = at + mark.len();
        let ends = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        let rest = &text[from..text[from..].find(ends).map_or(text.len(), |length| from + length)];
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let Some(colon) = authority.find(':').filter(|_| !authority.starts_with('[')) else { continue };
        let begin = from + colon + 1;
        match authority.rfind('@') {
            Some(end) if end > colon + 1 => spans.push(begin..from + end),
            // A password with a slash in it: the URL is wrong, and it is a secret all the same.
            None if rest.contains('@') && authority[colon + 1..].parse::<u16>().is_err() => {
                spans.push(begin..from + rest.len());
            }
            _ => {}
        }
    }
    spans
}

/// What follows the address of a webhook.
fn webhooks(text: &str) -> Spans {
    let all = WEBHOOKS.iter().flat_map(|address| text.match_indices(address));
    let rest = all.map(|(at, address)| {
        let from = at + address.len();
        let ends = |c: char| c.is_whitespace() || "\"'`<>,)]}\\".contains(c);
        from..text[from..].find(ends).map_or(text.len(), |length| from + length)
    });
    rest.filter(|span| !span.is_empty()).collect()
}

/// Passwords in the connection strings of Go's drivers,
/// `user:password@tcp(host)/name`, and of Oracle's, `user/password@//host/name`.
fn dsn_passwords(text: &str) -> Spans {
    let mut spans = Spans::new();
    let networks = [("@tcp(", ':'), ("@tcp6(", ':'), ("@unix(", ':'), ("@cloudsql(", ':'), ("@//", '/')];
    for (network, between) in networks {
        for (end, _) in text.match_indices(network) {
            let ends = |c: char| c.is_whitespace() || "\"'`<>=".contains(c);
            let from = text[..end]
                .char_indices()
                .rev()
                .find(|(_, c)| ends(*c))
                .map_or(0, |(at, c)| at + c.len_utf8());
            if let Some(colon) =
                text[from..end].find(between).map(|at| from + at + 1).filter(|begin| *begin < end)
            {
                spans.push(colon..end);
            }
        }
    }
    spans
}

/// Passwords before a host without a scheme, `user:password@host:5432` or `user:password@host/name`. An image is no login:
/// `app:1.2@sha256:…`.
fn logins(text: &str) -> Spans {
    let ends = |c: char| c.is_whitespace() || "\"'`<>,;()".contains(c);
    let mut spans = Spans::new();
    let mut from = 0;
    for token in text.split(ends) {
        let start = from;
        // Whatever was split at, by its own length.
        from += token.len();
        from += text[from..].chars().next().map_or(0, char::len_utf8);
        let Some((login, place)) = token.rsplit_once('@') else { continue };
        if login.contains("://") || !is_place(place) {
            continue;
        }
        let Some((user, password)) = login.split_once(':') else { continue };
        let user = user.rsplit(['=', '/']).next().unwrap_or(user);
        let is_user = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
        let number = !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit());
        if number || NO_LOGINS.contains(&user) || !user.chars().all(is_user) {
            continue;
        }
        if !password.is_empty() && !password.starts_with('/') {
            let end = start + login.len();
            spans.push(end - password.len()..end);
        }
    }
    spans
}

/// Whether it is a host with a port, or with the name of a database behind a slash.
fn is_place(text: &str) -> bool {
    let in_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let (host, rest) = text.split_at(text.find(|c| !in_host(c)).unwrap_or(text.len()));
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).count();
    let named = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && !host.starts_with("sha");
    named
        && match rest.chars().next() {
            Some(':') => {
                let length = digits(&rest[1..]);
                (1..=5).contains(&length)
                    && !rest[1 + length..].starts_with(|c: char| c.is_ascii_alphanumeric())
            }
            Some('/') => rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()),
            _ => false,
        }
}

/// The signature of a shared access signature of Azure, in the query of a URL or after its own name: whoever has it may do
/// what the rest of the address says.
fn signatures(text: &str) -> Spans {
    let mut spans = Spans::new();
    // Go's JSON has `\u0026` for `&`, XML `&amp;`.
    for before in ["?", "&", "&amp;", "\\u0026", "SharedAccessSignature ", "SharedAccessSignature="] {
        let name = format!("{before}sig=");
        spans.extend(text.match_indices(&name).filter_map(|(at, name)| {
            let from = at + name.len();
            let ends = |c: char| c.is_whitespace() || "&\"'`<>,;)]}\\".contains(c);
            let end = text[from..].find(ends).map_or(text.len(), |length| from + length);
            (end > from).then_some(from..end)
        }));
    }
    spans
}
