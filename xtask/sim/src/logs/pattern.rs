//! Filter patterns of terms: `ERROR timeout` (both), `"in order"` (a phrase), `-health` (not), `?WARN ?ERROR` (either).

/// A filter pattern. Case counts, as in CloudWatch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    all: Vec<String>,
    none: Vec<String>,
    any: Vec<String>,
}

impl Pattern {
    /// Reads a pattern; `None` for one over JSON (`{…}`) or columns (`[…]`) and for an empty or unclosed term.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let mut parsed = Self::default();
        let mut rest = pattern.trim();
        if rest.starts_with(['{', '[', '%']) {
            return None;
        }
        while !rest.is_empty() {
            let terms = match rest.as_bytes()[0] {
                b'-' => &mut parsed.none,
                b'?' => &mut parsed.any,
                _ => &mut parsed.all,
            };
            rest = rest.strip_prefix(['-', '?']).unwrap_or(rest);
            let (term, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            if term.is_empty() {
                return None;
            }
            terms.push(term.to_owned());
            rest = after.trim_start();
        }
        Some(parsed)
    }

    /// Whether a message is meant.
    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has)
            && !self.none.iter().any(has)
            && (self.any.is_empty() || self.any.iter().any(has))
    }
}
