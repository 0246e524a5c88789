//! Stopping the embedded cloud's process.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::{Local, Record, Stopped};
use crate::host::{Daemon, Env, Host, Http};

/// A process of this folder's cloud that does this, and the record of it.
fn cloud(root: &Path, does: &str) -> Daemon {
    let dir = root.join("target/local");
    std::fs::create_dir_all(&dir).unwrap();
    let script = format!("{does}; echo up; while :; do sleep 1; done");
    let env = Env::of([("PATH", "/usr/bin:/bin")]);
    let log = root.join("log");
    let daemon =
        Daemon::start(Path::new("/bin/sh"), &["-c", &script, &dir.to_string_lossy()], &log, &env).unwrap();
    while !std::fs::read_to_string(&log).unwrap().contains("up") {
        std::thread::sleep(Duration::from_millis(1));
    }
    // No address: it does not answer, as a process that hangs. A socket would let the virtual clock run on to the deadline
    // of the question, at times.
    let (endpoint, url) = ("http://".to_owned(), "http://".to_owned());
    Record { pid: daemon.pid, endpoint, url }.write(&Local::record_file(&dir)).unwrap();
    daemon
}

#[tokio::test(start_paused = true)]
#[cfg(target_os = "linux")]
async fn a_cloud_that_ignores_sigterm_is_killed_after_40_seconds_and_forgotten() {
    let host = Host::rehearsal(1, 0, Env::default(), Http::system().unwrap());
    let root = std::env::temp_dir().join(format!("xtask-local-{}", std::process::id()));
    let daemon = cloud(&root, "trap '' TERM");
    let local = Local::of(&host, &root);
    // `down` must not report that nothing is there.
    assert_eq!((local.status().await.running, local.silent()), (false, Some(daemon.pid)));
    let begin = Instant::now();
    assert_eq!(local.stop().await.unwrap(), Stopped::Killed(daemon.pid));
    // Not more exactly: virtual seconds pass while the kernel ends the process.
    assert!(begin.elapsed() >= Duration::from_secs(40), "{:?}", begin.elapsed());
    // The kernel ends a process that was killed in its own time, which is not the virtual one.
    for _ in (0..10_000).take_while(|_| daemon.is_alive()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!daemon.is_alive());
    assert_eq!(Record::read(&Local::record_file(&root.join("target/local"))), None);
    assert_eq!(local.stop().await.unwrap(), Stopped::Nothing);
    assert_eq!(local.silent(), None);
    std::fs::remove_dir_all(root).unwrap();
}

/// On the clock of the system: the kernel ends processes by that one.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_suspended_cloud_ends_as_it_is_asked_to() {
    let host = Host::rehearsal(1, 0, Env::default(), Http::system().unwrap());
    let root = std::env::temp_dir().join(format!("xtask-suspended-{}", std::process::id()));
    let daemon = cloud(&root, "(sleep 0.1; kill -STOP $$) & true");
    let is_suspended =
        || std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid)).unwrap().contains(") T ");
    while !is_suspended() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let local = Local::of(&host, &root);
    assert_eq!(local.stop().await.unwrap(), Stopped::Ended);
    assert!(!daemon.is_alive());
    std::fs::remove_dir_all(root).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_port_that_somebody_wishes_and_the_running_cloud_does_not_have_is_named() {
    let root = std::env::temp_dir().join(format!("xtask-ports-{}", std::process::id()));
    let file = Local::record_file(&root.join("target/local"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let (endpoint, url) = ("http://127.0.0.1:4711".to_owned(), "http://127.0.0.1:8211".to_owned());
    Record { pid: 1, endpoint, url }.write(&file).unwrap();
    let said = |port: &str, alb: &str| {
        let env = Env::of([("XTASK_LOCAL_PORT", port), ("XTASK_LOCAL_ALB_PORT", alb)]);
        let host = Host::rehearsal(1, 0, env, Http::system().unwrap());
        Local::of(&host, &root).other_ports()
    };
    assert_eq!(said("4711", "8211"), Vec::<String>::new());
    let other = said("4712", "8212");
    assert!(other[0].starts_with("XTASK_LOCAL_PORT asks for port 4712, and the embedded cloud of this checkout is at http://127.0.0.1:4711"));
    assert!(other[1].starts_with("XTASK_LOCAL_ALB_PORT asks for port 8212"), "{other:?}");
    std::fs::remove_dir_all(root).unwrap();
}

/// On the clock of the system: the lock is another file's.
#[tokio::test]
async fn a_stop_waits_for_the_lock_of_a_process_that_is_ending() {
    let host = Host::rehearsal(1, 0, Env::default(), Http::system().unwrap());
    let root = std::env::temp_dir().join(format!("xtask-ending-{}", std::process::id()));
    let dir = root.join("target/local");
    std::fs::create_dir_all(&dir).unwrap();
    // The process has no name any more, and its files are not closed yet.
    let (endpoint, url) = ("http://".to_owned(), "http://".to_owned());
    Record { pid: u32::MAX >> 1, endpoint, url }.write(&Local::record_file(&dir)).unwrap();
    let lock = std::fs::File::create(dir.join("daemon.lock")).unwrap();
    lock.lock().unwrap();
    let freed = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(lock);
    };
    let (first, second) = (Local::of(&host, &root), Local::of(&host, &root));
    let (first, second, ()) = tokio::join!(first.stop(), second.stop(), freed);
    assert_eq!((first.unwrap(), second.unwrap()), (Stopped::Nothing, Stopped::Nothing));
    assert_eq!(Record::read(&Local::record_file(&dir)), None);
    std::fs::remove_dir_all(root).unwrap();
}
