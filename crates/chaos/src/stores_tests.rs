//! Tests.

use super::*;

const NODES: &str = "07c3 127.0.0.1:30004@31004,host slave e7d1 0 1426238317239 4 connected\n\
                     e7d1 127.0.0.1:30001@31001,host myself,master - 0 0 7 connected 0-5460 5462 [93->-292f]\n";

#[test]
fn a_node_reads_its_own_line() {
    let node = Node::read(2, NODES).unwrap();
    assert_eq!((node.name().as_str(), node.epoch), ("redis-3", 7));
    assert!(node.serves(0) && node.serves(5460) && node.serves(5462));
    assert!(!node.serves(5461) && !node.serves(16_000));
    let replica = Node::read(0, &NODES.replace("myself,", "").replace("slave", "myself,slave")).unwrap();
    assert_eq!(replica.master.as_deref(), Some("e7d1"));
    assert!(!replica.serves(0));
}

#[test]
fn a_lag_is_what_the_slowest_replica_lacks() {
    let told = "role:master\r\nslave0:ip=1,port=2,state=online,offset=90,lag=0\r\n\
                slave1:ip=1,port=3,state=online,offset=70,lag=1\r\nmaster_repl_offset:100\r\n";
    assert_eq!(lag(told), Some(30));
    assert_eq!(lag("role:master\r\nmaster_repl_offset:100\r\n"), None);
}

#[test]
fn the_code_of_a_library_is_found_in_both_forms() {
    let word = |word: &str| Value::BulkString(word.as_bytes().to_vec());
    let flat = Value::Array(vec![Value::Array(vec![word("library_code"), word("#!lua")])]);
    let map = Value::Array(vec![Value::Map(vec![(word("library_code"), word("#!lua"))])]);
    assert_eq!(code(&flat).as_deref(), Some("#!lua"));
    assert_eq!(code(&map).as_deref(), Some("#!lua"));
    assert_eq!(code(&Value::Nil), None);
}
