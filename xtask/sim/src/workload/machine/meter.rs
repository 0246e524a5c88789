//! What a task's processes use, read from `/proc`: CPU time and resident memory of each container's first process and of all
//! that it started. Containers of an engine on this machine are processes here too. Elsewhere than on Linux nothing is read.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Watches the processes of one task; a cheap handle.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    roots: Vec<u32>,
    /// When it was last read, and the CPU time until then in clock ticks.
    last: Option<(Instant, u64)>,
}

/// `USER_HZ`: what the kernel shows to user space is 100 on every architecture of today.
const TICKS_PER_SEC: f64 = 100.0;

impl Meter {
    /// Counts a container's first process from now on.
    pub(super) fn watch(&self, pid: u32) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.roots.push(pid);
        state.last.get_or_insert((Instant::now(), 0));
    }

    /// CPU units on average since it was last read, and MiB now; `None` when there is nothing to read.
    pub(super) fn read(&self) -> Option<(f64, f64)> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut ticks, mut kib) = (0, 0);
        let mut open = state.roots.clone();
        let mut seen = 0;
        while let Some(pid) = open.pop() {
            let Some(process) = Process::read(pid) else { continue };
            seen += 1;
            ticks += process.ticks;
            kib += process.kib;
            open.extend(process.children);
        }
        let (now, (at, before)) = (Instant::now(), state.last?);
        if seen == 0 {
            return None;
        }
        state.last = Some((now, ticks));
        let secs = now.duration_since(at).as_secs_f64().max(0.001);
        let cpu = ticks.saturating_sub(before) as f64 / TICKS_PER_SEC / secs * 1024.0;
        Some((cpu, kib as f64 / 1024.0))
    }
}

struct Process {
    /// Its own, and that of children that have ended.
    ticks: u64,
    kib: u64,
    children: Vec<u32>,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; utime, stime, cutime and cstime are fields 14 to 17 (proc_pid_stat(5)).
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let children =
            threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let children = children.flat_map(|line| {
            line.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
        });
        Some(Self { ticks, kib, children: children.collect() })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Stdio;
    use std::time::Duration;

    use tokio::process::{Child, Command};
    use tokio::time::sleep;

    use super::*;

    /// It ends by itself, or with its standard input.
    fn shell(script: &str) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        command.spawn().expect("every machine has /bin/sh")
    }

    #[tokio::test]
    async fn a_busy_child_of_a_containers_process_counts_and_an_idle_one_costs_nothing() {
        let mut busy = shell("(i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done) & wait");
        let mut idle = shell("read line");
        let (of_busy, of_idle) = (Meter::default(), Meter::default());
        of_busy.watch(busy.id().unwrap());
        of_idle.watch(idle.id().unwrap());
        // A loaded machine lets it wait for its turn.
        let (busy_cpu, memory) = loop {
            sleep(Duration::from_millis(100)).await;
            match of_busy.read().expect("it waits for its child") {
                (0.0, _) => {}
                usage => break usage,
            }
        };
        let (idle_cpu, _) = of_idle.read().unwrap();
        assert!(idle_cpu < busy_cpu, "{busy_cpu} {idle_cpu}");
        assert!(memory > 0.1, "{memory}");
        idle.kill().await.unwrap();
        assert_eq!(of_idle.read(), None, "it is gone");
        busy.wait().await.unwrap();
    }
}
