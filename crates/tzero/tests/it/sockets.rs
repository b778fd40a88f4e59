//! The TCP sockets of a process, from the kernel's tables.

/// States as the kernel writes them.
const LISTENS: &str = "0A";
const CONNECTED: &str = "01";

struct Socket {
    state: String,
    here: u16,
    there: u16,
}

/// Ports on which a process listens.
pub fn listening(pid: u32) -> Vec<u16> {
    sockets(pid).into_iter().filter(|socket| socket.state == LISTENS).map(|socket| socket.here).collect()
}

/// Ports to which a process has connections that it made itself.
pub fn connected_to(pid: u32) -> Vec<u16> {
    let (listening, sockets) = (listening(pid), sockets(pid));
    let own = |socket: &&Socket| socket.state == CONNECTED && !listening.contains(&socket.here);
    let there = sockets.iter().filter(own).map(|socket| socket.there);
    there.filter(|port| !listening.contains(port)).collect()
}

fn sockets(pid: u32) -> Vec<Socket> {
    let mine: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("the process's files")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("the kernel's table");
    let port = |end: &str| u16::from_str_radix(end.split_once(':')?.1, 16).ok();
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_mine = mine.iter().any(|inode| fields.get(9) == Some(&inode.as_str()));
        let (here, there) = (port(fields.get(1)?)?, port(fields.get(2)?)?);
        is_mine.then(|| Socket { state: fields[3].to_owned(), here, there })
    };
    table.lines().skip(1).filter_map(socket).collect()
}
