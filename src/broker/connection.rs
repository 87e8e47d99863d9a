//! The task of one network connection: reads packets, writes what its session has for it.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

use super::{
    client::Client,
    codec::{Connect, Packet, Refused, Version, decode, encode_disconnect, protocol_error, reason},
    core::Core,
    ending::Ending,
    events::Happening,
    handshake::open,
    limits::Limit,
    pace::Throttle,
    session::Session,
    stream::{Entry, Moved, Stream},
};

/// What is read at once: little at first, more from a client that sends much.
pub(super) const FIRST_READ: usize = 2 << 10;
const LARGEST_READ: usize = 64 << 10;
/// Above this nothing more is encoded until the socket takes some.
const WRITE_AHEAD: usize = 64 << 10;
/// How long a publisher is held back by one receiver that is behind.
const HOLD: Duration = Duration::from_millis(100);
/// For what a client has sent that is taken over; it has come already.
const LAST_READ: Duration = Duration::from_millis(5);
/// For the last bytes before closing.
const LAST_WRITE: Duration = Duration::from_millis(250);

/// Serves a connection from its CONNECT to its last byte. `input` is what was read already, and `deadline` when CONNECT must
/// have come.
pub(super) async fn serve(
    core: &Arc<Core>,
    mut stream: Stream,
    mut input: BytesMut,
    entry: Entry,
    deadline: Instant,
) {
    let peer = entry.peer;
    let connect = tokio::select! {
        () = core.shutdown.cancelled() => return,
        read = timeout_at(deadline, read_connect(core, &mut stream, &mut input)) => read,
    };
    let mut out = BytesMut::new();
    let connect = match connect {
        Ok(Ok(connect)) => connect,
        Ok(Err(None)) | Err(_) => return,
        Ok(Err(Some(refused))) => {
            tracing::debug!("Connection from {peer} refused: {refused}");
            // Only whoever speaks MQTT but another version is owed an answer [MQTT-3.1.2-2].
            if refused.reason == reason::UNSUPPORTED_VERSION {
                super::handshake::refuse(&mut out, Version::V311, refused.reason);
                last_write(&mut stream, &mut out).await;
            }
            return;
        }
    };
    let Some(mut client) = open(core, *connect, entry, &mut out).await else {
        last_write(&mut stream, &mut out).await;
        return;
    };
    let mut ending = run(&mut client, &mut stream, &mut input, &mut out).await;
    if ending == Ending::Kicked(reason::TAKEN_OVER)
        && let Some(own) = last_words(&mut client, &mut stream, &mut input, &mut out).await
    {
        ending = own;
    }
    if let Ending::Refused(refused) = ending {
        let limits = &core.counters.limits;
        limits.add_refused(refused, client.session().id());
    }
    tracing::debug!("Client {} at {peer}: {ending}", client.session().id());
    if let Some(reason) = ending.reason() {
        encode_disconnect(&mut out, client.version(), reason);
    }
    let session = client.session().clone();
    match ending {
        Ending::Silent => core.tell(&session, || Happening::Silent),
        Ending::Refused(refused) => core.tell(&session, || Happening::Failed(refused.text.into())),
        _ => {}
    }
    client.end(&ending).await;
    core.tell(&session, || Happening::Disconnected);
    last_write(&mut stream, &mut out).await;
}

/// Tells a client why it does not come in, once it has sent its CONNECT.
pub(super) async fn refuse(
    core: &Core,
    mut stream: Stream,
    mut input: BytesMut,
    reason: u8,
    deadline: Instant,
) {
    let read = timeout_at(deadline, read_connect(core, &mut stream, &mut input));
    if let Ok(Ok(connect)) = read.await {
        let mut out = BytesMut::new();
        super::handshake::refuse(&mut out, connect.version, reason);
        last_write(&mut stream, &mut out).await;
    }
}

/// What the client had sent before it came back over another connection counts, its DISCONNECT above all: that takes its will
/// back and may end its session. Gives the ending that it wanted.
async fn last_words(
    client: &mut Client,
    stream: &mut Stream,
    input: &mut BytesMut,
    out: &mut BytesMut,
) -> Option<Ending> {
    let deadline = Instant::now() + LAST_READ;
    // Answers to them must not go out to a newer connection.
    while client.session().outbox().connection == client.parts.connection {
        input.reserve(FIRST_READ);
        match timeout_at(deadline, stream.read_buf(input)).await {
            Ok(Ok(count)) if count > 0 => {
                if let Err(ending) = client.handle(input, out).await {
                    return Some(ending);
                }
            }
            _ => return None,
        }
    }
    None
}

