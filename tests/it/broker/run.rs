//! Plays an exchange to a broker.

use std::{collections::HashMap, time::Duration};

use flowrill::broker::{Broker, BrokerConfig, ListenerConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::notation::{Action, Exchange, Pattern, Version, bytes};

/// Only against hanging for ever; nothing measures it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came: a whole packet.
type Packet = Vec<u8>;

/// One connection.
struct Client {
    stream: TcpStream,
    /// Packets that another line waits for.
    early: Vec<Packet>,
}

impl Client {
    async fn open(broker: &Broker) -> Self {
        let stream = TcpStream::connect(broker.address().unwrap()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            early: Vec::new(),
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        // The broker may have closed already, which another line sees.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next packet; none: the broker has closed.
    async fn next(&mut self) -> Option<Packet> {
        if !self.early.is_empty() {
            return Some(self.early.remove(0));
        }
        let read = async {
            let mut packet = vec![self.stream.read_u8().await.ok()?];
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = self.stream.read_u8().await.ok()?;
                packet.push(byte);
                length |= usize::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let start = packet.len();
            packet.resize(start + length, 0);
            self.stream.read_exact(&mut packet[start..]).await.ok()?;
            Some(packet)
        };
        // Silence counts as an end that no line wants.
        timeout(PATIENCE, read)
            .await
            .unwrap_or_else(|_| Some(vec![0]))
    }
}

/// Whether a packet is what a line says.
fn fits(packet: &[u8], pattern: &Pattern) -> bool {
    if !pattern.is_open {
        return packet == pattern.bytes;
    }
    // The length of the whole is not known, so it is left out of both.
    let content = |bytes: &[u8]| {
        let length = bytes[1..].iter().take_while(|byte| **byte & 0x80 != 0);
        let start = 2 + length.count();
        [&bytes[..1], &bytes[start..]].concat()
    };
    content(packet).starts_with(&content(&pattern.bytes))
}

/// Plays one exchange to a broker of its own.
///
/// # Errors
/// The line, what it wants, and what came instead.
pub(super) async fn play(exchange: &Exchange, version: Version) -> Result<(), String> {
    let config = BrokerConfig {
        listeners: vec![ListenerConfig::tcp(([127, 0, 0, 1], 0).into())],
        ..BrokerConfig::default()
    };
    let broker = Broker::start(config).await.unwrap();
    let mut clients: HashMap<&str, Client> = HashMap::new();
    let mut result = Ok(());
    for (line, step) in &exchange.steps {
        if matches!(step.action, Action::Drops) {
            clients.remove(&*step.client);
            continue;
        }
        if !clients.contains_key(&*step.client) {
            clients.insert(&step.client, Client::open(&broker).await);
        }
        let client = clients.get_mut(&*step.client).unwrap();
        if let Err(error) = act(client, &step.client, &step.action, version).await {
            result = Err(format!("line {line}, {}: {error}", step.client));
            break;
        }
        if matches!(step.action, Action::Ends(_)) {
            clients.remove(&*step.client);
        }
    }
    broker.stop().await;
    result
}

async fn act(
    client: &mut Client,
    name: &str,
    action: &Action,
    version: Version,
) -> Result<(), String> {
    let read = |text: &str| bytes(text, version);
    match action {
        Action::Sends(packet) => client.send(&read(packet).bytes).await,
        Action::Gets(packet) => {
            let (wanted, got) = (read(packet), client.next().await);
            if !got.as_ref().is_some_and(|got| fits(got, &wanted)) {
                return Err(format!("{:02x?} wanted, but {got:02x?}", wanted.bytes));
            }
        }
        Action::GetsSometime(packet) => {
            let wanted = read(packet);
            let mut others = Vec::new();
            loop {
                let Some(got) = client.next().await else {
                    return Err(format!(
                        "{:02x?} wanted, but only {others:02x?}",
                        wanted.bytes
                    ));
                };
                if fits(&got, &wanted) {
                    client.early = others;
                    break;
                }
                others.push(got);
                if others.len() > 8 {
                    return Err(format!("{:02x?} wanted, but {others:02x?}", wanted.bytes));
                }
            }
        }
        Action::Ends(reason) => {
            let mut got = Vec::new();
            while let Some(packet) = client.next().await {
                let is_silent = packet == [0];
                got.push(packet);
                if is_silent {
                    break;
                }
            }
            let told: Vec<Packet> = match (version, &**reason) {
                (Version::V311, _) | (_, "--") => Vec::new(),
                (Version::V5, code) => vec![read(&format!("e0 [{code}]")).bytes],
            };
            if got != told {
                return Err(format!("{told:02x?} and the end wanted, but {got:02x?}"));
            }
        }
        Action::Connects => {
            let connect = format!("10 ['MQTT' V 02 003c {{}} '{name}']");
            client.send(&read(&connect).bytes).await;
            let got = client.next().await;
            if !got
                .as_ref()
                .is_some_and(|got| fits(got, &read("20 [00 00 ..]")))
            {
                return Err(format!("CONNACK wanted, but {got:02x?}"));
            }
        }
        Action::Subscribes(filter) => {
            let subscribe = format!("82 [0001 {{}} {filter}]");
            client.send(&read(&subscribe).bytes).await;
            let got = client.next().await;
            if got.as_ref().map(|got| got[0]) != Some(0x90) {
                return Err(format!("SUBACK wanted, but {got:02x?}"));
            }
        }
        Action::HearsNothing => {
            // What must not come would mostly have come by then.
            tokio::time::sleep(Duration::from_millis(30)).await;
            client.send(&[0xC0, 0]).await;
            let got = client.next().await;
            if got.as_deref() != Some(&[0xD0, 0]) {
                return Err(format!("nothing wanted, but {got:02x?}"));
            }
        }
        Action::Waits(time) => tokio::time::sleep(Duration::from_millis(*time)).await,
        Action::Drops => {}
    }
    Ok(())
}
