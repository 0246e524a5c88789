//! The end of a minute: what happened in it is measured, and then alarms are evaluated.

use super::metrics::MINUTE;
use super::state::{Due, State};
use crate::base::{Base, Millis};

/// What tasks answer is there by then.
const MEASURED_SECS: u64 = 5;

/// After the last measurement, alarms are looked at for as long as the longest of scaling remembers.
const AFTERMATH_SECS: u64 = 20 * 60;

/// Has the end of the running minute noticed. An account in which nothing runs has no minutes.
pub(crate) fn arm(base: &mut Base, cloudwatch: &mut State, now: Millis) {
    if !cloudwatch.armed {
        cloudwatch.armed = true;
        let at = Millis((now.0 / MINUTE + 1) * MINUTE);
        cloudwatch.timers.push(base.moment(at), Due::Minute);
    }
}

/// The minute that is over at `now`.
pub(crate) fn minute_before(now: Millis) -> Millis {
    Millis(now.0 - MINUTE)
}

/// Has the alarms evaluated once what was measured is there, and goes on as long as something `runs` or was measured lately.
pub(crate) fn minute_over(base: &mut Base, cloudwatch: &mut State, now: Millis, runs: bool) {
    cloudwatch.armed = false;
    let since = Millis(now.0.saturating_sub(AFTERMATH_SECS * 1000));
    if runs || cloudwatch.metrics.measured_since(since) {
        cloudwatch.timers.push(base.moment(now.plus_secs(MEASURED_SECS)), Due::Evaluate);
        arm(base, cloudwatch, now);
    }
}
