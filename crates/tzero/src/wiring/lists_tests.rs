//! Tests: what a look at a file gives.

use super::*;

fn opened(text: &str) -> (tempfile::TempDir, Arc<File>, Seen) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list");
    std::fs::write(&path, text).unwrap();
    let file = File { kind: Kind::Networks, path, lists: Arc::default(), trusted: Vec::new() };
    let seen = file.open().unwrap();
    (dir, Arc::new(file), seen)
}

#[test]
fn a_version_is_read_again_once_and_then_no_more() {
    let (_dir, file, seen) = opened("deny 10.0.0.0/8\n");
    let first = file.look(seen);
    assert!(matches!(first.outcome, Ok(None)) && first.seen.settled);
    // The same length and the same time of writing: only whoever looks closer sees it.
    let written = file.path.metadata().unwrap().modified().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&file.path, "deny 11.0.0.0/8\n").unwrap();
    let handle = std::fs::File::options().write(true).open(&file.path).unwrap();
    handle.set_modified(written).unwrap();
    let second = file.look(first.seen);
    assert!(matches!(second.outcome, Ok(Some(1))), "{:?}", second.outcome);
    assert!(file.lists.networks.load().rule("11.1.1.1".parse().unwrap()).is_some());
}

#[test]
fn a_mistake_is_said_at_every_look_and_each_by_its_words() {
    let (_dir, file, seen) = opened("deny 10.0.0.0/8\n");
    let mut seen = file.look(seen).seen;
    for wrong in ["nonsense\n", "rubbish\n"] {
        std::fs::write(&file.path, wrong).unwrap();
        for _ in 0..3 {
            let looked = file.look(seen);
            assert!(looked.outcome.unwrap_err().contains(wrong.trim()), "{wrong}");
            seen = looked.seen;
        }
    }
    assert!(file.lists.networks.load().rule("10.1.1.1".parse().unwrap()).is_some(), "the list stays");
    std::fs::remove_file(&file.path).unwrap();
    assert!(file.look(seen.clone()).outcome.unwrap_err().contains("cannot be read"));
    std::fs::write(&file.path, "deny 10.0.0.0/8\n").unwrap();
    assert!(matches!(file.look(seen).outcome, Ok(Some(1))), "right again");
}

#[test]
fn no_part_of_a_trusted_network_is_denied() {
    let (_dir, file, _) = opened("# nobody\n");
    let trusted = vec!["10.1.0.0/16".parse().unwrap(), "127.0.0.0/8".parse().unwrap()];
    let (path, lists) = (file.path.clone(), Arc::clone(&file.lists));
    let file = File { kind: Kind::Networks, path, lists, trusted };
    for denied in ["10.1.2.3", "10.0.0.0/8", "0.0.0.0/0"] {
        let wrong = file.put_in_force(format!("deny {denied}\n").as_bytes()).unwrap_err();
        assert!(wrong.contains("server.trusted_proxies has 10.1.0.0/16"), "{wrong}");
    }
    assert_eq!(file.put_in_force(b"deny 10.2.0.0/16\n"), Ok(1));
    // Loopback is never denied, so that a list which names it turns away nobody behind a proxy of this machine.
    let trusted = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let file = File { kind: Kind::Networks, trusted, path: file.path.clone(), lists: Arc::default() };
    assert_eq!(file.put_in_force(b"deny 127.0.0.0/8\ndeny 0.0.0.0/0\ndeny ::/0\n"), Ok(3));
    for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(file.lists.networks.load().rule(loopback.parse().unwrap()), None, "{loopback}");
    }
}
