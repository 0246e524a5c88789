//! Masks secrets in a text that is no TOML, and so has no keys and values yet: line by line, rather too much
//! than too little.

use super::overwrite;
use crate::config::shape::truth;
use crate::config::syntax::colon;
use crate::redact::{secret_name, secret_value};

/// The text with all that may be a secret overwritten, byte for byte: what follows a word that sounds secret on its
/// line, values in a table of secrets, private keys, and strings of several lines that begin on such a line.
pub(in crate::config) fn mask_lines(text: &str) -> String {
    let mut spans = Vec::new();
    let mut start = 0;
    let mut in_secrets = false;
    // What ends the lines that are masked as a whole.
    let mut until: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        if let Some(mark) = until {
            spans.push(start..end);
            until = Some(mark).filter(|mark| !line.contains(mark));
        } else if line.trim_start().starts_with('[') && !line.contains('=') {
            in_secrets = secret_word_end(line).is_some();
        } else if let Some(from) = first_secret(line, in_secrets) {
            spans.push((start + from).min(end)..end);
            until = opened(&line[from..]);
        }
        start += line.len();
    }
    overwrite(text, &spans)
}

/// Where on the line the secret begins.
fn first_secret(line: &str, in_secrets: bool) -> Option<usize> {
    let by_form = secret_value(line).is_some() || line.contains("-----BEGIN") || password_begun(line);
    let value = || line.find('=').map_or(0, |at| at + 1);
    secret_word_end(line).or_else(|| (in_secrets || by_form).then(value)).or_else(|| stray(line))
}

/// Where on a line that is neither a key with a value nor punctuation the text begins: it may be the middle
/// of a secret whose beginning was lost. The key of a forgotten `=` is left to be seen.
fn stray(line: &str) -> Option<usize> {
    let line = line.trim_end();
    let known = line.trim_start().starts_with(['#', '[', ']', '{', '}', '"', '\'', ',']);
    if line.is_empty() || known || line.contains('=') {
        return None;
    }
    if colon(line).is_some_and(|(_, value)| value.parse::<f64>().is_ok() || truth(value).is_some()) {
        return None;
    }
    let value =
        line.find([' ', '\t']).filter(|at| line[*at..].trim_start().starts_with(['"', '\'', '[', '{']));
    Some(value.unwrap_or(0))
}

/// Whether a URL begins like one with a password, of which the end may be missing: a port would be a number.
fn password_begun(line: &str) -> bool {
    line.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', '"', '\'']).next().unwrap_or(rest);
        authority.split_once(':').is_some_and(|(_, port)| port.trim_end().parse::<u16>().is_err())
    })
}

/// The end of the first word that sounds secret.
fn secret_word_end(line: &str) -> Option<usize> {
    let mut from = 0;
    for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if secret_name(word) {
            return Some(from + word.len());
        }
        // All separators that are split at are looked up by their own length: they may be of any alphabet.
        from += word.len();
        from += line[from..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

/// What ends a text that continues after this line.
fn opened(rest: &str) -> Option<&'static str> {
    if rest.contains("-----BEGIN") && !rest.contains("-----END") {
        return Some("-----END");
    }
    ["\"\"\"", "'''"].into_iter().find(|quotes| rest.matches(quotes).count() % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_survives_a_file_that_cannot_be_parsed() {
        for (text, left) in [
            ("DB_PASSWORD = \"hunter2", "DB_PASSWORD**"),
            ("environment = { A = \"a\", API_TOKEN \"hunter2\" }", "environment = { A = \"a\", API_TOKEN**"),
            ("[container.secrets]\nDB = \"hunter2\n[env]\nA = 1", "\n[env]\nA = 1"),
            ("PEM = \"\"\"\n-----BEGIN PRIVATE KEY-----\nhunter2\n-----END\nA = 1", "\nA = 1"),
            ("SECRET = \"\"\"\nhunter2\nhunter2\"\"\"\nA = 1", "\nA = 1"),
            ("URL = \"postgres://app:hunter2@db", "URL =**"),
            ("URL = \"postgres://app:hunter2", "URL =**"),
            ("hunter2", "*******"),
            ("min: 2", "min: 2"),
            ("min: hunter2", "************"),
            ("password: 12345 hunter2", "password"),
            ("region \"hunter2\"", "region**"),
            ("routes = [\n    { path = \"/\" },\n]", "routes = [\n    { path = \"/\" },\n]"),
            ("URL = \"http://backend:8080/", "URL = \"http://backend:8080/"),
            ("name = \"ä\"\nTOKEN_URL = \"https://a\"", "name = \"ä\"\nTOKEN_URL = \"https://a\""),
        ] {
            let masked = mask_lines(text);
            assert!(!masked.contains("hunter2") && masked.contains(left), "{masked}");
            assert_eq!(masked.len(), text.len(), "places must not move");
            assert_eq!(masked.lines().count(), text.lines().count());
        }
    }
}
