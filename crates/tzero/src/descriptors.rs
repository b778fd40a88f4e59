//! How many files and connections this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to what the system allows this process; gives the limit that holds now, `None` where
/// there is none. Many systems begin a process with 1,024 and let it have far more.
pub fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // Nothing is lost: what holds is what held before.
        Err(_) => current,
    }
}

/// How many files a process may have open here at most, as far as the system allows it; `None` where there is no limit.
pub fn allowed() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Descriptors that are kept for stores, the provider and the listeners themselves.
pub const RESERVED: u64 = 256;

/// Connections for which `allowed` descriptors have room.
pub fn room(allowed: u64) -> usize {
    allowed.saturating_sub(RESERVED).max(RESERVED / 4) as usize
}

/// As many connections as configured, or as the process may have descriptors for.
pub fn connections(configured: usize) -> usize {
    let Some(allowed) = raise() else { return configured };
    let room = room(allowed);
    if configured > room {
        tracing::warn!(
            configured,
            room,
            "server.max_connections is more than the limit of open files allows: serving fewer; raise it (ulimit -n)"
        );
    }
    configured.min(room)
}
