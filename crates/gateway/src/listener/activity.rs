//! What moves on a connection, and when it has stood still for too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use ports::clock::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Instants of one connection, milliseconds of the process's clock.
pub(super) struct Activity {
    clock: Arc<dyn Clock>,
    under_way: AtomicUsize,
    /// When the head began that is being read; 0 while there is none.
    head_ms: AtomicU64,
    /// When bytes moved last.
    moved_ms: AtomicU64,
}

/// A request under way.
pub(super) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.moved_ms.store(self.0.now_ms(), Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Activity {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let now = clock.elapsed().as_millis() as u64 + 1;
        Self {
            clock,
            under_way: AtomicUsize::new(0),
            // A connection is made to send something: its first head is due from the start.
            head_ms: AtomicU64::new(now),
            moved_ms: AtomicU64::new(now),
        }
    }

    fn now_ms(&self) -> u64 {
        self.clock.elapsed().as_millis() as u64 + 1
    }

    /// A request's head is complete.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.head_ms.store(0, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    fn received(&self) {
        if self.under_way.load(Ordering::Relaxed) == 0 && self.head_ms.load(Ordering::Relaxed) == 0 {
            self.head_ms.store(self.now_ms(), Ordering::Relaxed);
        }
    }

    fn sent(&self) {
        self.moved_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Ends when a head has taken longer than `header`, or nothing has moved for `idle`.
    pub(super) async fn overdue(&self, header: Duration, idle: Duration) {
        let (header, idle) = (header.as_millis() as u64, idle.as_millis() as u64);
        loop {
            let now = self.now_ms();
            let head = self.head_ms.load(Ordering::Relaxed);
            let due = if self.under_way.load(Ordering::Relaxed) > 0 {
                now + idle
            } else if head > 0 {
                head + header
            } else {
                self.moved_ms.load(Ordering::Relaxed) + idle
            };
            if due <= now {
                return;
            }
            // Looked at again at the earliest moment at which it could be over, whatever begins meanwhile.
            tokio::time::sleep(Duration::from_millis((due - now).min(header.max(1)))).await;
        }
    }
}

/// A stream that notes what moves, and begins with what was received before.
pub(super) struct Watched {
    stream: TcpStream,
    before: Vec<u8>,
    activity: Arc<Activity>,
}

impl Watched {
    pub(super) const fn new(stream: TcpStream, before: Vec<u8>, activity: Arc<Activity>) -> Self {
        Self { stream, before, activity }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let count = self.before.len().min(into.remaining());
            into.put_slice(&self.before[..count]);
            self.before.drain(..count);
            self.activity.received();
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        if into.filled().len() > before {
            self.activity.received();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, from);
        if matches!(written, Poll::Ready(Ok(count)) if count > 0) {
            self.activity.sent();
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, from);
        if matches!(written, Poll::Ready(Ok(count)) if count > 0) {
            self.activity.sent();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
