//! The way to end a connection at once, whoever reads and writes it.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;

use socket2::Socket;
use tokio::net::TcpStream;

/// A second handle to a connection's socket. The connection ends with it, and everything that waits on the connection
/// fails at once.
#[derive(Debug)]
pub(crate) struct Door(Socket);

impl Door {
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Self> {
        stream.as_fd().try_clone_to_owned().map(|socket| Self(Socket::from(socket)))
    }

    /// Ends the connection.
    pub(crate) fn shut(&self) {
        // It may be gone already.
        drop(self.0.shutdown(Shutdown::Both));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}
