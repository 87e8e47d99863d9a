//! Accepts connections, and finds out what they are.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::BytesMut;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{At, Door, ListenError, websocket};
use crate::broker::{
    connection::{self, FIRST_READ},
    core::Core,
    stream::{Entry, Peer, Stream},
};

/// Connections that may wait to be accepted: a thousand devices come back at once after a power cut.
const BACKLOG: u32 = 1024;
/// The first byte of a TLS record with a handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// The first byte of an HTTP request that may become a WebSocket.
const HTTP_GET: u8 = b'G';

/// A place that is taken and not served yet.
pub(super) enum Bound {
    Tcp(std::net::TcpListener, SocketAddr),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, PathBuf),
}

/// A place where clients are taken in.
enum Open {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, PathBuf),
}

/// Takes a place.
pub(super) fn bind(place: &At) -> Result<Bound, ListenError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::AddressInUse(place.clone()),
        _ => ListenError::Listen(place.clone(), error),
    };
    match place {
        At::Tcp(address) => {
            let listener = listen_tcp(*address).map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            Ok(Bound::Tcp(listener, address))
        }
        #[cfg(unix)]
        At::Unix(path) => {
            free_unix(path).map_err(failed)?;
            let listener = std::os::unix::net::UnixListener::bind(path).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            Ok(Bound::Unix(listener, path.clone()))
        }
        #[cfg(not(unix))]
        At::Unix(_) => Err(failed(io::Error::other(
            "this system has no Unix sockets; give an address and a port instead",
        ))),
    }
}

fn listen_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the connections of the run before. On Windows this would share the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// A socket that an earlier run has left is removed; one that somebody still listens at is not.
#[cfg(unix)]
fn free_unix(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            match std::os::unix::net::UnixStream::connect(path) {
                Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
                Err(_) => std::fs::remove_file(path),
            }
        }
        // The bind says what is wrong with anything else.
        _ => Ok(()),
    }
}

impl Bound {
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(_, address) => Some(*address),
            #[cfg(unix)]
            Self::Unix(..) => None,
        }
    }

    /// Accepts until `stop`.
    pub(super) fn serve(self, core: &Arc<Core>, door: Arc<ArcSwap<Door>>, stop: CancellationToken) {
        let task = core.clone();
        core.spawn(async move {
            let core = task;
            let open = match self.open() {
                Ok(open) => open,
                Err(error) => {
                    return tracing::error!("The broker cannot accept connections: {error}");
                }
            };
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => break,
                    accepted = open.accept() => accepted,
                };
                match accepted {
                    Ok((stream, peer)) => enter(&core, door.load_full(), stream, peer),
                    Err(error) => pause_after(&error).await,
                }
            }
            #[cfg(unix)]
            if let Open::Unix(_, path) = &open {
                // What can't be removed is removed by the next start.
                let _ = std::fs::remove_file(path);
            }
        });
    }

    /// Only on the thread that is to serve it.
    fn open(self) -> io::Result<Open> {
        Ok(match self {
            Self::Tcp(listener, _) => Open::Tcp(TcpListener::from_std(listener)?),
            #[cfg(unix)]
            Self::Unix(listener, path) => {
                Open::Unix(tokio::net::UnixListener::from_std(listener)?, path)
            }
        })
    }
}

impl Open {
    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Small packets must not wait for acknowledgements of earlier ones.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), Peer::Network(address)))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Other(Box::new(stream)), Peer::Unix))
            }
        }
    }
}

/// Out of file descriptors, say: trying again at once would only burn time.
async fn pause_after(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!("The broker could not accept a connection: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Serves a connection in a task of its own: however long its handshakes take, nobody else waits for them.
fn enter(core: &Arc<Core>, door: Arc<Door>, stream: Stream, peer: Peer) {
    let task = core.clone();
    core.spawn(async move {
        let core = task;
        let (entered, refusal) = match core.enter(peer) {
            Ok(place) => (Some(place), None),
            Err(Some(refusal)) => (None, Some(refusal)),
            Err(None) => return,
        };
        let deadline = match &refusal {
            Some(refusal) => refusal.deadline,
            None => Instant::now() + core.config.connect_timeout,
        };
        let opened = tokio::select! {
            () = core.shutdown.cancelled() => return,
            opened = timeout_at(deadline, open(&core, &door, stream, peer)) => opened,
        };
        match opened {
            Ok(Ok(Opened {
                stream,
                input,
                name,
            })) => match refusal {
                Some(refusal) => refusal.tell(&core, stream, input).await,
                None => {
                    let entry = Entry {
                        peer,
                        anonymous: door.config.anonymous,
                        name,
                    };
                    connection::serve(&core, stream, input, entry, deadline).await;
                }
            },
            Ok(Err(error)) => tracing::debug!("Connection from {peer} ended: {error}"),
            Err(_) => tracing::debug!("Connection from {peer} ended: it took too long"),
        }
        drop(entered);
    });
}

/// A connection whose handshakes are over.
struct Opened {
    stream: Stream,
    /// What was read already.
    input: BytesMut,
    /// The name in the client's certificate.
    name: Option<Arc<str>>,
}

/// Does the handshakes of TLS and WebSocket, whichever the client begins.
async fn open(core: &Core, door: &Door, mut stream: Stream, peer: Peer) -> io::Result<Opened> {
    let mut name = None;
    let mut input = BytesMut::with_capacity(FIRST_READ);
    read_some(&mut stream, &mut input).await?;
    let is_tls = input.first() == Some(&TLS_HANDSHAKE);
    match &door.tls {
        Some(acceptor) if is_tls => {
            let encrypted = acceptor.accept(websocket::behind(input, stream)).await?;
            name = door.name_of(encrypted.get_ref().1);
            stream = Stream::Other(Box::new(encrypted));
            input = BytesMut::with_capacity(FIRST_READ);
            read_some(&mut stream, &mut input).await?;
        }
        None if is_tls => return Err(io::Error::other("it wants TLS, which is not set up here")),
        Some(_) if !door.config.tls.as_ref().is_some_and(|tls| tls.plain_too) => {
            return Err(io::Error::other("it came without TLS"));
        }
        _ => {}
    }
    if door.config.websocket && input.first() == Some(&HTTP_GET) {
        // Who has to log in may come from anywhere: no browser does that by itself.
        let anonymous = name.is_none() && core.lets_in_anonymous(peer, door.config.anonymous);
        let origins = anonymous.then_some(&*door.config.origins);
        let limit = core.config.max_packet_size;
        let socket = websocket::accept(websocket::behind(input, stream), limit, origins).await?;
        stream = Stream::Other(socket);
        input = BytesMut::with_capacity(FIRST_READ);
    }
    Ok(Opened {
        stream,
        input,
        name,
    })
}

async fn read_some(stream: &mut Stream, input: &mut BytesMut) -> io::Result<()> {
    match stream.read_buf(input).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
