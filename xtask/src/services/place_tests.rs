//! Ports are chosen once and kept; a wipe spares Kafka's jars; one command at a time.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;

use super::{FIRST_PORT, LAST_PORT, Place, Speak, enter, free_ports, is_free, remove_but};
use crate::workspace;

fn fresh(name: &str) -> PathBuf {
    let folder = workspace::target(&workspace::root().unwrap()).join("services-selftest").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn ports_and_password_stay_the_same() {
    let (root, folder) = (workspace::root().unwrap(), fresh("kept"));
    assert!(Place::find(&root, &folder).unwrap().is_none());
    let first = Place::make(&root, &folder, Speak::Plainly).unwrap().kept;
    assert_eq!(Place::make(&root, &folder, Speak::Plainly).unwrap().kept, first);
    assert_eq!(first.password.len(), 32);
    let own = [first.kafka, first.kafka_controller, first.postgres];
    let ports: BTreeSet<u16> = first.redis.iter().chain(&first.redis_bus).copied().chain(own).collect();
    assert_eq!(ports.len(), 15);
    assert!(ports.iter().all(|port| (FIRST_PORT..LAST_PORT).contains(port)));
}

#[test]
fn whether_they_speak_tls_is_kept_as_well() {
    let (root, plain, folder) = (workspace::root().unwrap(), fresh("plain"), fresh("tls"));
    Place::make(&root, &plain, Speak::Plainly).unwrap();
    assert!(Place::make(&root, &plain, Speak::Tls).unwrap_err().contains("do not speak TLS"));
    let kept = Place::make(&root, &folder, Speak::Tls).unwrap().kept;
    assert_eq!(Place::make(&root, &folder, Speak::Plainly).unwrap().kept, kept);
    let tls = kept.tls.unwrap();
    let all = kept.redis.iter().chain(&tls.redis).chain([&kept.kafka, &tls.kafka]);
    assert_eq!(all.collect::<BTreeSet<_>>().len(), 14);
}

#[test]
fn a_port_that_is_taken_is_not_chosen() {
    let folder = fresh("taken");
    let wanted = free_ports(&folder)[0];
    let _taken = TcpListener::bind(("127.0.0.1", wanted)).unwrap();
    assert!(!is_free(wanted));
    assert!(!free_ports(&folder).contains(&wanted));
}

#[test]
fn a_wipe_leaves_only_what_is_kept() {
    let folder = fresh("wiped");
    for file in ["redis/1/log", "kafka/lib/a.jar", "kafka/data/x", "kept.toml"] {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    remove_but(&folder, &folder.join("kafka/lib")).unwrap();
    let left = |name: &str| folder.join(name).exists();
    assert_eq!(
        (left("kafka/lib/a.jar"), left("kafka/data"), left("redis"), left("kept.toml")),
        (true, false, false, false)
    );
}

#[test]
fn a_folder_is_entered_by_one_at_a_time() {
    let folder = fresh("entered");
    let inside = enter(&folder).unwrap();
    assert!(std::fs::File::open(folder.join("lock")).unwrap().try_lock().is_err());
    drop(inside);
    assert!(std::fs::File::open(folder.join("lock")).unwrap().try_lock().is_ok());
}
