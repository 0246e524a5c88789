//! The images that a Dockerfile names: those of `FROM`, `COPY --from` and `RUN --mount=from=`.
//!
//! Source: Dockerfile reference: line continuations, the `escape` directive, `ARG` before the first `FROM`.

use std::collections::BTreeMap;

/// The names of all images that a Dockerfile begins with or copies from, with its `ARG`s filled in; `None` when it adds
/// something from the network, which changes without a change here.
pub(super) fn images(text: &str, args: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let (mut stages, mut images): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut from_seen = false;
    for line in instructions(text) {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default().to_ascii_uppercase();
        match instruction.as_str() {
            "ARG" if !from_seen => {
                for word in words {
                    let (name, default) = word.split_once('=').unwrap_or((word, ""));
                    let value = args.get(name).cloned().or_else(|| fill(unquoted(default), &known));
                    match value {
                        Some(value) => drop(known.insert(name.to_owned(), value)),
                        None => drop(known.remove(name)),
                    }
                }
            }
            "FROM" => {
                from_seen = true;
                let mut words = words.filter(|word| !word.starts_with("--"));
                images.push(fill(unquoted(words.next().unwrap_or_default()), &known)?);
                let name = words.next().filter(|word| word.eq_ignore_ascii_case("as")).and(words.next());
                // A stage is also known by its number.
                stages.push(name.unwrap_or_default().to_ascii_lowercase());
            }
            "ADD" if words.clone().any(is_remote) => return None,
            "COPY" | "RUN" => {
                let options = words.take_while(|word| word.starts_with("--"));
                for image in options.filter_map(from) {
                    images.push(fill(image, &known)?);
                }
            }
            _ => {}
        }
    }
    let is_stage = |image: &String| {
        stages.contains(&image.to_ascii_lowercase())
            || image.parse::<usize>().is_ok_and(|number| number < stages.len())
    };
    // A name like an option is not worth asking an engine about.
    images.retain(|image| image != "scratch" && !image.starts_with('-') && !is_stage(image));
    images.sort();
    images.dedup();
    Some(images)
}

/// The image that reads the Dockerfile, where its first lines name one (`# syntax=docker/dockerfile:1`).
pub(super) fn frontend(text: &str) -> Option<String> {
    let comments = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    let mut directives = comments.map_while(|comment| comment.split_once('='));
    let (_, image) = directives.find(|(name, _)| name.trim().eq_ignore_ascii_case("syntax"))?;
    Some(image.trim().to_owned())
}

/// The image of `--from=IMAGE` or `--mount=type=bind,from=IMAGE,…`.
fn from(option: &str) -> Option<&str> {
    match option.strip_prefix("--from=") {
        Some(image) => Some(image),
        None => option.strip_prefix("--mount=")?.split(',').find_map(|part| part.strip_prefix("from=")),
    }
}

/// Whether `ADD` may fetch it: a variable can hold an address.
fn is_remote(word: &str) -> bool {
    word.contains("://") || word.contains("git@") || word.contains('$')
}

/// The lines with their continuations, without comments.
fn instructions(text: &str) -> Vec<String> {
    let mut escape = '\\';
    let (mut lines, mut current) = (Vec::new(), String::new());
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            let directive = comment.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            if lines.is_empty() && directive == Some(("escape", "`")) {
                escape = '`';
            }
            continue;
        }
        match trimmed.strip_suffix(escape) {
            Some(begun) => {
                current.push_str(begun);
                current.push(' ');
            }
            None if trimmed.is_empty() && !current.is_empty() => {}
            None => {
                current.push_str(trimmed);
                lines.push(std::mem::take(&mut current));
            }
        }
    }
    lines.push(current);
    lines.retain(|line| !line.trim().is_empty());
    lines
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

/// No name of an image is as long (distribution specification: 255 characters, a tag of 128, a digest). `ARG A=$A$A` doubles a
/// value with each line, so that some forty lines would fill the memory.
const LONGEST: usize = 1024;

