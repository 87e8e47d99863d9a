//! Accepts connections.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::net::TcpListener;

use super::{connection, core::Core};

/// Accepts until the broker stops. A handshake is the connection's own affair, so nobody can hold up the others here.
pub(super) async fn accept(core: Arc<Core>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = core.shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let open = core.connections.fetch_add(1, Ordering::Relaxed);
                let core = core.clone();
                core.tasks.clone().spawn(async move {
                    if open < core.config.max_connections as u64 {
                        // Small packets must not wait for acknowledgements of earlier ones.
                        let _ = stream.set_nodelay(true);
                        connection::serve(&core, stream, address).await;
                    } else {
                        tracing::warn!("Connection from {address} refused: too many are open");
                    }
                    core.connections.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Err(error) => pause_after(&error).await,
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
