//! `.dockerignore` as Docker documents it, and the cases where its matcher is known to surprise.

use super::*;

fn hides(file: &str, path: &str) -> bool {
    Ignore::parse(file).unwrap().hides(path)
}

#[test]
fn what_docker_does_not_see_does_not_make_a_build_and_what_it_sees_does() {
    let table = [
        // The documentation's examples.
        ("*/temp*", "somedir/temporary.txt", true),
        ("*/temp*", "somedir/temp/below", true),
        ("*/temp*", "temporary.txt", false),
        ("*/*/temp*", "somedir/subdir/temporary.txt", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("**/*.go", "main.go", true),
        ("**/*.go", "a/b/main.go", true),
        ("*.md\n!README.md", "README.md", false),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false),
        ("# comment\n\n   \n", "comment", false),
        (".", "anything", false),
        // A slash or a dot at the beginning, a slash at the end, blanks around.
        ("/target", "target/debug/x", true),
        ("./target/", "target/x", true),
        ("  target  ", "target", true),
        ("a/../target", "target", true),
        ("target", "backend/target", false),
        ("\u{feff}target", "target", true),
        (" # no comment", "# no comment", true),
        // Folders and what is taken back of them.
        ("docs\n!docs/README.md", "docs/README.md", false),
        ("docs\n!docs/README.md", "docs/other.md", true),
        ("**\n!util/docker/web", "util/docker/web/foo", false),
        ("**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", true),
        ("!fileutils.go\n*.go", "fileutils.go", true),
        ("! /src ", "src", false),
        ("*\n! /src ", "src/main.rs", false),
        // Two stars.
        ("**", "dir/file", true),
        ("**/dir", "dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**/dir2/**", "dir/dir2/dir3/file", true),
        ("dir/**", "dir/dir2/file", true),
        ("dir/**", "dir", false),
        ("**file", "dir/onefile", true),
        ("**/file", "dir/onefile", false),
        ("**file*", "dir/file.txt", true),
        ("**file*", "dir/onefile.txt", false),
        ("**/**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/dir/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt**", "a/file.txt", true),
        ("**/.foo", "bar.foo", false),
        // Classes, and characters that mean something elsewhere only.
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        ("[\\]a]", "]", true),
        ("[a-ζ]*", "α", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "ab", false),
        ("a?b", "a☺b", true),
        ("a*b", "a/b", false),
        ("abc.def", "abcZdef", false),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        (".*", ".foo", true),
        (".*", "foo", false),
    ];
    for (file, path, expected) in table {
        assert_eq!(hides(file, path), expected, "{file:?} and {path}");
    }
}

#[test]
fn a_line_that_no_engine_takes_is_reported() {
    for file in ["!", "! ", "[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[a-b-c]", "a\\"] {
        assert!(Ignore::parse(file).is_err(), "{file}");
    }
    assert_eq!(Ignore::parse("a\n[b").unwrap_err().to_string(), "`[b` is no pattern");
}

/// Each star by itself: right, and exponential.
fn backtracks(pieces: &[Piece], text: &[char]) -> bool {
    let Some((piece, after)) = pieces.split_first() else { return text.is_empty() };
    let one = |fits: bool| fits && backtracks(after, &text[1..]);
    let skips = |most: usize| (0..=most).any(|taken| backtracks(after, &text[taken..]));
    match (piece, text.first()) {
        (Piece::One(wanted), Some(char)) => one(wanted == char),
        (Piece::Any, Some(char)) => one(*char != '/'),
        (Piece::Class { negated, ranges }, Some(char)) => {
            one(ranges.iter().any(|(low, high)| (low..=high).contains(&char)) != *negated)
        }
        (Piece::Name, _) => skips(text.iter().position(|char| *char == '/').unwrap_or(text.len())),
        (Piece::Folders, _) => {
            let ends = (0..text.len()).filter(|at| text[*at] == '/').map(|at| at + 1);
            [0].into_iter().chain(ends).any(|taken| backtracks(after, &text[taken..]))
        }
        (Piece::All, _) => skips(text.len()),
        (Piece::One(_) | Piece::Any | Piece::Class { .. }, None) => false,
    }
}

/// Every text of up to `longest` of these characters.
fn words(alphabet: &str, longest: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = words.len();
        let longer: Vec<_> = words[from..to]
            .iter()
            .flat_map(|word| alphabet.chars().map(move |c| format!("{word}{c}")))
            .collect();
        from = to;
        words.extend(longer);
    }
    words
}

#[test]
fn all_short_patterns_match_as_if_each_star_were_tried_by_itself() {
    let paths: Vec<Vec<char>> = words("ab/", 4).into_iter().map(|path| path.chars().collect()).collect();
    for pattern in words("a*?/[^]", 4) {
        let Some(pieces) = pieces(&pattern) else { continue };
        for path in &paths {
            let mut ends = (0..path.len()).filter(|at| path[*at] == '/').chain([path.len()]);
            let expected = ends.any(|end| backtracks(&pieces, &path[..end]));
            assert_eq!(matches(&pieces, path), expected, "{pattern} {path:?}");
        }
    }
}

#[test]
fn a_pattern_of_many_stars_is_asked_once_and_not_for_each_way_to_read_it() {
    let (stars, folders) = ("*a".repeat(30), "**/a/".repeat(30));
    let path = format!("{}/{}", "a".repeat(200), "a/".repeat(200));
    assert!(!hides(&format!("{stars}*b"), &path) && !hides(&format!("{folders}b"), &path));
    assert!(hides(&stars, &path));
}
