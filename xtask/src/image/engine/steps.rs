//! The step at which a build failed, out of all that an engine printed.
//!
//! BuildKit numbers its steps and mixes their lines (`#5 0.161 text`), the classic builder and Buildah carry out one after the
//! other (`Step 2/3 : …`, `STEP 2/3: …`).

/// Lines of a step that are shown.
const SHOWN: usize = 20;

/// How builders that go step by step begin to say why they stop.
const REASONS: [&str; 4] = ["Error: ", "Error response from daemon", "The command ", "error building "];

/// What BuildKit puts before the reason, layer by layer.
const WRAPPINGS: [&str; 6] = [
    "ERROR: ",
    "failed to solve: ",
    "rpc error: code = Unknown desc = ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to create LLB definition: ",
];

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failed {
    /// The step, such as `[2/3] RUN npm ci`, and where BuildKit prints it, its line; `None` when no step had begun.
    pub(super) step: Option<String>,
    /// The last lines of that step, and what the engine says of its failure.
    pub(super) last: Vec<String>,
}

/// Finds the failing step in a build's lines.
pub(super) fn failed(lines: &[String]) -> Failed {
    let lines: Vec<String> = lines.iter().map(|line| plain(line)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    buildkit(&lines).or_else(|| one_by_one(&lines)).unwrap_or_else(|| Failed {
        step: None,
        last: {
            let words: Vec<&str> = lines.iter().copied().filter(|line| !is_noise(line)).collect();
            last(&if words.is_empty() { lines } else { words.into_iter().map(bare).collect() })
        },
    })
}

fn buildkit(lines: &[&str]) -> Option<Failed> {
    let (at, number) = lines.iter().enumerate().find_map(|(at, line)| {
        let (number, said) = numbered(line)?;
        said.starts_with("ERROR: ").then_some((at, number))
    })?;
    let own = || lines[..=at].iter().filter_map(|line| numbered(line)).filter(|(of, _)| *of == number);
    let name = own().map(|(_, said)| said).find(|said| !said.starts_with("sha256:"))?;
    // Output begins with the seconds since the step's begin.
    let said =
        own().filter_map(|(_, said)| said.split_once(' ').filter(|(time, _)| time.parse::<f64>().is_ok()));
    let mut shown: Vec<&str> = said.map(|(_, text)| text).collect();
    let after = &lines[at + 1..];
    let place = after.iter().find(|line| is_place(line)).map(|line| format!(" ({line})"));
    let reason = after.iter().rev().find(|line| !line.is_empty() && !is_noise(line));
    shown.extend(reason.map(|line| bare(line)));
    Some(Failed { step: Some(format!("{name}{}", place.unwrap_or_default())), last: last(&shown) })
}

/// `(5, "0.161 text")` of `#5 0.161 text`.
fn numbered(line: &str) -> Option<(u32, &str)> {
    let (number, said) = line.strip_prefix('#')?.split_once(' ')?;
    Some((number.parse().ok()?, said))
}

fn is_place(line: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    !line.contains(' ') && line.rsplit_once(':').is_some_and(|(file, line)| !file.is_empty() && number(line))
}

fn one_by_one(lines: &[&str]) -> Option<Failed> {
    let (at, step) = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, step(line)?)))?;
    let mut said: Vec<&str> = lines[at + 1..].iter().copied().filter(|line| !is_noise(line)).collect();
    // It comes on another stream than the steps, and may have been read before the last of them.
    let is_reason = |line: &&str| REASONS.iter().any(|beginning| line.starts_with(beginning));
    if !said.iter().any(is_reason) {
        said.extend(lines[..at].iter().rev().find(|line| is_reason(line)));
    }
    Some(Failed { step: Some(step), last: last(&said) })
}

/// `[2/3] RUN x` of `Step 2/3 : RUN x` and of `STEP 2/3: RUN x`, before which Buildah may name the stage.
fn step(line: &str) -> Option<String> {
    let line = match line.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?.1,
        None => line,
    };
    let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
    let (number, command) = rest.split_once(':')?;
    let number = number.trim();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    number.split_once('/').filter(|(at, of)| digits(at) && digits(of))?;
    Some(format!("[{number}] {}", command.trim()))
}

/// What says nothing of a failure: progress, advertisement, rules, quoted source.
fn is_noise(line: &str) -> bool {
    const BEGINNINGS: [&str; 10] = [
        "#",
        "------",
        " > ",
        " ---> ",
        "--> ",
        "Removing intermediate",
        "Sending build context",
        "DEPRECATED",
        "Install the buildx",
        "BuildKit is currently disabled",
    ];
    let text = line.trim();
    text.is_empty()
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning) || text.starts_with(beginning))
        || text == "environment-variable."
        || text.starts_with("https://docs.docker.com/go/buildx")
}

/// The reason out of its wrappings.
fn bare(line: &str) -> &str {
    WRAPPINGS.iter().find_map(|wrapping| line.strip_prefix(wrapping)).map_or(line, bare)
}

fn last(lines: &[&str]) -> Vec<String> {
    lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| (*line).to_owned()).collect()
}

fn plain(line: &str) -> String {
    anstream::adapter::strip_str(line).to_string()
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
