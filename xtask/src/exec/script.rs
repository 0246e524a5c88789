//! The command line that ECS gets, and what comes back of it.
//!
//! ECS Exec runs every command on a terminal and reports no exit code (session-manager-plugin#59). So the command is wrapped
//! in a script of the container's `/bin/sh`, which prints a mark before the command and one with its exit code after it; a
//! random number in the marks keeps the command from forging them. For a pipe the script also keeps the terminal out of
//! the command's sight: output goes through `cat`, so that no program colors or pages it, and input comes as base64, so
//! that no byte of it is taken for Ctrl-C or the end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// ASCII "record separator", which no program prints on a terminal.
const MARK: u8 = 0x1e;
/// What a terminal takes for the end of input at the beginning of a line.
const END_OF_INPUT: u8 = 4;
/// Bytes in a line of base64. A terminal holds lines of at most 4096.
const LINE: usize = 57;

const ON_A_TERMINAL: &str = r#"trap : INT; printf '\036NONCE:\036'; "$@"; printf '\036NONCE:%s\036' $?"#;

/// The command's standard output and error go through `cat`, its exit code through descriptor 3.
const IN_A_PIPE: &str = r#"trap : INT
run() { exec 4>&1; c=$({ { "$@" 3>&- 4>&-; echo $? >&3; } 2>&1 | cat >&4; } 3>&1); printf '\036NONCE:%s\036' $c; }
if command -v base64 >/dev/null 2>&1 && stty -echo 2>/dev/null
then printf '\036NONCE:input\036'; base64 -d | run "$@"
else printf '\036NONCE:\036'; run "$@" </dev/null
fi"#;

/// How a command is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Terminal,
    Pipe,
    /// As it is, in an image without a shell: nobody learns its exit code.
    Bare,
}

/// The command as ECS takes it: one text, which the agent splits into words as a shell does, and runs without one.
pub(super) fn command_line(way: Way, nonce: &str, command: &[String]) -> String {
    let script = match way {
        Way::Terminal => ON_A_TERMINAL,
        Way::Pipe => IN_A_PIPE,
        Way::Bare => return joined(command.iter().map(String::as_str)),
    };
    let script = script.replace("NONCE", nonce);
    joined(["/bin/sh", "-c", &script, "sh"].into_iter().chain(command.iter().map(String::as_str)))
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Standard input on its way into a terminal that decodes base64.
#[derive(Debug, Default)]
pub(super) struct Encoder(Vec<u8>);

impl Encoder {
    /// The lines that are full now; with an empty piece, all that is left and the end.
    pub(super) fn encode(&mut self, piece: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(piece);
        let whole = if piece.is_empty() { self.0.len() } else { self.0.len() / LINE * LINE };
        let mut lines = Vec::new();
        for line in self.0.drain(..whole).as_slice().chunks(LINE) {
            lines.extend(STANDARD.encode(line).into_bytes());
            lines.push(b'\n');
        }
        if piece.is_empty() {
            lines.push(END_OF_INPUT);
        }
        lines
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The command begins; whether it can be given standard input.
    Began { takes_input: bool },
    /// What the command prints, as it comes.
    Output(Vec<u8>),
    /// The command has ended; `None` when the shell could not tell how.
    Ended(Option<u8>),
}

/// Finds the marks in the session's bytes.
#[derive(Debug)]
pub(super) struct Reader {
    /// Whether the bytes go to a terminal, as the session's do.
    terminal: bool,
    mark: Vec<u8>,
    /// What may be the beginning of a mark, or of a line end.
    held: Vec<u8>,
    began: bool,
    ended: bool,
    /// What came before the command: the shell's or the agent's complaints.
    pub(super) before: Vec<u8>,
}

impl Reader {
    pub(super) fn new(way: Way, terminal: bool, nonce: &str) -> Self {
        let mark = [&[MARK], nonce.as_bytes(), b":"].concat();
        let began = way == Way::Bare;
        Self { terminal, mark, held: Vec::new(), began, ended: false, before: Vec::new() }
    }

    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(start) = find(&self.held, &self.mark) {
            let text = start + self.mark.len();
            let Some(length) = self.held[text..].iter().position(|byte| *byte == MARK) else { break };
            let value = String::from_utf8_lossy(&self.held[text..text + length]).into_owned();
            let before: Vec<u8> = self.held.drain(..text + length + 1).take(start).collect();
            self.put(before, &mut pieces);
            if self.began {
                self.ended = true;
                pieces.push(Piece::Ended(value.parse().ok()));
            } else {
                self.began = true;
                pieces.push(Piece::Began { takes_input: value == "input" });
            }
        }
        let keep = self.undecided();
        let shown = self.held.drain(..self.held.len() - keep).collect();
        self.put(shown, &mut pieces);
        pieces
    }

    /// How many of the last bytes wait for what follows.
    fn undecided(&self) -> usize {
        if let Some(start) = find(&self.held, &self.mark) {
            return self.held.len() - start;
        }
        let longest = self.mark.len().min(self.held.len());
        let partial = (1..=longest).rev().find(|length| self.held.ends_with(&self.mark[..*length]));
        partial.unwrap_or_else(|| usize::from(!self.terminal && self.held.ends_with(b"\r")))
    }

    /// A terminal puts a carriage return before each line feed, and changes nothing else.
    fn put(&mut self, mut bytes: Vec<u8>, pieces: &mut Vec<Piece>) {
        if !self.terminal {
            let text = std::mem::take(&mut bytes);
            let mut rest = text.as_slice();
            while let Some(at) = find(rest, b"\r\n") {
                bytes.extend_from_slice(&rest[..at]);
                bytes.push(b'\n');
                rest = &rest[at + 2..];
            }
            bytes.extend_from_slice(rest);
        }
        match bytes.is_empty() || self.ended {
            true => {}
            // A person sees what the agent says first; a program gets the command's output only.
            false if self.began || self.terminal => pieces.push(Piece::Output(bytes)),
            false => self.before.extend(bytes),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
