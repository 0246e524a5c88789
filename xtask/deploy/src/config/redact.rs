//! Keeps secrets out of what is printed: a diagnostic quotes lines of the file, and a line may hold a
//! password.
//!
//! Nothing here decides whether a secret in the file is a mistake; the rule `secret-in-environment` does.

mod unparsed;

use toml::de::{DeTable, DeValue};

use super::place::Span;
use crate::redact::{secret_argument, secret_name, secret_reference, secret_value};
pub(super) use unparsed::mask_lines;

/// The text with every value that looks like a secret overwritten by `*`, byte for byte: places stay valid.
pub(super) fn mask(text: &str, file: &DeTable<'_>) -> String {
    let mut spans = Vec::new();
    collect(file, false, &[], &mut spans);
    // A line that was commented out is no value, and is quoted beside those that are.
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('#') {
            let within = crate::redact::spans(line);
            spans.extend(within.into_iter().map(|span| start + span.start..start + span.end));
        }
        start += line.len();
    }
    overwrite(text, &spans)
}

/// `public` are the variables of this table that are said to be no secrets.
fn collect(table: &DeTable<'_>, in_secrets: bool, public: &[&str], spans: &mut Vec<Span>) {
    let beside = table.get("public").and_then(|list| list.get_ref().as_array()).into_iter().flatten();
    let beside: Vec<&str> = beside.filter_map(|name| name.get_ref().as_str()).collect();
    for (key, value) in table.iter().filter(|(key, _)| !public.contains(&key.get_ref().as_ref())) {
        match value.get_ref() {
            DeValue::Table(below) => {
                // The key of a table is a name of ours; what it holds is judged member by member.
                let public = if key.get_ref() == "environment" { &beside[..] } else { &[] };
                collect(below, key.get_ref() == "secrets", public, spans);
            }
            // A value under `secrets` that is no reference is the secret itself, whatever its name.
            DeValue::String(text) if in_secrets && secret_reference(text) => {}
            DeValue::String(_) if in_secrets => spans.push(value.span()),
            DeValue::String(text) if secret_value(text).is_some() => spans.push(value.span()),
            _ if secret_name(key.get_ref()) => spans.push(value.span()),
            DeValue::Array(list) => {
                let mut flag = "";
                for item in list {
                    match item.get_ref() {
                        DeValue::Table(below) => collect(below, false, &[], spans),
                        DeValue::String(text)
                            if secret_value(text).is_some() || secret_argument(flag, text) =>
                        {
                            spans.push(item.span());
                        }
                        _ => {}
                    }
                    flag = item.get_ref().as_str().unwrap_or_default();
                }
            }
            _ => {}
        }
    }
}

fn overwrite(text: &str, spans: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in spans {
        // Line breaks stay: line numbers must not move.
        for byte in bytes.get_mut(span.clone()).into_iter().flatten().filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    // Spans begin and end between characters, so whole characters were replaced: nothing here is lossy.
    String::from_utf8_lossy(&bytes).into_owned()
}
