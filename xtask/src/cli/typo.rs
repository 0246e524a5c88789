//! Options that are mistyped. clap compares beginnings: for `--evn` it suggests `--evidence`.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use deploy::config::closest;

use super::args::Cli;

/// The error with the option that was meant, where one is nearer than clap's own suggestion.
pub(super) fn meant(mut error: Error) -> Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if let (ErrorKind::UnknownArgument, Some(typed)) = (error.kind(), text(ContextKind::InvalidArg)) {
        let command = Cli::command();
        let global =
            command.get_arguments().filter_map(|option| option.get_long()).map(|long| format!("--{long}"));
        let known: Vec<String> = text(ContextKind::SuggestedArg).into_iter().chain(global).collect();
        if let Some(meant) = closest(&typed, known.iter().map(String::as_str)) {
            // It names clap's suggestion.
            error.remove(ContextKind::Usage);
            error.insert(ContextKind::SuggestedArg, ContextValue::String(meant.to_owned()));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn the_nearest_option_is_suggested() {
        for (typed, option) in [("--evn", "--env"), ("--ouput", "--output"), ("--no-cash", "--no-cache")] {
            let error = Cli::try_parse_from(["cargo-xtask", "build", typed]).unwrap_err();
            let shown = meant(error).to_string();
            assert!(shown.contains(&format!("a similar argument exists: '{option}'")), "{shown}");
            assert!(!shown.contains("--evidence"), "{shown}");
        }
    }
}
