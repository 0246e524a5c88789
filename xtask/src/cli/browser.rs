//! An address in the person's browser.

use crate::host::{Host, Program};
use crate::report::Format;

/// What opens one: Linux, WSL, macOS.
const OPENERS: [&str; 3] = ["xdg-open", "wslview", "open"];

/// Opens an address where somebody sees a browser. Elsewhere the address that was printed is all there is to give.
pub(super) async fn open(host: &Host, output: Format, url: &str) {
    let seen = host.terminal.stdout && !host.terminal.ci && output == Format::Text;
    if let Some(opener) = OPENERS.iter().find_map(|name| host.shell.find(name)).filter(|_| seen) {
        // A machine without a display has an opener that fails.
        drop(host.shell.capture(&Program::new(opener, &[url])).await);
    }
}
