//! Secrets in plain text.

use std::ops::Range;

use super::{MASK, spans};

/// The text with `***` in place of every secret. Doing it twice changes nothing.
pub fn text(text: &str) -> String {
    masked(text, 0..text.len(), &merged(text))
}

/// The same for lines that follow each other: a private key is often printed as several.
pub fn lines(lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    text(&lines.join("\n")).split('\n').map(str::to_owned).collect()
}

/// The same, with as many lines as before: for lines that keep their times.
pub fn each(lines: &[String]) -> Vec<String> {
    let text = lines.join("\n");
    let spans = merged(&text);
    let mut from = 0;
    let one = |line: &String| {
        let range = from..from + line.len();
        from = range.end + 1;
        masked(&text, range, &spans)
    };
    lines.iter().map(one).collect()
}

/// Where secrets are, in order and without overlaps.
fn merged(text: &str) -> Vec<Range<usize>> {
    let mut spans = spans::all(text);
    spans.sort_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// A part of the text with a mask in place of each span that it has a part of.
fn masked(text: &str, part: Range<usize>, spans: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(part.len());
    let mut done = part.start;
    for span in spans.iter().filter(|span| span.start < part.end && span.end > part.start) {
        masked.push_str(text.get(done..span.start).unwrap_or_default());
        masked.push_str(MASK);
        done = span.end.min(part.end);
    }
    masked.push_str(text.get(done..part.end).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_survives_and_the_text_around_it_does() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJlaHVudGVyMg";
        let cases = [
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("ASIAIOSFODNN7EXAMPLE", "***"),
            (
                "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY region=a",
                "AWS_SECRET_ACCESS_KEY=*** region=a",
            ),
            ("Authorization: Bearer abc.def", "Authorization: ***"),
            (
                "curl -H \"Authorization: Basic aHVudGVyMg==\" http://a/",
                "curl -H \"Authorization: ***\" http://a/",
            ),
            (
                "{\"authorization\":\"Bearer abc\",\"path\":\"/\"}",
                "{\"authorization\":\"***\",\"path\":\"/\"}",
            ),
            ("{\\\"password\\\":\\\"hunter2\\\",\\\"a\\\":1}", "{\\\"password\\\":\\\"***\\\",\\\"a\\\":1}"),
            ("sent bearer abcdefgh12345678 to it", "sent bearer *** to it"),
            ("set-cookie: sid=hunter2; Path=/", "set-cookie: ***"),
            ("password=hunter2", "password=***"),
            ("password = 'hunter2 and more', user = 'a'", "password = '***', user = 'a'"),
            ("db_password: hunter2", "db_password: ***"),
            ("dbPassword=hunter2;x=1", "dbPassword=***;x=1"),
            ("pwd=hunter2 pass=hunter2", "pwd=*** pass=***"),
            ("GET /cb?access_token=hunter2&page=2", "GET /cb?access_token=***&page=2"),
            ("X-Amz-Signature=0a1b2c&X-Amz-Date=2", "X-Amz-Signature=***&X-Amz-Date=2"),
            ("run --db-password hunter2 --port 80", "run --db-password *** --port 80"),
            ("+ command (--db-password, hunter2, serve)", "+ command (--db-password, ***, serve)"),
            ("[\"--db-password\", \"hunter 2\", \"serve\"]", "[\"--db-password\", \"***\", \"serve\"]"),
            ("postgres://app:hunter2@db:5432/x", "postgres://app:***@db:5432/x"),
            ("postgres://app:hun/ter2@db/x up", "postgres://app:*** up"),
            ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nup", "***\nup"),
            ("a\n-----BEGIN PRIVATE KEY-----\nhunter2", "a\n***"),
            ("up\nTUlJaHVudGVyMg==\n-----END PRIVATE KEY-----\nb", "up\n***\nb"),
            ("token ghp_0123456789abcdefghij", "token ***"),
            ("environment.DB_PASSWORD: hunter2 → hunter3", "environment.DB_PASSWORD: *** → ***"),
            ("refused: Basic YXBwOmh1bnRlcjI=", "refused: Basic ***"),
            ("GET /geo?key=AbCdEf0123456789xyz&q=1", "GET /geo?key=***&q=1"),
            ("{\"key\": \"abcdef0123456789abcdef\"}", "{\"key\": \"***\"}"),
            ("app:hunter2@tcp(db:3306)/x up", "app:***@tcp(db:3306)/x up"),
            ("DSN=app:hun@ter2@unix(/run/db.sock)/x", "DSN=app:***@unix(/run/db.sock)/x"),
            ("AccountName=a;AccountKey=aHVudGVyMg==;Suffix=b", "AccountName=a;AccountKey=***;Suffix=b"),
            (
                "post https://hooks.slack.com/services/T0/B0/x1 up",
                "post https://hooks.slack.com/services/*** up",
            ),
            ("jdbc:oracle:thin:app/hunter2@//db:1521/x", "jdbc:oracle:thin:app/***@//db:1521/x"),
            ("AUTH=hunter2", "AUTH=***"),
            ("{\"auth\": \"hunter2\"}", "{\"auth\": \"***\"}"),
            ("BEARER=hunter2 GITHUB_PAT: hunter2", "BEARER=*** GITHUB_PAT: ***"),
            ("to app:hunter2@db:5432, app:hunter2@db/x", "to app:***@db:5432, app:***@db/x"),
            ("GET /c?sv=1&sig=aHVudGVyMg%3D&se=2", "GET /c?sv=1&sig=***&se=2"),
            ("{\"u\":\"/c?a=1\\u0026sig=aHVu\"}", "{\"u\":\"/c?a=1\\u0026sig=***\"}"),
            ("X-Goog-Signature=0a1b2c&a=1", "X-Goog-Signature=***&a=1"),
            ("+ command (-p, hunter2, serve)", "+ command (-p, ***, serve)"),
            ("with sk-proj-0123456789abcdefghij.", "with ***."),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "***"),
            ("TOKEN=\u{e4}\u{f6}\u{fc} \u{2713}", "TOKEN=*** \u{2713}"),
        ];
        for (before, after) in cases {
            assert_eq!(text(before), after);
            assert_eq!(text(after), after, "twice");
        }
        assert_eq!(text(&format!("jwt {jwt}.")), "jwt ***.");
        let base64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        assert_eq!(text(base64), "***", "the middle of a key");
    }

    #[test]
    fn what_explains_a_failure_is_left() {
        for kept in [
            "thread 'main' panicked at src/main.rs:7:5: no DATABASE_URL",
            "unable to retrieve secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf: not found",
            "DB_PASSWORD=arn:aws:ssm:eu-west-1:123456789012:parameter/prod/db",
            "listening on http://127.0.0.1:8080/actuator/health",
            "CannotPullContainerError: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:e3b0c44298fc1c149afbf4c8996fb924",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "token_url=https://a/token used 150 tokens",
            "3 pass: 2 fail: 1, the secret is not there, bearer of news",
            "Essential container in task exited",
            "-----BEGIN CERTIFICATE-----",
            "Basic authentication is required; primary key: 42, key=backend, foreign key=orders_customer_id",
            "sk-learn-and-other-packages are missing",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "at com/example/app/Controller/HealthEndpoint/check",
            "dial tcp(127.0.0.1:3306) refused",
            "error: unexpected argument '--password' found",
            "auth: refused by https://discord.com/channels/1",
            "creds: none, pat: none, hmac: sha256, killed with sig=9",
            "12:30:app@db:5432 and error: app@db:5432 refused; a@b.c:80",
            "pull app:1.2@sha256:0123456789abcdef",
            "mkdir -p build; command (-p, 8080, serve)",
            "usage: app [--token] [--db-password --port 80]",
        ] {
            assert_eq!(text(kept), kept);
        }
    }

    #[test]
    fn a_key_that_is_printed_as_several_lines_is_one_secret() {
        let printed = ["up", "-----BEGIN PRIVATE KEY-----", "hunter2", "-----END PRIVATE KEY-----", "down"];
        let printed: Vec<String> = printed.into_iter().map(str::to_owned).collect();
        assert_eq!(lines(&printed), ["up", "***", "down"]);
        assert_eq!(each(&printed), ["up", "***", "***", "***", "down"]);
        assert_eq!(lines(&[]), Vec::<String>::new());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_cut_in_the_middle_of_a_character(
            printed in "(password|=|: |\"|'|\\\\|é|→| → |Bearer |://|@|-----BEGIN |PRIVATE KEY-----|-----END|\n|x1|authorization|arn:|--token){0,14}",
        ) {
            let masked = text(&printed);
            proptest::prop_assert_eq!(printed.is_empty(), masked.is_empty());
        }
    }
}
