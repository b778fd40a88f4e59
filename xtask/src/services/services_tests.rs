//! Every process has a name of its own, and its settings are a file of `deploy/` that is there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::place::{Kept, Place};
use super::{named, processes};
use crate::workspace;

fn place() -> Place {
    let kept = Kept {
        redis: (1..7).collect(),
        redis_bus: (11..17).collect(),
        kafka: 20,
        kafka_controller: 21,
        postgres: 30,
        password: "secret".to_owned(),
        tls: None,
    };
    Place { root: workspace::root().unwrap(), folder: PathBuf::from("/data/services"), kept }
}

#[test]
fn every_process_has_a_name_a_port_and_a_mark_of_its_own() {
    let processes = processes(&place());
    let names: Vec<&str> = processes.iter().map(|process| process.name.as_str()).collect();
    let expected = ["redis-1", "redis-2", "redis-3", "redis-4", "redis-5", "redis-6", "kafka", "postgres"];
    assert_eq!(names, expected);
    let ports: BTreeSet<u16> = processes.iter().map(|process| process.port).collect();
    let marks: BTreeSet<&str> = processes.iter().map(|process| process.mark.as_str()).collect();
    assert_eq!((ports.len(), marks.len()), (8, 8));
    for process in &processes {
        assert!(process.words.contains(&process.mark), "{} is not known by its command line", process.name);
    }
}

#[test]
fn a_name_that_is_not_there_is_answered_with_those_that_are() {
    assert!(named(&place(), "redis-6").is_ok());
    let refusal = named(&place(), "redis-7").map(|(process, _)| process.name).unwrap_err();
    assert!(refusal.contains("no process `redis-7`") && refusal.ends_with("kafka, postgres"), "{refusal}");
}

#[test]
fn the_settings_that_correctness_needs_are_those_of_deploy() {
    let has = |file: &str, line: &str| place().settings(file).unwrap().lines().any(|there| there == line);
    for line in ["maxmemory-policy noeviction", "appendonly yes", "min-replicas-to-write 0", "save \"\""] {
        assert!(has("redis.conf", line), "{line}");
    }
    for line in ["auto.create.topics.enable=false", "unclean.leader.election.enable=false"] {
        assert!(has("kafka.properties", line), "{line}");
    }
    for line in ["fsync = on", "full_page_writes = on", "synchronous_commit = on"] {
        assert!(has("postgresql.conf", line), "{line}");
    }
}
