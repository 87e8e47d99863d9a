//! The bytes of a client, whatever they come through: TCP, TLS, a WebSocket, a Unix socket.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::io::poll_read_buf;

/// Anything that bytes can be read from and written to.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for S {}

/// A connection's bytes.
pub(super) enum Stream {
    Tcp(TcpStream),
    Other(Box<dyn Socket>),
}

/// How somebody came in.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) peer: Peer,
    /// Whether the listener lets in clients without a name; nothing: those of this machine, as long as there are no users.
    pub(super) anonymous: Option<bool>,
    /// Who it is, as its certificate says.
    pub(super) name: Option<Arc<str>>,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Network(SocketAddr),
    /// A program on this machine, through a Unix socket.
    Unix,
}

impl Peer {
    /// Whether it is a program on this machine.
    pub(super) fn is_local(self) -> bool {
        match self {
            Self::Network(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix => true,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(out),
            Self::Unix => out.write_str("the Unix socket"),
        }
    }
}

/// What an exchange led to.
pub(super) enum Moved {
    /// So many bytes came in; 0 at the end.
    In(usize),
    /// So many bytes went out.
    Out(usize),
}

impl Stream {
    /// Writes of `out` what it can and reads into `input` what is there, whichever comes first. With neither `out` nor
    /// `reads` it only brings on its way what the layers below still hold. Can be dropped at any time, nothing gets lost.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) async fn exchange(
        &mut self,
        out: &mut BytesMut,
        flushed: &mut bool,
        input: Option<&mut BytesMut>,
    ) -> io::Result<Moved> {
        let mut input = input;
        std::future::poll_fn(|cx| {
            if !out.is_empty() {
                if let Poll::Ready(written) = Pin::new(&mut *self).poll_write(cx, out) {
                    let count = written?;
                    if count == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    out.advance(count);
                    *flushed = false;
                    return Poll::Ready(Ok(Moved::Out(count)));
                }
            } else if !*flushed && let Poll::Ready(done) = Pin::new(&mut *self).poll_flush(cx) {
                done?;
                *flushed = true;
            }
            match input.as_deref_mut() {
                Some(input) => poll_read_buf(Pin::new(&mut *self), cx, input).map_ok(Moved::In),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Other(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Other(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Other(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
