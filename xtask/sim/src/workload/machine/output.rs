//! What a container prints, line by line, into its log stream.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::task::JoinHandle;

use super::task::ReportSink;
use crate::workload::Report;

/// Where the container runtime cuts a line that does not end.
const LONGEST_LINE: usize = 16 * 1024;

/// Reads `output` to its end, also when nobody wants it: a full pipe would stop the container.
pub(super) fn follow(
    output: impl AsyncRead + Send + Unpin + 'static,
    log: Option<(String, String)>,
    reports: ReportSink,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A read error means that the pipe is gone, which is the end as well.
        while let Ok(chunk) = output.fill_buf().await {
            if chunk.is_empty() {
                break;
            }
            let room = LONGEST_LINE - line.len();
            let newline = chunk.iter().take(room).position(|byte| *byte == b'\n');
            let taken = newline.unwrap_or(room.min(chunk.len()));
            line.extend_from_slice(&chunk[..taken]);
            output.consume(taken + usize::from(newline.is_some()));
            if newline.is_some() || line.len() == LONGEST_LINE {
                say(&reports, log.as_ref(), &mut line);
            }
        }
        if !line.is_empty() {
            say(&reports, log.as_ref(), &mut line);
        }
    })
}

fn say(reports: &ReportSink, log: Option<&(String, String)>, line: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
    line.clear();
    if let Some((group, stream)) = log {
        reports(Report::Log { group: group.clone(), stream: stream.clone(), line: text });
    }
}
