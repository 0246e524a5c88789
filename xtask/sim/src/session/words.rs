//! The words of a command: ECS takes it as one text and runs it without a shell.

/// Splits a text into words as a POSIX shell does, without expanding anything. An open quote lasts to the end.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    let mut quote = None;
    while let Some(char) = chars.next() {
        match (quote, char) {
            (None, ' ' | '\t' | '\n' | '\r') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == char => quote = None,
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some('"'), '\\') => {
                let escaped = chars.next();
                let special = escaped.is_some_and(|next| matches!(next, '"' | '\\' | '$' | '`'));
                let word = word.get_or_insert_default();
                word.extend((!special).then_some('\\'));
                word.extend(escaped);
            }
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}
