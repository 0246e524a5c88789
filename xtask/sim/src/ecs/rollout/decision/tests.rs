//! The scheduler's arithmetic, case by case. A service is written as one letter per task, in launch order:
//! new tasks in capitals, old ones in small letters; s starting, t settling, h healthy, u unhealthy,
//! x stopping.

use super::*;
use Class::{Healthy, Settling, Starting, Stopping, Unhealthy};

fn members(text: &str) -> Vec<Member> {
    let read = |(index, letter): (usize, char)| Member {
        task: index.to_string(),
        primary: letter.is_ascii_uppercase(),
        protected: false,
        class: match letter.to_ascii_lowercase() {
            's' => Starting,
            't' => Settling,
            'h' => Healthy,
            'u' => Unhealthy,
            _ => Stopping,
        },
    };
    text.chars().enumerate().map(read).collect()
}

fn wants(desired: u32, minimum: u32, maximum: u32) -> Wants {
    Wants {
        desired,
        lower: (desired * minimum).div_ceil(100),
        upper: desired * maximum / 100,
        launches: true,
        may_launch: true,
    }
}

/// Launches, scale-ins, unhealthy stops, blocked.
fn check(text: &str, wants: Wants, launch: u32, scale_in: &[&str], unhealthy: &[&str], blocked: bool) {
    let decision = decide(&members(text), wants);
    assert_eq!(decision.launch, launch, "launch of {text}");
    assert_eq!(decision.scale_in, scale_in, "scale-in of {text}");
    assert_eq!(decision.unhealthy, unhealthy, "unhealthy of {text}");
    assert_eq!(decision.blocked, blocked, "blocked {text}");
}

#[test]
fn a_roll_at_100_200_starts_first_and_stops_only_what_is_replaced() {
    let wants = wants(2, 100, 200);
    check("hh", wants, 2, &[], &[], false);
    check("hhSS", wants, 0, &[], &[], false);
    check("hhHT", wants, 0, &["0"], &[], false);
    check("xhHH", wants, 0, &["1"], &[], false);
    check("HH", wants, 0, &[], &[], false);
}

#[test]
fn a_roll_at_50_100_stops_first_and_waits_for_the_place() {
    let wants = wants(2, 50, 100);
    check("hh", wants, 0, &["0"], &[], false);
    check("xh", wants, 0, &[], &[], false);
    check("h", wants, 1, &[], &[], false);
    check("hS", wants, 0, &[], &[], false);
    check("hH", wants, 0, &["0"], &[], false);
}

#[test]
fn percentages_that_permit_neither_a_start_nor_a_stop_are_reported() {
    check("h", wants(1, 100, 100), 0, &[], &[], true);
    check("hh", wants(2, 75, 100), 0, &[], &[], true);
    check("hhh", wants(3, 100, 125), 0, &[], &[], true);
    // Room for one more: not blocked.
    check("hh", wants(2, 75, 150), 1, &[], &[], false);
}

#[test]
fn slow_draining_counts_against_the_maximum() {
    // 150 percent of 2 is 3: the place of a draining task is not free yet.
    check("xhH", wants(2, 100, 150), 0, &[], &[], false);
    check("hH", wants(2, 100, 150), 1, &[], &[], false);
}

#[test]
fn an_unhealthy_task_is_replaced_before_it_is_stopped_where_there_is_room() {
    let roomy = wants(2, 100, 200);
    check("HU", roomy, 1, &[], &[], false);
    check("HUS", roomy, 0, &[], &[], false);
    check("HUH", roomy, 0, &[], &["1"], false);
    // The replacement is no better: one of the two goes.
    check("HUU", roomy, 1, &[], &["1"], false);
    // No room: the unhealthy one makes way, one at a time.
    let tight = wants(2, 50, 100);
    check("UU", tight, 0, &[], &["0"], false);
    check("XU", tight, 0, &[], &[], false);
}

#[test]
fn old_unhealthy_tasks_are_not_kept_for_the_sake_of_the_minimum() {
    check("huSS", wants(2, 100, 200), 0, &[], &["1"], false);
}

#[test]
fn scaling_in_stops_what_serves_least() {
    check("HHHH", wants(2, 100, 200), 0, &["3", "2"], &[], false);
    check("HHTS", wants(2, 100, 200), 0, &["3", "2"], &[], false);
    check("HH", wants(0, 100, 200), 0, &["1", "0"], &[], false);
}

#[test]
fn a_failed_deployment_launches_nothing_and_leaves_the_old_tasks_alone() {
    let failed = Wants { launches: false, ..wants(2, 100, 200) };
    check("hhUS", failed, 0, &[], &["2"], false);
    check("hhH", failed, 0, &[], &[], false);
}

#[test]
fn a_back_off_waits_without_being_blocked() {
    let decision = decide(&members("hh"), Wants { may_launch: false, ..wants(2, 100, 200) });
    assert_eq!((decision.launch, decision.waiting, decision.blocked), (0, true, false));
}
