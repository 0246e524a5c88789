//! The script in this machine's shell, and its marks in pieces of any size.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the shell here is what an agent starts, not what the tool starts"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The pieces, however the bytes are cut.
fn read(way: Way, bytes: &[u8]) -> (Vec<Piece>, String) {
    let mut whole = None;
    for size in [1, 2, 7, bytes.len().max(1)] {
        let mut reader = Reader::new(way, way == Way::Terminal, "n0");
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in bytes.chunks(size).flat_map(|chunk| reader.read(chunk)) {
            match (pieces.last_mut(), piece) {
                (Some(Piece::Output(all)), Piece::Output(more)) => all.extend(more),
                (_, piece) => pieces.push(piece),
            }
        }
        let before = String::from_utf8(reader.before).unwrap();
        let read = (pieces, before);
        assert_eq!(*whole.get_or_insert_with(|| read.clone()), read, "in pieces of {size}");
    }
    whole.unwrap_or_default()
}

fn output(text: &str) -> Piece {
    Piece::Output(text.as_bytes().to_vec())
}

#[test]
fn marks_are_found_and_taken_out() {
    let bytes = b"motd\r\n\x1en0:input\x1ea\r\nb\x1e\x1en1:\r\r\n\x1en0:42\x1eafter";
    let began = Piece::Began { takes_input: true };
    let expected = vec![began, output("a\nb\x1e\x1en1:\r\n"), Piece::Ended(Some(42))];
    assert_eq!(read(Way::Pipe, bytes), (expected, "motd\n".to_owned()));

    let began = Piece::Began { takes_input: false };
    let shown = vec![began.clone(), output("$ \r\n"), Piece::Ended(Some(0))];
    assert_eq!(read(Way::Terminal, b"\x1en0:\x1e$ \r\n\x1en0:0\x1e"), (shown, String::new()));

    assert_eq!(read(Way::Pipe, b"\x1en0:\x1e\x1en0:\x1e").0, [began, Piece::Ended(None)]);
    assert_eq!(read(Way::Bare, b"x\r\n").0, [output("x\n")]);
    assert_eq!(read(Way::Pipe, b"sh: no\r\n"), (Vec::new(), "sh: no\n".to_owned()));
}

#[test]
fn a_prompt_is_shown_before_anything_follows_it() {
    let mut reader = Reader::new(Way::Terminal, true, "n0");
    reader.read(b"\x1en0:\x1e");
    assert_eq!(reader.read(b"name\r"), [output("name\r")]);
}

#[test]
fn input_of_any_bytes_becomes_short_lines_and_an_end() {
    let all: Vec<u8> = (0..=255).collect();
    let mut encoder = Encoder::default();
    let mut lines = encoder.encode(&all[..100]);
    lines.extend(encoder.encode(&all[100..]));
    lines.extend(encoder.encode(&[]));
    assert_eq!(lines.pop(), Some(END_OF_INPUT));
    assert!(lines.split(|byte| *byte == b'\n').all(|line| line.len() <= 76));
    let decoded: Vec<u8> =
        lines.split(|byte| *byte == b'\n').flat_map(|line| STANDARD.decode(line).unwrap()).collect();
    assert_eq!(decoded, all);
    assert_eq!(Encoder::default().encode(&[]), [END_OF_INPUT]);
}

#[test]
fn words_arrive_as_they_were_typed() {
    let command = words(&["sh", "-c", "echo \"$HOME\" 'and more'", ""]);
    let line = command_line(Way::Bare, "n0", &command);
    assert_eq!(line, r#"sh -c 'echo "$HOME" '\''and more'\''' ''"#);
}

/// Runs the line as the agent does, but without a terminal: `sh` splits the words.
fn in_a_shell(way: Way, command: &[&str], input: &[u8]) -> (Vec<Piece>, String) {
    let line = command_line(way, "n0", &words(command));
    let mut child = Command::new("/bin/sh")
        .args(["-c", &format!("exec {line}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    read(way, &child.wait_with_output().unwrap().stdout)
}

#[test]
fn the_exit_code_of_the_command_comes_back_whatever_it_is() {
    for way in [Way::Pipe, Way::Terminal] {
        for code in [0, 1, 3, 127, 255] {
            let (pieces, _) = in_a_shell(way, &["sh", "-c", &format!("echo out; exit {code}")], b"");
            let began = Piece::Began { takes_input: false };
            assert_eq!(pieces, [began, output("out\n"), Piece::Ended(Some(code))], "{way:?}");
        }
        let (pieces, _) = in_a_shell(way, &["/no/such/program"], b"");
        assert_eq!(pieces.last(), Some(&Piece::Ended(Some(127))), "{way:?}");
        let (pieces, _) = in_a_shell(way, &["sh", "-c", "kill -9 $$"], b"");
        assert_eq!(pieces.last(), Some(&Piece::Ended(Some(137))), "{way:?}");
    }
}

#[test]
fn a_command_for_a_pipe_sees_no_terminal_and_its_errors_are_in_its_output() {
    let script = "test -t 1 || echo pipe; echo wrong >&2; printf '%s' \"$1\"";
    let (pieces, _) = in_a_shell(Way::Pipe, &["sh", "-c", script, "sh", "it's $HOME"], b"");
    assert_eq!(pieces[1..], [output("pipe\nwrong\nit's $HOME"), Piece::Ended(Some(0))]);
}
