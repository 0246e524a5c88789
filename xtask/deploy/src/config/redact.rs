//! Keeps secrets out of what is printed: a diagnostic quotes lines of the file, and a line may hold a
//! password.
//!
//! Nothing here decides whether a secret in the file is a mistake; the rule `secret-in-environment` does.

mod unparsed;

use toml::de::{DeTable, DeValue};

use super::place::Span;
use crate::redact::{certain_secret, masked_argument, secret_name, secret_reference, secret_value};
pub(super) use unparsed::mask_lines;

/// The text with every value that looks like a secret overwritten by `*`, byte for byte: places stay valid.
pub(super) fn mask(text: &str, file: &DeTable<'_>) -> String {
    let mut public = Vec::new();
    publics(file, &[], &mut public);
    let mut spans = Vec::new();
    collect(file, &[], &public, &mut spans);
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

/// A table's keys from the top, without those of its environment: what is said for one is said of the same container.
type Path<'a> = Vec<&'a str>;

fn below<'a>(path: &[&'a str], key: &'a str) -> Path<'a> {
    let path = [path, &[key]].concat();
    if path.len() == 2 && path[0] == "env" { Path::new() } else { path }
}

/// The variables that are said to be no secrets, each with the table that says so.
fn publics<'a>(table: &'a DeTable<'_>, path: &[&'a str], found: &mut Vec<(Path<'a>, &'a str)>) {
    let named = table.get("public").and_then(|list| list.get_ref().as_array()).into_iter().flatten();
    found.extend(named.filter_map(|name| Some((path.to_vec(), name.get_ref().as_str()?))));
    for (key, value) in table.iter() {
        if let DeValue::Table(table) = value.get_ref() {
            publics(table, &below(path, key.get_ref()), found);
        }
    }
}

/// Whether a variable, label or log option of the table at this path is public.
fn is_public(path: &[&str], name: &str, public: &[(Path<'_>, &str)]) -> bool {
    let container = match path {
        [container @ .., "environment" | "log-output"] => container.to_vec(),
        // `aws.container` of a service, `aws` of a sidecar.
        [service @ .., "aws", "container", "dockerLabels"]
        | [service @ .., "aws", "container", "logConfiguration", "options"] => {
            [service, &["container"]].concat()
        }
        [sidecar @ .., "aws", "dockerLabels"] | [sidecar @ .., "aws", "logConfiguration", "options"] => {
            sidecar.to_vec()
        }
        _ => return false,
    };
    public.iter().any(|(of, public)| {
        let every = of.first() == Some(&"every-service") && container.first() == Some(&"service");
        *public == name && (*of == container || (every && of[1..] == container[2..]))
    })
}

fn collect(table: &DeTable<'_>, path: &[&str], public: &[(Path<'_>, &str)], spans: &mut Vec<Span>) {
    let in_secrets = path.last() == Some(&"secrets");
    // A variable as AWS's wire has it: `{ name = "DB_PASSWORD", value = "…" }`.
    let named = table.get("name").and_then(|name| name.get_ref().as_str()).is_some_and(secret_name);
    for (key, value) in table.iter() {
        let is_public = is_public(path, key.get_ref(), public);
        match value.get_ref() {
            other if is_public && other.as_str().is_none_or(|text| certain_secret(text).is_none()) => {}
            // The key of a table is a name of ours; what it holds is judged member by member.
            DeValue::Table(table) => collect(table, &below(path, key.get_ref()), public, spans),
            // A value under `secrets` that is no reference is the secret itself, whatever its name.
            DeValue::String(text) if in_secrets && secret_reference(text) => {}
            DeValue::String(_) if in_secrets => spans.push(value.span()),
            DeValue::String(text) if secret_value(text).is_some() => spans.push(value.span()),
            _ if secret_name(key.get_ref()) || (named && key.get_ref() == "value") => {
                spans.push(value.span())
            }
            DeValue::Array(list) => {
                let mut flag = "";
                for item in list {
                    match item.get_ref() {
                        DeValue::Table(table) => collect(table, &[], public, spans),
                        DeValue::String(text)
                            if secret_value(text).is_some() || masked_argument(flag, text) =>
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

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        mask(text, DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn a_public_variable_is_quoted_wherever_the_file_says_so_of_its_container() {
        let says = "[service.web]\npublic = [\"API_TOKEN\"]\n";
        for table in ["service.web", "env.prod.service.web"] {
            let text = format!("{says}[{table}.environment]\nAPI_TOKEN = \"5\"\n");
            assert_eq!(masked(&text), text);
        }
        for table in ["log-output", "aws.dockerLabels", "aws.logConfiguration.options"] {
            let text = format!("{says}[service.web.{table}]\nAPI_TOKEN = \"5\"\n");
            assert_eq!(masked(&text), text);
        }
        for table in ["dockerLabels", "logConfiguration.options"] {
            let says = "[service.web.container]\npublic = [\"API_TOKEN\"]\n";
            let text = format!("{says}[service.web.aws.container.{table}]\nAPI_TOKEN = \"5\"\n");
            assert_eq!(masked(&text), text);
        }
        let every =
            "[every-service]\npublic = [\"API_TOKEN\"]\n[service.web.environment]\nAPI_TOKEN = \"5\"\n";
        assert_eq!(masked(every), every);
        for table in
            ["service.other.environment", "service.web.sidecar.proxy.environment", "service.web.secrets"]
        {
            let text = format!("{says}[{table}]\nAPI_TOKEN = \"5\"\n");
            assert!(masked(&text).ends_with("API_TOKEN = ***\n"), "{table}: {}", masked(&text));
        }
    }

    #[test]
    fn a_certain_secret_and_what_p_takes_are_masked_whatever_the_file_says() {
        let says = "[service.web]\npublic = [\"DB\"]\nenvironment.DB = ";
        for value in ["postgres://u:hunter2x@h/d", "u:hunter2x@h:5432", "AKIAIOSFODNN7EXAMPLE"] {
            let text = format!("{says}\"{value}\"\n");
            assert!(masked(&text).ends_with("*\n"), "{}", masked(&text));
        }
        let shown = format!("{says}\"postgres://h/d\"\n");
        assert_eq!(masked(&shown), shown);
        let line = "command = [\"-p\", \"hunter2x\", \"-p\", \"8080\", \"--token\", \"hunter3x\"]\n";
        let line = masked(line);
        assert!(!line.contains("hunter") && line.contains("\"-p\", \"8080\", \"--token\""), "{line}");
    }

    #[test]
    fn a_variable_in_the_form_of_awss_wire_is_masked_by_its_name() {
        let text =
            "definitions = [{ environment = [{ name = \"DB_PASSWORD\", value = \"correct horse\" }] }]\n";
        assert!(!masked(text).contains("horse") && masked(text).contains("DB_PASSWORD"), "{}", masked(text));
    }
}
