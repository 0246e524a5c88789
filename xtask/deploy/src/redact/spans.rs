//! Where in a text secrets stand.

use std::ops::Range;

use super::address::addresses;
use super::names::{masked_argument, secret_name};

pub(super) type Spans = Vec<Range<usize>>;

/// Headers whose whole value is a secret.
const HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Names that are secrets where a value is assigned to them, and words of prose elsewhere.
const ASSIGNED: [&str; 12] = [
    "accountkey",
    "auth",
    "bearer",
    "creds",
    "hmac",
    "pass",
    "pat",
    "pw",
    "pwd",
    "salt",
    "sharedaccesskey",
    "signature",
];

/// How tokens of well-known services begin.
const PREFIXES: [&str; 23] = [
    "AIza",
    "SG.",
    "dckr_pat_",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hf_",
    "npm_",
    "pypi-",
    "rk_live_",
    "sk-",
    "sk_live_",
    "sk_test_",
    "whsec_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxs-",
];

/// Shortest token that one of the prefixes makes.
const SHORTEST_TOKEN: usize = 16;

/// Characters of an AWS secret access key.
const AWS_SECRET_KEY: usize = 40;

/// Characters of one line of a private key, as PEM wraps it.
const PEM_LINE: usize = 64;

/// All of them, in no order; they may overlap.
pub(crate) fn all(text: &str) -> Spans {
    let mut spans = formed(text);
    spans.extend(words(text).flat_map(|word| by_name(text, word)));
    spans
}

/// Those that are secrets by their own form, whatever is before them.
pub(super) fn formed(text: &str) -> Spans {
    let mut spans = private_keys(text);
    spans.extend(addresses(text));
    spans.extend(secret_access_keys(text));
    spans.extend(words(text).flat_map(|word| by_form(text, word)));
    spans
}

/// Runs of letters, digits and `_.-`.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(in_word)?;
        let end = text[start..].find(|c| !in_word(c)).map_or(text.len(), |length| start + length);
        from = end;
        Some(start..end)
    })
}

/// A word that is a secret by its own form.
fn by_form(text: &str, word: Range<usize>) -> Spans {
    let found = &text[word.clone()];
    let mut spans = Spans::new();
    for prefix in ["AKIA", "ASIA"] {
        for (at, _) in found.match_indices(prefix) {
            let is_id = |c: &char| c.is_ascii_uppercase() || c.is_ascii_digit();
            if found[at..].chars().take_while(is_id).count() == 20 {
                spans.push(word.start + at..word.start + at + 20);
            }
        }
    }
    let bare = found.trim_end_matches('.');
    let is_jwt = bare.starts_with("eyJ") && bare.len() >= 30 && bare.matches('.').count() >= 2;
    if is_jwt || is_token(bare) {
        spans.push(word.start..word.start + bare.len());
    }
    spans
}

/// Whether a word is a token of a well-known service. Words of prose begin so too (`sk-learn`): a token is long, and has
/// digits or letters of both cases.
pub(super) fn is_token(word: &str) -> bool {
    let rest = || PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix));
    word.len() >= SHORTEST_TOKEN
        && rest().is_some_and(|rest| {
            let has = |kind: fn(&char) -> bool| rest.chars().any(|c| kind(&c));
            has(char::is_ascii_digit) || (has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase))
        })
}

/// What follows a name that says it is a secret.
fn by_name(text: &str, word: Range<usize>) -> Spans {
    let name = &text[word.clone()];
    if name == "-p" {
        return after_p(text, word.end).into_iter().collect();
    }
    let lower = name.to_ascii_lowercase();
    if ["bearer", "basic"].contains(&lower.as_str())
        && let Some(found) = credentials(text, word.end)
    {
        return vec![found];
    }
    let header = HEADERS.contains(&lower.as_str());
    // A `key` may be anything; one with a long value of letters and digits is for a door.
    let key = lower == "key" && {
        let sign = skip(text, word.end, &['"', '\'']);
        let value =
            text[sign..].strip_prefix(['=', ':']).unwrap_or_default().trim_start_matches([' ', '"', '\'']);
        let value = &value
            [..value.find(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c)).unwrap_or(value.len())];
        let has = |kind: fn(&char) -> bool| value.chars().any(|c| kind(&c));
        value.len() >= SHORTEST_TOKEN && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
    };
    // Signed URLs have `X-Amz-Signature`, `X-Goog-Signature` and others.
    let assigned = key || ASSIGNED.contains(&lower.as_str()) || lower.ends_with("-signature");
    if !(header || assigned || secret_name(&snake(name))) || in_arn(text, word.start) {
        return Spans::new();
    }
    // `"name": …` in JSON, also in JSON that is a string itself.
    let after = skip(text, skip(text, word.end, &['\\']), &['"', '\'']);
    let sign = skip(text, after, &[' ', '\t']);
    let begin = match text[sign..].chars().next() {
        Some('=') => sign + 1,
        // `auth: refused` is prose, `"auth": "refused"` JSON.
        Some(':') if key || !assigned || after > word.end => sign + 1,
        // A flag and its value: two words of a line, or of a list.
        Some(_) if name.starts_with("--") => {
            let value = skip(text, after, &[' ', '\t', ',']);
            let given = text[value..].trim_start_matches(['\\', '"', '\'']);
            // `unexpected argument '--password' found`
            let prose = after > word.end && given.len() == text.len() - value;
            if value == after || prose || given.starts_with('-') {
                return Spans::new();
            }
            value
        }
        _ => return Spans::new(),
    };
    let begin = skip(text, begin, &[' ', '\t', '>']);
    let mut spans: Spans = value(text, begin, header).into_iter().collect();
    // A change: what was, and what is to be.
    if let Some(rest) = spans.last().map(|span| span.end).filter(|end| text[*end..].starts_with(" → ")) {
        spans.extend(value(text, rest + " → ".len(), header));
    }
    spans
}

