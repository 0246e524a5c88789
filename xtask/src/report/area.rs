//! The lines at the bottom of a terminal, drawn so that a window that changes its size keeps none of them twice.
//!
//! indicatif fills each line up to the last column, and moves up by the rows that they took when they were drawn. A terminal that
//! breaks lines anew when it gets narrower then shows the upper part of them for ever; in a wider one a line above them is
//! overwritten. Here lines are as long as their text, and the rows that they take are counted when they are taken away.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

use crate::host::Terminal;

#[derive(Debug)]
struct Area {
    /// Columns and rows as they are now.
    size: fn() -> (u16, u16),
    write: fn(&str) -> io::Result<()>,
    drawn: Mutex<Drawn>,
}

#[derive(Debug, Default)]
struct Drawn {
    /// Columns of each line that is on the screen.
    lines: Vec<usize>,
    /// The line's text was written, and its filler comes next.
    filler: bool,
    /// What goes out with the next flush, so that nobody sees the lines taken away.
    out: String,
}

/// Lines at the bottom of standard error's terminal.
pub(super) fn area() -> MultiProgress {
    over(Terminal::size, |text| io::stderr().lock().write_all(text.as_bytes()))
}

fn over(size: fn() -> (u16, u16), write: fn(&str) -> io::Result<()>) -> MultiProgress {
    let area = Area { size, write, drawn: Mutex::default() };
    MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(area)))
}

impl Area {
    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Area {
    /// A line that reaches the last column leaves it open whether the cursor is in the next row.
    fn width(&self) -> u16 {
        (self.size)().0.saturating_sub(1).max(1)
    }

    fn height(&self) -> u16 {
        (self.size)().1
    }

    /// indicatif begins each drawing with it, and takes the lines away one by one; here they go at once.
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        let mut drawn = self.drawn();
        let columns = usize::from((self.size)().0.max(1));
        let rows: usize = drawn.lines.drain(..).map(|width| width.div_ceil(columns).max(1)).sum();
        match rows {
            0 => {}
            1 => drawn.out.push_str("\r\u{1b}[J"),
            rows => drawn.out.push_str(&format!("\u{1b}[{}A\r\u{1b}[J", rows - 1)),
        }
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// A line's text, and after it the blanks that fill it up, which are left out.
    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut drawn = self.drawn();
        drawn.filler = !drawn.filler;
        if !drawn.filler {
            return Ok(());
        }
        let text = text.trim_end();
        if !drawn.lines.is_empty() {
            drawn.out.push_str("\r\n");
        }
        drawn.lines.push(columns(text));
        drawn.out.push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let out = std::mem::take(&mut self.drawn().out);
        (self.write)(&out)
    }
}

/// Characters that are seen: all but the codes of colors.
fn columns(text: &str) -> usize {
    let mut code = false;
    let seen = |c: &char| {
        let hidden = code || *c == '\u{1b}';
        code = hidden && *c != 'm';
        !hidden
    };
    text.chars().filter(seen).count()
}

#[cfg(test)]
mod tests {
    use indicatif::{ProgressBar, ProgressStyle};

    use super::*;

    /// A terminal that breaks its lines anew when its size changes: its columns, and its lines, the cursor at the end of the last.
    static SCREEN: Mutex<(u16, String)> = Mutex::new((0, String::new()));

    fn screen() -> MutexGuard<'static, (u16, String)> {
        SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where each row begins.
    fn rows(text: &str, columns: usize) -> Vec<usize> {
        let (mut rows, mut width) = (vec![0], 0);
        for (at, c) in text.char_indices() {
            if c == '\n' {
                rows.push(at + 1);
                width = 0;
            } else if width == columns {
                rows.push(at);
                width = 1;
            } else {
                width += 1;
            }
        }
        rows
    }

    fn write(out: &str) -> io::Result<()> {
        let mut screen = screen();
        let columns = usize::from(screen.0);
        let mut up = 0;
        for part in out.replace("\r\n", "\n").split_inclusive(['A', 'J']) {
            match part.split_once('\u{1b}') {
                Some((text, code)) if code.ends_with('A') => {
                    screen.1.push_str(text);
                    up = code.trim_matches(['[', 'A']).parse().unwrap_or(0);
                }
                Some((text, "[J")) => {
                    screen.1.push_str(text.trim_end_matches('\r'));
                    let rows = rows(&screen.1, columns);
                    let at = rows[rows.len() - 1 - up];
                    screen.1.truncate(at);
                    up = 0;
                }
                _ => screen.1.push_str(part),
            }
        }
        Ok(())
    }

    #[test]
    fn a_window_that_gets_narrower_and_wider_keeps_no_line_twice_and_loses_none() {
        *screen() = (40, "log one\nlog two\n".to_owned());
        let area = over(|| (screen().0, 24), write);
        let style = ProgressStyle::with_template("{wide_msg} {prefix}").unwrap();
        let bars: Vec<_> = ["first", "second"]
            .map(|name| {
                let bar = area.add(ProgressBar::new_spinner().with_style(style.clone()).with_prefix("9 s"));
                bar.set_message(format!("{name} service rolls, and its old tasks drain"));
                bar
            })
            .into();
        for columns in [40, 25, 24, 60, 12, 80] {
            screen().0 = columns;
            bars.iter().for_each(ProgressBar::tick);
            std::thread::sleep(std::time::Duration::from_millis(120));
            bars.iter().for_each(ProgressBar::tick);
            let shown = screen().1.clone();
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines[..2], ["log one", "log two"], "{columns}: {shown}");
            assert_eq!(lines.len(), 4, "{columns}: {shown}");
            assert!(lines[2..].iter().all(|line| line.ends_with("9 s")), "{columns}: {shown}");
            area.suspend(|| assert_eq!(screen().1, "log one\nlog two\n"));
        }
        bars.iter().for_each(ProgressBar::finish_and_clear);
        assert_eq!(screen().1, "log one\nlog two\n");
    }
}
