//! `*` and `?` as EC2's filters, listener rules and lifecycle policies mean them.

/// Whether `pattern`, in which `*` matches any characters (none, and slashes, too) and `?` for exactly one, is the
/// whole of `text`. Case counts.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where the last star was and how much it has matched: on a mismatch it matches one more.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(char) if *char == '?' || *char == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match star {
                Some((star_at, swallowed)) => {
                    star = Some((star_at, swallowed + 1));
                    at_pattern = star_at + 1;
                    at_text = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|char| *char == '*')
}