/// The word after `-p` in a list of words, as a plan shows a command. In a line of a shell it may as well be a folder.
fn after_p(text: &str, end: usize) -> Option<Range<usize>> {
    let sign = skip(text, end, &['"', '\'']);
    let rest = text[sign..].strip_prefix(',')?;
    let found = value(text, text.len() - rest.trim_start_matches(' ').len(), false)?;
    masked_argument("-p", &text[found.clone()]).then_some(found)
}

/// The value that begins there: up to the quote that closes it, or to where a word of its kind ends.
fn value(text: &str, begin: usize, header: bool) -> Option<Range<usize>> {
    let opened = skip(text, begin, &['\\']);
    let quote = text[opened..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let (from, end) = match quote {
        Some(quote) => {
            let from = opened + 1;
            let escape = if opened > begin { '\\' } else { quote };
            (from, text[from..].find([escape, quote, '\n']))
        }
        None if header => (begin, text[begin..].find(['"', '\'', '\n', '\\'])),
        None => {
            let ends = |c: char| c.is_whitespace() || ",;&)}]\"'<\\".contains(c);
            (begin, text[begin..].find(ends))
        }
    };
    let end = end.map_or(text.len(), |length| from + length);
    let found = &text[from..end];
    // Where a secret is kept is no secret.
    (!found.is_empty() && !found.starts_with("arn:")).then_some(from..end)
}

/// The token after `Bearer`, or the base64 after `Basic`.
fn credentials(text: &str, end: usize) -> Option<Range<usize>> {
    let from = skip(text, end, &[' ']);
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let length = text[from..].find(|c| !is_token(c)).unwrap_or(text.len() - from);
    let digits = text[from..from + length].chars().any(|c| c.is_ascii_digit() || c == '=');
    (from > end && length >= 8 && digits).then_some(from..from + length)
}

/// AWS secret access keys, without a name before them: 40 characters of base64, mixed as chance mixes them, which neither a
/// digest nor a path is.
fn secret_access_keys(text: &str) -> Spans {
    let in_key = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    let mut spans = Spans::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(in_key).map(|at| from + at) {
        from = text[start..].find(|c| !in_key(c)).map_or(text.len(), |length| start + length);
        let run = &text[start..from];
        let count = |kind: fn(&char) -> bool| run.chars().filter(kind).count();
        let mixed = count(char::is_ascii_digit) >= 1
            && count(char::is_ascii_uppercase) >= 6
            && count(char::is_ascii_lowercase) >= 6;
        if run.len() == AWS_SECRET_KEY && mixed {
            spans.push(start..from);
        }
    }
    spans
}

/// Private keys in PEM, whole, or cut off at either end, or a line of one.
fn private_keys(text: &str) -> Spans {
    let mut spans = Spans::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("-----BEGIN").map(|at| from + at) {
        from = start + "-----BEGIN".len();
        if !line_at(text, start).contains("PRIVATE KEY") {
            continue;
        }
        let end = text[from..].find("-----END").map(|at| from + at);
        from = end.map_or(text.len(), |end| closed(text, end));
        spans.push(start..from);
    }
    let mut begin = 0;
    // Where a run of lines of base64 began.
    let mut body = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let long = bare.len() >= SHORTEST_TOKEN || bare.ends_with('=');
        let base64 = long && bare.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
        if line.contains("-----END") && line.contains("PRIVATE KEY") {
            let end = begin + line.find("-----END").unwrap_or_default();
            spans.push(body.unwrap_or(end)..closed(text, end));
        }
        body = base64.then(|| body.unwrap_or(begin));
        let is_digest = bare.chars().all(|c| c.is_ascii_hexdigit());
        if base64 && bare.len() == PEM_LINE && !is_digest {
            spans.push(begin..begin + line.trim_end().len());
        }
        begin += line.len();
    }
    spans
}

/// The end of the `-----END …-----` that begins there.
fn closed(text: &str, end: usize) -> usize {
    let rest = end + "-----END".len();
    text[rest..].find("-----").map_or(text.len(), |at| rest + at + "-----".len())
}

fn line_at(text: &str, at: usize) -> &str {
    text[at..].lines().next().unwrap_or_default()
}

/// Whether a place is inside an ARN: `…:secret:name` says where a secret is.
fn in_arn(text: &str, at: usize) -> bool {
    let breaks = |c: char| c.is_whitespace() || "\"'()[],=".contains(c);
    let start = text[..at]
        .rfind(breaks)
        .map_or(0, |before| before + text[before..].chars().next().map_or(0, char::len_utf8));
    text[start..].starts_with("arn:")
}

/// The first place from `at` on that is none of these characters.
fn skip(text: &str, at: usize, chars: &[char]) -> usize {
    text.len() - text[at..].trim_start_matches(chars).len()
}

/// `dbPassword` as `db_Password`: the words of a name are split at what is no letter.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_ascii_uppercase() {
            snake.push('_');
        }
        lower = c.is_ascii_lowercase();
        snake.push(c);
    }
    snake
}