async fn last_write(stream: &mut Stream, out: &mut BytesMut) {
    let write = async {
        stream.write_all_buf(out).await?;
        stream.shutdown().await
    };
    // A client that does not take it any more has nothing to lose.
    let _ = timeout(LAST_WRITE, write).await;
}

/// The largest CONNECT: whoever has not come in yet may not fill the memory.
const MAX_CONNECT: usize = 128 << 10;

/// The first packet must be CONNECT [MQTT-3.1.0-1]. The error is none when the client is gone.
async fn read_connect(
    core: &Core,
    stream: &mut Stream,
    input: &mut BytesMut,
) -> Result<Box<Connect>, Option<Refused>> {
    let limit = core.config.max_packet_size.min(MAX_CONNECT);
    loop {
        // The version does not matter for CONNECT, which names it itself.
        match decode(input, Version::V311, limit).map_err(Some)? {
            Some(Packet::Connect(connect)) => return Ok(connect),
            Some(_) => return Err(Some(protocol_error("the first packet is not CONNECT"))),
            None => {}
        }
        if input.first().is_some_and(|first| first >> 4 != 1) {
            return Err(Some(protocol_error("the first packet is not CONNECT")));
        }
        match stream.read_buf(input).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
    }
}

async fn run(
    client: &mut Client,
    stream: &mut Stream,
    input: &mut BytesMut,
    out: &mut BytesMut,
) -> Ending {
    let session = client.session().clone();
    let patience = client.patience();
    let deadline = tokio::time::sleep(patience.unwrap_or(Duration::from_secs(1)));
    let mut deadline = std::pin::pin!(deadline);
    let mut last_heard = Instant::now();
    let mut held_by: Option<Arc<Session>> = None;
    let mut hold = std::pin::pin!(futures_util::future::OptionFuture::from(None));
    let mut throttle = Throttle::new(&client.core().config);
    let mut rest: Option<Instant> = None;
    let mut resting = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
    let mut read_size = FIRST_READ;
    let mut flushed = true;
    let core = client.core().clone();
    let counters = &core.counters;
    // What came behind CONNECT.
    if let Err(ending) = client.handle(input, out).await {
        return ending;
    }
    loop {
        if out.len() < WRITE_AHEAD {
            match client.fill(out) {
                Ok(None) => {}
                Ok(Some(behind)) if held_by.is_none() => {
                    held_by = Some(behind.clone());
                    hold.set(Some(async move { behind.caught_up(HOLD).await }).into());
                }
                Ok(Some(_)) => {}
                Err(ending) => return ending,
            }
        }
        input.reserve(read_size);
        let reads = (held_by.is_none() && rest.is_none()).then_some(&mut *input);
        tokio::select! {
            biased;
            moved = stream.exchange(out, &mut flushed, reads) => match moved {
                Ok(Moved::In(0)) | Err(_) => return Ending::Gone,
                Ok(Moved::Out(count)) => counters.bytes_out.add(count as u64),
                Ok(Moved::In(count)) => {
                    counters.bytes_in.add(count as u64);
                    last_heard = Instant::now();
                    if count >= read_size {
                        read_size = (read_size * 4).min(LARGEST_READ);
                    }
                    let before = session.published();
                    if let Err(ending) = client.handle(input, out).await {
                        return ending;
                    }
                    let messages = session.published() - before;
                    rest = throttle.pause(messages, count, Instant::now());
                    if let Some(end) = rest {
                        counters.limits.add(Limit::Rate, session.id());
                        resting.as_mut().reset(end);
                    }
                }
            },
            () = resting.as_mut(), if rest.is_some() => {
                rest = None;
                last_heard = Instant::now();
            }
            _ = hold.as_mut(), if held_by.is_some() => held_by = None,
            () = session.woken() => {}
            () = deadline.as_mut(), if patience.is_some() => {
                let end = last_heard + patience.unwrap_or_default();
                // A client that is held back is not silent by its own will.
                if end <= Instant::now() && held_by.is_none() && rest.is_none() {
                    return Ending::Silent;
                }
                deadline.as_mut().reset(end.max(Instant::now() + Duration::from_millis(10)));
            }
        }
    }
}
