//! AWS's own words, as short as they can be read.

use crate::model::short_id;

/// What ECS said about a service: without the service's name, which it puts before everything, target groups by name instead
/// of ARN, and task ids as short as elsewhere.
pub(super) fn bare(message: &str) -> String {
    let text = match message.strip_prefix("(service ").and_then(|rest| rest.split_once(") ")) {
        Some((_, rest)) => rest,
        None => message,
    };
    text.split_inclusive([' ', ')', '(', ',', '.']).map(word).collect()
}

fn word(word: &str) -> String {
    let bare = word.trim_end_matches([' ', ')', '(', ',', '.']);
    let end = &word[bare.len()..];
    let name = bare
        .split_once(":targetgroup/")
        .filter(|_| bare.starts_with("arn:"))
        .and_then(|it| it.1.split('/').next());
    if let Some(name) = name {
        return format!("{name}{end}");
    }
    let is_id = bare.len() == 32 && bare.chars().all(|c| c.is_ascii_hexdigit());
    if is_id { format!("{}{end}", short_id(bare)) } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fill_the_line_are_shortened_and_nothing_else_is() {
        let group =
            "arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:targetgroup/web-tg/9df764a92c8768b0";
        let cases = [
            (
                format!("(service web) registered 1 targets in (target-group {group})"),
                "registered 1 targets in (target-group web-tg)",
            ),
            (
                "(service web) has started 1 tasks: (task c9ac8609b90b98688607cf40e13f6a59).".to_owned(),
                "has started 1 tasks: (task c9ac8609).",
            ),
            (
                "(service web) (deployment ecs-svc/84) deployment failed: tasks failed to start.".to_owned(),
                "(deployment ecs-svc/84) deployment failed: tasks failed to start.",
            ),
            (
                "reason arn:aws:iam::1:role/x, at 10.0.1.7".to_owned(),
                "reason arn:aws:iam::1:role/x, at 10.0.1.7",
            ),
        ];
        for (message, text) in cases {
            assert_eq!(bare(&message), text);
        }
    }
}
