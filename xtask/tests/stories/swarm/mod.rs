//! Random releases under random faults, beside random neighbours, judged by what the cloud itself says was true.
//!
//! Each seed is one account, one release and all that befalls them ([`case`]), carried to its end ([`run`]) and compared with the
//! truth ([`truth`]). Nothing but the seed decides: a seed that finds something finds it again. `cargo xtask swarm` passes the
//! limits by environment variables; without any, the first 150 seeds run.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "limits and wall-clock time are the machine's, and what is found is for whoever runs it"
)]

mod case;
mod judge;
mod neighbour;
mod network;
mod run;
mod shape;
mod truth;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use case::Case;
use run::Run;

use crate::world::story;

/// Seeds that every run of the stories runs.
const RUNS: u64 = 150;
/// The futures of a whole deployment, unoptimised, overflow the 2 MiB that a test's thread has.
const STACK: usize = 16 << 20;

/// Which seeds run.
struct Limits {
    from: u64,
    runs: u64,
    time: Option<Duration>,
    /// Prints what the tool prints, and what the neighbours do.
    shows: bool,
}

impl Limits {
    fn of_the_environment() -> Self {
        let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
        let time = number("XTASK_SWARM_SECONDS").map(Duration::from_secs);
        let runs = number("XTASK_SWARM_RUNS").unwrap_or(if time.is_some() { u64::MAX } else { RUNS });
        Self { from: number("XTASK_SWARM_FROM").unwrap_or(1), runs, time, shows: runs == 1 }
    }
}

fn run(seed: u64, shows: bool) -> Run {
    let mut run = Run::default();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let case = Case::of(seed);
        if shows {
            println!("{case:#?}");
        }
        story(async || run = Box::pin(run::run(&case, shows)).await);
    }));
    if let Err(panic) = ended {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        run.found.push(format!("panicked: {text}"));
    }
    run
}

#[test]
fn what_is_reported_is_true_whatever_happens() {
    let limits = Limits::of_the_environment();
    let (begun, next) = (Instant::now(), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    let work = || {
        while limits.time.is_none_or(|time| begun.elapsed() < time) {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= limits.runs {
                next.store(limits.runs, Ordering::Relaxed);
                return;
            }
            let seed = limits.from + n;
            let Run { found, .. } = run(seed, limits.shows);
            if !found.is_empty() {
                println!(
                    "seed {seed}: {}\n  repeat: cargo xtask swarm --seed {seed}",
                    found.join("\n  and: ")
                );
                failed.lock().unwrap().push(seed);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    let ran = next.load(Ordering::Relaxed).min(limits.runs);
    let secs = begun.elapsed().as_secs();
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    println!("{ran} seeds from {} in {secs} s, {} of them found something", limits.from, failed.len());
    assert!(failed.is_empty(), "repeat one with `cargo xtask swarm --seed N`, of {failed:?}");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 1..=3 {
        assert_eq!(run(seed, false).calls, run(seed, false).calls, "seed {seed}");
    }
}