/// Fills in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; a name that is not known stays as it is. `None` for what
/// becomes longer than any image's name.
fn fill(text: &str, known: &BTreeMap<String, String>) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let (written, left) = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some((inside, left)) => (inside, left),
            None => after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len())),
        };
        let (name, other) = written.split_at(written.find(|c| !is_name(c)).unwrap_or(written.len()));
        let value = known.get(name).filter(|value| !value.is_empty());
        match (value, other.get(..2), other.get(2..)) {
            // What is inside of braces has none itself: this goes one level deep.
            (None, Some(":-"), Some(default)) => filled.push_str(&fill(default, known)?),
            (Some(_), Some(":+"), Some(other)) => filled.push_str(&fill(other, known)?),
            (None, Some(":+"), _) => {}
            (Some(value), ..) => filled.push_str(value),
            (None, ..) => filled.push_str(&format!("${{{name}}}")),
        }
        if filled.len() > LONGEST {
            return None;
        }
        rest = left;
    }
    filled.push_str(rest);
    (filled.len() <= LONGEST).then_some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, args: &[(&str, &str)]) -> Option<Vec<String>> {
        let args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        images(text, &args)
    }

    #[test]
    fn a_base_that_moved_is_found_however_the_dockerfile_names_it() {
        let text = "# syntax=docker/dockerfile:1\nARG NODE=22\nARG BASE=\"node:${NODE}\"\nARG OTHER\n\
            FROM --platform=$BUILDPLATFORM ${BASE}-slim AS build\nRUN --mount=type=bind,from=tools:1,target=/t \\\n  # why\n  x\n\
            from scratch\nCOPY --chown=1 --from=build /a /\nCOPY --from=0 /a /\nCOPY --from=busybox:1 /bin/sh /\n\
            FROM $OTHER\nFROM alpine:${UNSET:-3}\n";
        let expected = |images: [&str; 5]| Some(images.map(str::to_owned).to_vec());
        assert_eq!(
            of(text, &[("OTHER", "other@sha256:1")]),
            expected(["alpine:3", "busybox:1", "node:22-slim", "other@sha256:1", "tools:1"])
        );
        assert_eq!(
            of(text, &[("NODE", "24")]),
            expected(["${OTHER}", "alpine:3", "busybox:1", "node:24-slim", "tools:1"])
        );
    }

    #[test]
    fn an_image_that_reads_the_dockerfile_is_known_from_its_first_lines_only() {
        let of = |text: &str| frontend(text);
        assert_eq!(of("#syntax = docker/dockerfile:1\nFROM x"), Some("docker/dockerfile:1".to_owned()));
        assert_eq!(of("# escape=`\n# syntax=a/b:2\nFROM x"), Some("a/b:2".to_owned()));
        assert_eq!(of("# a comment\n# syntax=a/b:2\nFROM x"), None);
        assert_eq!(of("FROM x\n# syntax=a/b:2\n"), None);
    }

    /// Found by `xtask/fuzz`.
    #[test]
    fn args_that_double_each_other_do_not_fill_the_memory() {
        let doubled = "ARG A=a\n".to_owned() + &"ARG A=$A$A\n".repeat(60);
        assert_eq!(of(&format!("{doubled}FROM alpine:3\n"), &[]), Some(vec!["alpine:3".to_owned()]));
        let images = of(&format!("{doubled}FROM $A\n"), &[]).unwrap_or_default();
        assert!(images.iter().all(|image| image.len() <= LONGEST));
        assert_eq!(
            of(&format!("FROM {}\n", "$".repeat(1 << 20)), &[]),
            None,
            "longer than a name of an image"
        );
    }

    #[test]
    fn what_comes_from_the_network_is_never_the_same() {
        assert_eq!(of("FROM scratch\nADD https://example.com/x /x", &[]), None);
        assert_eq!(of("FROM scratch\nADD git@example.com:a/b.git /x", &[]), None);
        assert_eq!(of("FROM scratch\nARG URL=https://example.com/x\nADD $URL /x", &[]), None);
        assert_eq!(of("FROM scratch\nADD x.tar /\nRUN curl https://example.com", &[]), Some(Vec::new()));
    }
}
