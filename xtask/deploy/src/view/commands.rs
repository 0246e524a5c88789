//! Commands that a text advises, such as `` `cargo xtask abort` ``: each with the options by which its reader chose the environment.

const COMMAND: &str = "`cargo xtask";
/// What is about no environment, or about the embedded cloud only.
const WITHOUT: [&str; 5] = ["local", "init", "ci", "swarm", "completions"];

/// The text with these options, such as `--env prod`, in each command that takes them and does not name an environment.
/// Without them, `cargo xtask down` after a release of `prod` would act on the default environment.
pub fn with_options(text: &str, options: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(COMMAND) {
        let (before, found) = rest.split_at(at + COMMAND.len());
        whole.push_str(before);
        // A text that was cut off has no end of the command.
        let Some((arguments, after)) = found.split_once('`') else {
            rest = found;
            break;
        };
        let own = arguments.split(" -- ").next().unwrap_or_default();
        let verb = own.split_whitespace().next().unwrap_or_default();
        whole.push_str(own);
        if !own.contains("--env") && !verb.is_empty() && !WITHOUT.contains(&verb) {
            whole.push(' ');
            whole.push_str(options);
        }
        whole.push_str(&arguments[own.len()..]);
        whole.push('`');
        rest = after;
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_after_a_release_of_prod_is_not_about_the_default_environment() {
        for (text, shown) in [
            ("run `cargo xtask wait`", "run `cargo xtask wait --env prod`"),
            ("`cargo xtask\n  down` first", "`cargo xtask\n  down --env prod` first"),
            ("`cargo xtask exec web -- sh -c id`", "`cargo xtask exec web --env prod -- sh -c id`"),
            ("`cargo xtask plan --env local`", "`cargo xtask plan --env local`"),
            ("`cargo xtask local stop` ends it", "`cargo xtask local stop` ends it"),
            (
                "`cargo xtask a` or `cargo xtask b`",
                "`cargo xtask a --env prod` or `cargo xtask b --env prod`",
            ),
            ("`cargo xtask de", "`cargo xtask de"),
            ("cargo xtask without backticks", "cargo xtask without backticks"),
        ] {
            assert_eq!(with_options(text, "--env prod"), shown);
        }
    }
}
