//! `cargo run --profile swarm -p fuzz -- --runs N`: what comes from elsewhere, mutated, until something panics, hangs or is untrue.
//!
//! Before anything else the oracle is shown planted faults: a run that cannot fail proves nothing.

#![expect(clippy::print_stdout, reason = "its findings are its output")]
#![expect(clippy::disallowed_methods, reason = "the time that a reader takes is measured")]

mod archive;
mod aws;
mod mutate;
mod readers;
mod targets;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::LazyLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Parser;
use mutate::Random;
use targets::{Stage, Target};

/// A reader of 4 KiB takes far less, also on a machine that is busy. Whatever takes longer is read a second time first.
const SLOW: Duration = Duration::from_secs(1);
/// After so long without an end the process is ended, and the input printed: no thread can be stopped from outside.
const HANGS: Duration = Duration::from_secs(120);

#[derive(Parser)]
struct Asked {
    /// How many inputs each reader gets.
    #[arg(long, default_value_t = 100_000)]
    runs: u64,
    /// The first seed; each run takes the next.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only readers whose name contains this.
    #[arg(long)]
    target: Option<String>,
}

/// The processor time of this thread, where the system says it: on a busy machine every reader waits.
fn cpu() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let used = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = used.and_then(|used| used.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

/// Longer than any reader may take.
fn spins() {
    let until = cpu() + SLOW + Duration::from_millis(100);
    while cpu() < until {}
}

/// What is wrong with an input.
fn fault(target: &Target, input: &[u8]) -> Option<String> {
    let read = || {
        let began = cpu();
        let found = panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
        (found, cpu().saturating_sub(began))
    };
    let (found, mut took) = read();
    match found {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            return Some(format!("panics: {}", text.unwrap_or_default()));
        }
        Ok(Err(untrue)) => return Some(untrue),
        Ok(Ok(())) => {}
    }
    if took > SLOW {
        took = took.min(read().1);
    }
    (took > SLOW).then(|| format!("takes {took:?}"))
}

/// The first input of these seeds that something is wrong with.
fn search(
    target: &Target,
    seeds: impl Iterator<Item = u64>,
    begins: impl Fn(u64),
) -> Option<(u64, Vec<u8>, String)> {
    for seed in seeds {
        begins(seed);
        let input = (target.input)(&mut Random::new(seed));
        if let Some(fault) = fault(target, &input) {
            return Some((seed, input, fault));
        }
    }
    None
}

/// Planted faults, one for each thing that is looked for. Returns those that are not found.
fn blind() -> Vec<&'static str> {
    let planted = |check: fn(&[u8]) -> Result<(), String>| Target {
        name: "planted",
        input: Box::new(|random| mutate::mutated(random, &[b"a long way to go".to_vec()], &["x"])),
        check: Box::new(check),
    };
    let climbs = |root: &std::path::Path, _: &[u8]| std::fs::write(root.join("../canary"), "changed");
    let links = |root: &std::path::Path, _: &[u8]| std::fs::hard_link(root.join("../canary"), root.join("a"));
    let makes = |root: &std::path::Path, _: &[u8]| std::fs::write(root.join("../new"), "");
    let stage = Stage::new();
    let faults = [
        (
            "a panic",
            search(
                &planted(|input| {
                    assert!(!input.contains(&b'x'));
                    Ok(())
                }),
                0..1000,
                |_| {},
            )
            .is_some(),
        ),
        (
            "an untruth",
            search(&planted(|it| (it.len() > 3).then_some(()).ok_or_else(String::new)), 0..1000, |_| {})
                .is_some(),
        ),
        (
            "a slow reader",
            search(
                &planted(|_| {
                    spins();
                    Ok(())
                }),
                0..1,
                |_| {},
            )
            .is_some(),
        ),
        ("a change outside", stage.unpack(b"", climbs).is_err()),
        ("a link to outside", stage.unpack(b"", links).is_err()),
        ("a file outside", stage.unpack(b"", makes).is_err()),
    ];
    faults.into_iter().filter(|(_, found)| !found).map(|(name, _)| name).collect()
}

fn main() -> ExitCode {
    let asked = Asked::parse();
    // A panic is a finding and is printed as one.
    panic::set_hook(Box::new(|_| {}));
    let blind = blind();
    if !blind.is_empty() {
        println!("planted faults are not found: {}", blind.join(", "));
        return ExitCode::from(2);
    }
    let mut found = 0;
    let named =
        |target: &Target| asked.target.as_ref().is_none_or(|part| target.name.contains(part.as_str()));
    for target in targets::all().into_iter().filter(named) {
        let name = target.name;
        let (beats, heard) = mpsc::sync_channel(1024);
        let watch = std::thread::spawn(move || {
            let mut last = 0;
            loop {
                match heard.recv_timeout(HANGS) {
                    Ok(seed) => last = seed,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        println!("{name}: hangs\n  again: --target \"{name}\" --from {last} --runs 1");
                        std::process::exit(1);
                    }
                }
            }
        });
        let began = Instant::now();
        let seeds = asked.from..asked.from.saturating_add(asked.runs);
        let begins = |seed| {
            let _ = beats.send(seed);
        };
        match search(&target, seeds, begins) {
            None => println!("{name}: {} inputs, nothing found ({:.1?})", asked.runs, began.elapsed()),
            Some((seed, input, fault)) => {
                found += 1;
                println!(
                    "{name}: {fault}\n  again: --target \"{name}\" --from {seed} --runs 1\n{}",
                    String::from_utf8_lossy(&input)
                );
            }
        }
        drop(beats);
        let _ = watch.join();
    }
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
