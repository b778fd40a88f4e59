//! A process is found again, never mistaken for another, and stopped by force where it does not listen.

use std::path::Path;
use std::time::Duration;

use super::{Process, figure, is_ours, stop_all};
use crate::workspace;

/// A shell that runs `script`; the mark is its last argument.
fn shell(name: &str, script: &str) -> Process {
    let folder = workspace::target(&workspace::root().unwrap()).join("services-selftest").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    let mark = format!("{}/mark", folder.display());
    let words = ["sh", "-c", script, &mark].map(str::to_owned).to_vec();
    Process { name: name.to_owned(), port: 0, data: folder.clone(), folder, words, mark, stop: "TERM" }
}

fn note(process: &Process, pid: u32) {
    std::fs::write(process.folder.join("pid"), pid.to_string()).unwrap();
}

fn comes_up(process: &Process) {
    process.start().unwrap();
    let up = || process.running().map(drop).ok_or_else(|| "not yet".to_owned());
    process.ready(Duration::from_secs(10), up).unwrap();
}

#[test]
fn a_process_that_was_started_is_found_and_ends_by_its_signal() {
    let process = shell("obedient", "while :; do sleep 0.1; done");
    comes_up(&process);
    assert!(process.family().contains(&process.running().unwrap()));
    assert!(process.memory() > 0);
    assert_eq!(stop_all(&[process], Duration::from_secs(10)), Ok(()));
    assert_eq!(shell("obedient", "").running(), None);
}

#[test]
fn a_process_that_does_not_listen_is_killed() {
    let process = shell("deaf", "trap '' TERM; while :; do sleep 0.1; done");
    comes_up(&process);
    assert_eq!(stop_all(&[process], Duration::from_millis(300)), Ok(()));
    assert_eq!(shell("deaf", "").running(), None);
}

#[test]
fn a_noted_pid_that_another_program_has_is_not_ours() {
    let process = shell("stranger", "");
    note(&process, std::process::id());
    assert_eq!(process.running(), None);
    let refusal = process.signal("KILL").unwrap_err();
    assert_eq!(refusal, "stranger is not running");
    note(&process, u32::MAX);
    assert_eq!(process.running(), None);
}

#[test]
fn one_that_ends_at_once_is_an_error_with_the_end_of_its_log() {
    let process = shell("doomed", "sleep 0.3; echo the reason; exit 1");
    drop(std::fs::remove_file(process.folder.join("log")));
    process.start().unwrap();
    let refusal = process.ready(Duration::from_secs(10), || Err("no answer".to_owned())).unwrap_err();
    assert!(refusal.starts_with("doomed: doomed has ended"), "{refusal}");
    assert!(refusal.ends_with("the reason"), "{refusal}");
}

#[test]
fn only_a_whole_argument_marks_a_command_line() {
    assert!(is_ours(b"redis-server\0/a/redis.conf\0", "/a/redis.conf"));
    assert!(!is_ours(b"tail\0/a/redis.conf.old\0", "/a/redis.conf"));
    assert!(!is_ours(b"", Path::new("/a/redis.conf").to_str().unwrap()));
}

#[test]
fn figures_are_read_from_what_the_kernel_says() {
    assert_eq!(figure("Rss:  9 kB\nPss:        1234 kB\n", "Pss:"), Some(1234));
    assert_eq!(figure("Rss:  9 kB\n", "Pss:"), None);
}
