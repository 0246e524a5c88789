//! "Did you mean": the known word that a mistyped one most likely means.

/// So many words are compared with a mistyped one, and listed: with thousands, each mistake would cost as much as all others.
const MOST: usize = 50;

/// The closest of `known` to `word`, if one is close enough to be meant.
///
/// Spelling that differs in case, hyphens and underscores only (`desiredCount` for `desired-count`) and a
/// left-out unit (`interval` for `interval-secs`) come before typing mistakes.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().take(MOST).collect();
    let bare = fold(word);
    let same = known.iter().find(|candidate| fold(candidate) == bare);
    let begun = known.iter().find(|candidate| bare.len() >= 3 && fold(candidate).starts_with(&bare));
    let typo = || {
        let distance = |candidate: &str| strsim::damerau_levenshtein(&bare, &fold(candidate));
        let near = known.iter().min_by_key(|candidate| distance(candidate))?;
        (distance(near) <= (bare.len() / 3).max(1)).then_some(near)
    };
    same.or(begun).or_else(typo).copied()
}

/// What other tools call what AWS calls otherwise.
const ALIASES: [(&str, &str); 5] = [
    ("amd64", "X86_64"),
    ("x64", "X86_64"),
    ("intel", "X86_64"),
    ("aarch64", "ARM64"),
    ("graviton", "ARM64"),
];

/// Keys by the words of other tools.
const OTHER_WORDS: [(&str, &str); 8] = [
    ("package", "cargo"),
    ("crate", "cargo"),
    ("file", "dockerfile"),
    ("workdir", "working-directory"),
    ("cwd", "working-directory"),
    ("env", "environment"),
    ("tz", "timezone"),
    ("cron", "schedule"),
];

/// The key that another tool's word for it means, where the table has that key.
pub(super) fn another_word<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (_, meant) = OTHER_WORDS.iter().find(|(other, _)| *other == fold(word))?;
    known.into_iter().find(|key| key == meant)
}

/// The choice that a word means: also by another name, or by a part of its own (`CPUUtilization`).
pub(super) fn choice<'a>(word: &str, options: &[&'a str]) -> Option<&'a str> {
    let bare = fold(word);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == bare).map(|(_, option)| *option);
    let named = || options.iter().copied().find(|option| alias == Some(*option));
    let part = || {
        let mut with =
            options.iter().copied().filter(|option| bare.len() >= 3 && fold(option).contains(&bare));
        with.next().filter(|_| with.next().is_none())
    };
    named().or_else(part).or_else(|| closest(word, options.iter().copied()))
}

/// What to say of a key that is not there and that people look for.
pub(super) fn answer(key: &str) -> Option<&'static str> {
    Some(match key {
        "replicas" | "instances" | "tasks" | "count" => {
            "the number of tasks is `desired-count`; `scaling` changes it later"
        }
        "launch-type" | "launchType" => {
            "tasks run on Fargate; on spot capacity with `capacity-providers = [{ name = \"FARGATE_SPOT\" }]`"
        }
        _ => return None,
    })
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// `` `a`, `b` or `c` ``.
pub(super) fn either<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    join(words, "or")
}

/// `` `a`, `b` and `c` ``.
pub(super) fn all<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    join(words, "and")
}

fn join<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let mut words = words.into_iter();
    let mut quoted: Vec<String> = words.by_ref().take(MOST).map(|word| format!("`{word}`")).collect();
    if words.next().is_some() {
        quoted.push("others".to_owned());
    }
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_key_finds_the_key_that_was_meant_and_a_stranger_finds_none() {
        let known = ["memory-mib", "desired-count", "interval-secs", "cpu", "name"];
        for (word, meant) in [
            ("memory-mb", Some("memory-mib")),
            ("desiredCount", Some("desired-count")),
            ("desired_count", Some("desired-count")),
            ("interval", Some("interval-secs")),
            ("nmae", Some("name")),
            ("CPU", Some("cpu")),
            ("gpu-cores", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, known), meant, "{word}");
        }
    }
}
