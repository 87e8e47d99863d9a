//! An address that stays while what is behind it comes and goes, and takes another port.

use std::{net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::task::TaskTracker;

/// Passes connections on. Nobody behind it: it closes them.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    target: Arc<Mutex<String>>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(super) async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(target));
        let behind = target.clone();
        let tasks = TaskTracker::new();
        let connections = tasks.clone();
        let task = tasks.spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let target = behind.lock().clone();
                connections.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(target).await {
                        let _ = client.set_nodelay(true);
                        let _ = server.set_nodelay(true);
                        // An end is an end, however it comes.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self {
            address,
            target,
            task,
        }
    }

    /// From now on it leads there.
    pub(super) fn lead_to(&self, target: &str) {
        target.clone_into(&mut self.target.lock());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
