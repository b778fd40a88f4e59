//! Tests.

use std::sync::mpsc::sync_channel;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn only_regular_files_of_a_bound_are_read() {
    let dir = folder();
    let file = dir.path().join("file");
    std::fs::write(&file, "four").unwrap();
    assert_eq!(read(&file, 4).unwrap(), b"four");
    assert!(read(&file, 3).unwrap_err().contains("more than the 3 bytes"));
    assert!(read(dir.path(), 9).unwrap_err().contains("is a folder"));
    assert!(read(Path::new("/dev/zero"), 9).unwrap_err().contains("is a device"));
    assert!(read(&dir.path().join("none"), 9).unwrap_err().contains("cannot be read"));
    // Its length is said to be 0.
    assert!(read(Path::new("/proc/self/maps"), 9).unwrap_err().contains("more than the 9 bytes"));
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert!(read(&fifo, 9).unwrap_err().contains("is a FIFO"), "nobody waits for a writer");
    assert!(Stamp::of(&fifo).unwrap_err().contains("is a FIFO"));
}

#[test]
fn every_way_to_change_a_file_is_seen() {
    let dir = folder();
    let (file, other, link) = (dir.path().join("file"), dir.path().join("other"), dir.path().join("link"));
    std::fs::write(&file, "a").unwrap();
    std::fs::write(&other, "b").unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    let same_time =
        |path: &Path| File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
    same_time(&file);
    same_time(&other);
    let first = Stamp::of(&file).unwrap();
    assert_eq!(read_stamped(&file, 9).unwrap().1, first);
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(Stamp::of(&link).unwrap(), first);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert_ne!(Stamp::of(&link).unwrap(), first, "a link to another file");
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&file, "c").unwrap();
    same_time(&file);
    let second = Stamp::of(&file).unwrap();
    assert_ne!(second, first, "written in place, and its time set back");
    std::fs::rename(&other, &file).unwrap();
    assert_ne!(Stamp::of(&file).unwrap(), second, "another file under its name");
}

#[tokio::test]
async fn work_that_does_not_end_is_said_and_nothing_is_begun_beside_it() {
    let mut work = Apart::new(Duration::from_millis(50));
    let (go, wait) = sync_channel::<()>(1);
    let begun = work.ask(move || wait.recv().map(|()| 1)).await;
    assert!(begun.unwrap_err().contains("has not been read within 0.05 s"));
    assert!(work.ask(|| panic!("begun beside it")).await.is_err());
    go.send(()).unwrap();
    assert_eq!(work.ask(|| panic!("begun beside it")).await, Ok(Ok(1)));
    assert_eq!(work.ask(|| Ok(2)).await, Ok(Ok(2)));
    let mut patient: Apart<()> = Apart::new(Duration::from_secs(30));
    assert!(patient.ask(|| panic!("on purpose")).await.unwrap_err().contains("broke off"));
}
