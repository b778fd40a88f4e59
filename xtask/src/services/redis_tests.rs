//! What a node reports is judged, and a node that says something else is named.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{ask, fields, known_nodes, sound};

const WHOLE: &str = "cluster_state:ok\r\ncluster_slots_ok:16384\r\ncluster_known_nodes:6\r\n";
const PRIMARY: &str = "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n";
const REPLICA: &str = "role:slave\r\nmaster_link_status:up\r\n";

fn judged(cluster: &str, replication: &str) -> Result<(), String> {
    sound(&fields(cluster), &fields(replication))
}

/// A server that answers one question with these bytes.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 6]).unwrap();
        stream.write_all(bytes).unwrap();
    });
    address
}

#[test]
fn a_whole_cluster_is_sound() {
    assert_eq!(judged(WHOLE, PRIMARY), Ok(()));
    assert_eq!(judged(WHOLE, REPLICA), Ok(()));
    assert_eq!(known_nodes(WHOLE), Some(6));
}

#[test]
fn whatever_is_missing_is_named() {
    let failing = WHOLE.replace("state:ok", "state:fail");
    assert_eq!(judged(&failing, PRIMARY), Err("cluster_state is fail and not ok".to_owned()));
    let small = WHOLE.replace("nodes:6", "nodes:5");
    assert_eq!(judged(&small, PRIMARY), Err("cluster_known_nodes is 5 and not 6".to_owned()));
    let lonely = PRIMARY.replace("slaves:1", "slaves:0");
    assert_eq!(judged(WHOLE, &lonely), Err("a primary without a replica".to_owned()));
    let behind = REPLICA.replace("up", "down");
    assert_eq!(judged(WHOLE, &behind), Err("master_link_status is down and not up".to_owned()));
    assert_eq!(judged("", PRIMARY), Err("cluster_state is missing and not ok".to_owned()));
}

#[test]
fn the_text_of_an_answer_is_read_whole() {
    assert_eq!(ask(&answering(b"$5\r\na:1\r\n\r\n"), "INFO"), Ok("a:1\r\n".to_owned()));
}

#[test]
fn an_error_and_a_silent_server_are_faults_that_name_it() {
    let error = ask(&answering(b"-LOADING the data\r\n"), "INFO").unwrap_err();
    assert!(error.ends_with("answers INFO with: -LOADING the data"), "{error}");
    let cut = ask(&answering(b"$5\r\na"), "INFO").unwrap_err();
    assert!(cut.contains("does not answer"), "{cut}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = ask(&listener.local_addr().unwrap().to_string(), "INFO").unwrap_err();
    assert!(mute.ends_with("accepts, and says nothing for 2 s"), "{mute}");
}
