//! What the containers of a task run.

use super::{Findings, Place, Rule, Scope};
use crate::model::Container;

pub(super) const RULES: &[Rule] = &[Rule::Environment("container-program", container_program)];

/// The users and groups of a package's image (`xtask/src/image/assemble.rs`).
const NAMES: [&str; 2] = ["root", "nonroot"];

/// What a container runs can start in its image.
///
/// Sources: Docker, `--workdir` ("it needs to be an absolute path") and `--user`; and the image itself: what `build.cargo`
/// makes holds one static binary at `/app/PACKAGE`, which is in its `PATH`, no shell, and two users.
fn container_program(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        let package = service.build.cargo.as_ref().filter(|package| !scope.lacks_package(package));
        let image = package.map(|package| (package.as_str(), at.key("build.cargo")));
        let (container, at) = (&service.container, at.key("container"));
        entry_point(container, image.as_ref(), &at, found);
        user(container, image.as_ref(), &at, found);
        let folder = at.key("working-directory");
        if container.working_directory.as_ref().is_some_and(|folder| !folder.starts_with('/')) {
            found
                .error("a working directory is an absolute path")
                .at(&folder, "does not begin with `/`")
                .note("tasks would not start: an engine joins it to nothing");
        }
    }
}

/// A package's image: its package and where that is written.
type OfPackage<'a> = Option<&'a (&'a str, Place<'a>)>;

fn entry_point(container: &Container, image: OfPackage<'_>, at: &Place<'_>, found: &mut Findings) {
    let at = at.key("entry-point");
    let [program, ..] = container.entry_point.as_slice() else { return };
    let starts = |package: &str| program == package || *program == format!("/app/{package}");
    if let Some((package, cargo)) = image.filter(|(package, _)| !starts(package)) {
        let help = format!("leave it out and give arguments as `command`, or begin it with `/app/{package}`");
        found
            .error("the entry point's program is not in the image")
            .at(at, format!("`{program}`"))
            .context(cargo, format!("the image holds `/app/{package}` and nothing else"))
            .help(help);
    } else if container.entry_point.len() == 1 && program.contains(' ') {
        let words: Vec<String> = program.split_whitespace().map(|word| format!("{word:?}")).collect();
        found
            .error("an entry point of one word with spaces in it")
            .at(&at, "the whole text is taken for the name of a program")
            .replace(&at, format!("[{}]", words.join(", ")), "give each word by itself");
    }
}

fn user(container: &Container, image: OfPackage<'_>, at: &Place<'_>, found: &mut Findings) {
    let at = at.key("user");
    let Some(user) = container.user.as_deref() else { return };
    let mut parts = user.splitn(2, ':');
    let is_known = |part: &str| NAMES.contains(&part) || part.chars().all(|c| c.is_ascii_digit());
    let is_name = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if !parts.clone().all(is_name) {
        found
            .error("not a user of a container")
            .at(at, "neither `USER` nor `USER:GROUP`")
            .note("both are numbers, or names that the image has in `/etc/passwd` and `/etc/group`");
    } else if let Some((_, cargo)) = image.filter(|_| !parts.all(is_known)) {
        found
            .error("the image has no user of this name")
            .at(at, "a name")
            .context(cargo, "an image with the users `root` and `nonroot`")
            .help("give a number, such as `user = \"1000\"`");
    }
}
