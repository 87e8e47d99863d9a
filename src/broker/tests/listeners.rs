//! The ways in: TCP, TLS, WebSocket and Unix sockets, and what changes while the broker runs.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::wire::{Wire, assert_serves, broker, connect, packet, publish, text};
use crate::broker::{At, Broker, BrokerConfig, ListenError, ListenerConfig, TlsConfig};

type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn any_port() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

async fn open_websocket(
    broker: &Broker,
    headers: &[(&'static str, &str)],
) -> Result<(WebSocket, Option<String>), Error> {
    let address = broker.address().unwrap();
    let mut request = format!("ws://{address}/mqtt").into_client_request()?;
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().insert(*name, value);
    }
    let (socket, response) = connect_async(request).await?;
    let protocol = response.headers().get("sec-websocket-protocol");
    let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
    Ok((socket, protocol))
}

/// The bytes of the next binary frames, until there are `count`.
async fn bytes(socket: &mut WebSocket, count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => all.extend_from_slice(&bytes),
            other => panic!("{other:?}"),
        }
    }
    all
}

/// [MQTT-6.0.0-2], [MQTT-6.0.0-4]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets_come_in_at_the_port_of_mqtt() {
    let broker = broker().await;
    for (offered, chosen) in [
        (&[("sec-websocket-protocol", "mqtt")][..], Some("mqtt")),
        (&[("sec-websocket-protocol", "mqttv3.1")], Some("mqttv3.1")),
        (&[("sec-websocket-protocol", "x, mqtt")], Some("mqtt")),
        (&[], None),
    ] {
        let (mut socket, protocol) = open_websocket(&broker, offered).await.unwrap();
        assert_eq!(protocol.as_deref(), chosen);
        // Packets and frames need not begin and end at the same places.
        let mut said = connect("w", true);
        said.extend(packet(0x82, &[&[0, 9], &text("w/#"), &[0]]));
        said.extend(publish("w/x", b"hello", 0, 0));
        for part in said.chunks(7) {
            socket.send(Message::binary(part.to_vec())).await.unwrap();
        }
        let mut expected = vec![0x20, 2, 0, 0, 0x90, 3, 0, 9, 0];
        expected.extend(publish("w/x", b"hello", 0, 0));
        let count = expected.len();
        assert_eq!(bytes(&mut socket, count).await, expected);
        socket.send(Message::binary(vec![0xE0, 0])).await.unwrap();
    }
    assert_serves(&broker).await;
    broker.stop().await;
}

/// [MQTT-6.0.0-1]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_websocket_for_mqtt_is_refused() {
    let broker = broker().await;
    for (headers, status) in [
        (&[("sec-websocket-protocol", "wamp")][..], 400),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
    ] {
        match open_websocket(&broker, headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{headers:?}: {:?}", other.map(|(_, protocol)| protocol)),
        }
    }
    for origin in ["http://localhost:1880", "http://127.0.0.1:8080"] {
        let opened = open_websocket(&broker, &[("origin", origin)]).await;
        assert!(opened.is_ok(), "{origin}");
    }
    let (mut socket, _) = open_websocket(&broker, &[]).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let last = socket.next().await;
    assert!(
        !matches!(last, Some(Ok(Message::Binary(_)))),
        "a text is no MQTT: {last:?}"
    );
    assert_serves(&broker).await;
    broker.stop().await;
}

/// A certificate for localhost in a folder, and a client that trusts it.
fn certificate(folder: &std::path::Path) -> (TlsConfig, TlsConnector) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = TlsConfig {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        client_authority: None,
        client_certificate_required: false,
        client_name: None,
        plain_too: false,
    };
    std::fs::write(&config.certificate, cert.pem()).unwrap();
    std::fs::write(&config.key, signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (config, TlsConnector::from(Arc::new(client)))
}

