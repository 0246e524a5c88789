//! How far a roll is, beside what was predicted.

use super::duration;

/// `[#######-------] 12 s of about 31 s`, with a bar of so many columns.
pub fn bar(elapsed_ms: u64, total_ms: u64, columns: usize) -> String {
    // A prediction may be too short: the bar is full then, and the numbers say the rest.
    let bar = share(elapsed_ms, total_ms, columns);
    format!("{bar} {} of about {}", duration(elapsed_ms), duration(total_ms))
}

/// `[###-------]`, with so many columns inside.
pub fn share(done: u64, of: u64, columns: usize) -> String {
    let part = done.min(of) as f64 / of.max(1) as f64;
    let full = ((part * columns as f64) as usize).min(columns);
    format!("[{}{}]", "#".repeat(full), "-".repeat(columns - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roll_that_takes_longer_than_predicted_fills_the_bar_and_says_so() {
        assert_eq!(bar(12_000, 31_000, 10), "[###-------] 12 s of about 31 s");
        assert_eq!(bar(40_000, 31_000, 10), "[##########] 40 s of about 31 s");
        assert_eq!(bar(0, 0, 4), "[----] 0.0 s of about 0.0 s");
    }
}
