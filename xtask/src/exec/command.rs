//! The command lines that reach a container: the AWS CLI's, and a container engine's.

use std::path::Path;

use super::Target;
use crate::host::Program;

/// `aws ecs execute-command`, which needs the session-manager-plugin. ECS takes the command as one text, splits it into
/// words as a shell does, and runs it without one.
#[must_use]
pub fn ecs(target: &Target, region: &str, command: &[String]) -> Program {
    let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    Program::new(
        "aws",
        &[
            "ecs",
            "execute-command",
            "--region",
            region,
            "--cluster",
            &target.cluster,
            "--task",
            &target.task,
            "--container",
            &target.container,
            "--interactive",
            "--command",
            &words.join(" "),
        ],
    )
}

/// Asks an engine for the ids of the target's running containers. The labels are those that ECS's agent gives to the
/// containers that it starts (ECS developer guide, "Container agent labels").
#[must_use]
pub fn containers(engine: &Path, target: &Target) -> Program {
    let task = format!("label=com.amazonaws.ecs.task-arn={}", target.task);
    let container = format!("label=com.amazonaws.ecs.container-name={}", target.container);
    Program::new(engine, &["ps", "--quiet", "--no-trunc", "--filter", &task, "--filter", &container])
}

/// Runs the command in the container with this id; with a terminal of its own where there is one here.
#[must_use]
pub fn in_container(engine: &Path, id: &str, terminal: bool, command: &[String]) -> Program {
    let mut args = vec!["exec", if terminal { "-it" } else { "-i" }, id];
    args.extend(command.iter().map(String::as_str));
    Program::new(engine, &args)
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            cluster: "prod".to_owned(),
            task: "arn:aws:ecs:eu-west-1:1:task/prod/0a".to_owned(),
            container: "web".to_owned(),
            takes_commands: true,
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_command_of_several_words_arrives_as_it_was_typed() {
        let command = words(&["sh", "-c", "echo \"$HOME\" 'and more'", ""]);
        let program = ecs(&target(), "eu-west-1", &command);
        assert_eq!(program.program.to_str(), Some("aws"));
        assert_eq!(
            program.args,
            [
                "ecs",
                "execute-command",
                "--region",
                "eu-west-1",
                "--cluster",
                "prod",
                "--task",
                "arn:aws:ecs:eu-west-1:1:task/prod/0a",
                "--container",
                "web",
                "--interactive",
                "--command",
                r#"sh -c 'echo "$HOME" '\''and more'\''' ''"#,
            ]
        );
    }

    #[test]
    fn an_engine_is_asked_for_the_task_s_own_container_and_given_the_words_apart() {
        let found = containers(Path::new("podman"), &target());
        assert_eq!(
            found.args,
            [
                "ps",
                "--quiet",
                "--no-trunc",
                "--filter",
                "label=com.amazonaws.ecs.task-arn=arn:aws:ecs:eu-west-1:1:task/prod/0a",
                "--filter",
                "label=com.amazonaws.ecs.container-name=web",
            ]
        );
        let (docker, command) = (Path::new("docker"), words(&["echo", "a b"]));
        assert_eq!(in_container(docker, "9f", true, &command).args, ["exec", "-it", "9f", "echo", "a b"]);
        assert_eq!(in_container(docker, "9f", false, &command).args, ["exec", "-i", "9f", "echo", "a b"]);
    }
}