async fn tls_client(broker: &Broker, connector: &TlsConnector) -> Wire {
    let stream = TcpStream::connect(broker.address().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    Wire::over(connector.connect(name, stream).await.unwrap())
}

async fn broker_with_tls(tls: TlsConfig) -> Broker {
    let listener = ListenerConfig {
        tls: Some(tls),
        ..ListenerConfig::tcp(any_port())
    };
    Broker::start(BrokerConfig {
        listeners: vec![listener],
        ..BrokerConfig::default()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_carries_large_messages_and_nobody_waits_for_a_silent_one() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, connector) = certificate(folder.path());
    let broker = broker_with_tls(tls).await;
    // They say nothing, or begin a handshake and stop.
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(broker.address().unwrap()).await.unwrap());
    }
    let mut wire = tls_client(&broker, &connector).await;
    wire.send(&connect("t", true)).await;
    assert_eq!(wire.next().await, (0x20, vec![0, 0]));
    wire.subscribe("t", 0).await;
    let payload = vec![7; 900_000];
    wire.send(&publish("t", &payload, 0, 0)).await;
    assert_eq!(wire.message().await.3, payload);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_of_tls_takes_plain_clients_only_if_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, connector) = certificate(folder.path());
    let broker = broker_with_tls(tls.clone()).await;
    let mut plain = Wire::open(&broker).await;
    plain.try_send(&connect("p", true)).await;
    assert_eq!(plain.closed().await, None);
    let address = broker.address().unwrap();
    let both = ListenerConfig {
        tls: Some(TlsConfig {
            plain_too: true,
            ..tls
        }),
        ..ListenerConfig::tcp(address)
    };
    broker.set_listeners(vec![both]).unwrap();
    assert_eq!(broker.address(), Some(address));
    assert_serves(&broker).await;
    let mut wire = tls_client(&broker, &connector).await;
    wire.send(&connect("t", true)).await;
    assert_eq!(wire.next().await, (0x20, vec![0, 0]));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_no_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, _) = certificate(folder.path());
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let broker = broker().await;
    for wrong in [
        TlsConfig {
            certificate: empty.clone(),
            ..tls.clone()
        },
        TlsConfig {
            key: empty.clone(),
            ..tls.clone()
        },
        TlsConfig {
            client_authority: Some(empty.clone()),
            ..tls.clone()
        },
    ] {
        let listener = ListenerConfig {
            tls: Some(wrong),
            ..ListenerConfig::tcp(any_port())
        };
        match broker.set_listeners(vec![listener]) {
            Err(ListenError::Tls(reason)) => assert!(reason.contains("empty.pem"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    // All or nothing: what was there is there.
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_come_and_go_while_clients_stay() {
    let broker = broker().await;
    let first = broker.address().unwrap();
    let mut early = Wire::client(&broker, "early").await;
    early.subscribe("x", 0).await;
    let taken = std::net::TcpListener::bind(any_port()).unwrap();
    let refused = broker.set_listeners(vec![
        ListenerConfig::tcp(any_port()),
        ListenerConfig::tcp(taken.local_addr().unwrap()),
    ]);
    assert!(matches!(refused, Err(ListenError::AddressInUse(_))));
    assert_eq!(broker.address(), Some(first));

    let two = [ListenerConfig::tcp(first), ListenerConfig::tcp(any_port())];
    broker.set_listeners(two.to_vec()).unwrap();
    let second = broker.listeners()[1].1.unwrap();
    assert_eq!(broker.address(), Some(first));
    broker
        .set_listeners(vec![ListenerConfig::tcp(second)])
        .unwrap();
    assert_eq!(broker.address(), Some(second));
    // Nobody listens at the first any more, as soon as its task has heard of it.
    while TcpStream::connect(first).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut late = Wire::client(&broker, "late").await;
    late.send(&publish("x", b"1", 0, 0)).await;
    assert_eq!(early.message().await.3, b"1");
    broker.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_on_this_machine_come_in_through_a_file() {
    use tokio::net::UnixStream;
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("mqtt.sock");
    // What an earlier run has left behind is no hindrance.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let unix = ListenerConfig {
        at: At::Unix(path.clone()),
        ..ListenerConfig::tcp(any_port())
    };
    let config = BrokerConfig {
        listeners: vec![unix.clone()],
        ..BrokerConfig::default()
    };
    let broker = Broker::start(config.clone()).await.unwrap();
    assert_eq!(broker.address(), None);
    let mut wire = Wire::over(UnixStream::connect(&path).await.unwrap());
    wire.send(&connect("u", true)).await;
    assert_eq!(wire.next().await, (0x20, vec![0, 0]));
    assert!(matches!(
        Broker::start(config).await,
        Err(crate::broker::BrokerError::Listen(
            ListenError::AddressInUse(_)
        ))
    ));
    broker.stop().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_that_is_no_websocket_ends_without_harm() {
    let broker = broker().await;
    let mut stream = TcpStream::connect(broker.address().unwrap()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(&[0x20]));
    assert_serves(&broker).await;
    broker.stop().await;
}
