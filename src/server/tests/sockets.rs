//! `/comms`, and how sockets begin and end.

use super::*;

#[tokio::test]
async fn comms_carries_debug_status_and_notifications() {
    let (mut comms, state) = Socket::open("/comms", false).await;
    // The heartbeat that comes at once says that it listens.
    comms.find(|frame| frame[0]["topic"] == "hb").await;
    let (_, _) = ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    comms
        .find(|frame| {
            frame
                .as_array()
                .unwrap()
                .iter()
                .any(|entry| entry["topic"] == "notification/runtime-deploy")
        })
        .await;
    ask(&state, "POST", "/inject/d", &[], "{}").await;
    let seen = comms.find(|frame| frame[0]["topic"] == "debug").await;
    assert_eq!(
        (&seen[0]["data"]["id"], &seen[0]["data"]["format"]),
        (&json!("d"), &json!("undefined"))
    );
    let node = state.runtime.engine().node("d").unwrap();
    node.status(crate::engine::Status::new("green", "dot", "fine"));
    let status = comms.find(|frame| frame[0]["topic"] == "status/d").await;
    assert_eq!(
        status[0]["data"],
        json!({"fill": "green", "shape": "dot", "text": "fine"})
    );
    node.warn("hot");
    let warning = comms.find(|frame| frame[0]["topic"] == "debug").await;
    assert_eq!(
        (&warning[0]["data"]["msg"], &warning[0]["data"]["level"]),
        (&json!("hot"), &json!(30))
    );
}

#[tokio::test]
async fn a_status_is_shown_to_those_who_come_later() {
    let (_first, state) = Socket::open("/comms", false).await;
    ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    let node = state.runtime.engine().node("d").unwrap();
    node.status(crate::engine::Status::new("red", "ring", "late"));
    let mut second = Socket::connect("/comms", &state).await;
    assert_eq!(
        second.next().await,
        json!([{"topic": "status/d", "data": {"fill": "red", "shape": "ring", "text": "late"}}])
    );
    node.status(crate::engine::Status::default());
    let cleared = second.find(|frame| frame[0]["topic"] == "status/d").await;
    assert_eq!(cleared[0]["data"], json!({}));
}

#[tokio::test]
async fn a_foreign_page_gets_no_socket() {
    use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};
    let (_first, state) = Socket::open("/comms", true).await;
    for path in ["/comms", "/tap"] {
        let url = format!("ws://{}{path}", state.address);
        let mut request = url.into_client_request().unwrap();
        let origin = "http://evil.example".parse().unwrap();
        request.headers_mut().insert("Origin", origin);
        let refused = tokio_tungstenite::connect_async(request).await;
        let Err(Error::Http(answer)) = refused else {
            panic!("{path} let it in")
        };
        assert_eq!(answer.status(), 403);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_over_a_real_connection() {
    let (_first, state) = Socket::open("/comms", false).await;
    let answer = reqwest::Client::new()
        .post(format!("http://{}/flows", state.address))
        .json(&json!([{"id": "x".repeat(20 << 20)}]))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
    let body: Json = answer.json().await.unwrap();
    assert_eq!(body["code"], "too_large");
}

#[tokio::test]
async fn hanging_connections_do_not_hold_the_end() {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = state(address, true);
    let tasks = tokio_util::task::TaskTracker::new();
    tasks.spawn(serve(listener, state.clone()));
    tasks.close();
    let mut sockets = Vec::new();
    for path in ["/comms", "/tap"] {
        sockets.push(Socket::connect(path, &state).await);
    }
    // A request that never ends.
    let mut half = tokio::net::TcpStream::connect(address).await.unwrap();
    half.write_all(b"POST /flows HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n[")
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    state.shutdown.cancel();
    let limit = std::time::Duration::from_millis(2_500);
    tokio::time::timeout(limit, tasks.wait()).await.unwrap();
    // Clients are told.
    for mut socket in sockets {
        let last = loop {
            match socket.stream.next().await.unwrap().unwrap() {
                Frame::Text(_) => {}
                other => break other,
            }
        };
        assert!(matches!(last, Frame::Close(Some(frame)) if u16::from(frame.code) == 1001));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_the_broker_come_in_at_mqtt() {
    use crate::broker::{Broker, BrokerConfig};
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = Broker::start(BrokerConfig::default()).await.unwrap();
    let state = ServerState {
        broker: Some(broker.clone()),
        ..state(listener.local_addr().unwrap(), false)
    };
    let serving = TaskTracker::new();
    serving.spawn(serve(listener, state.clone()));
    let url = format!("ws://{}/mqtt", state.address);
    let mut request = url.into_client_request().unwrap();
    let protocol = "mqtt".parse().unwrap();
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", protocol);
    let (mut socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "mqtt");
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01w";
    socket.send(Frame::binary(connect.to_vec())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    assert_eq!(answer, Frame::binary(vec![0x20, 2, 0, 0]));
    assert_eq!(broker.stats().clients, 1);
    state.shutdown.cancel();
    broker.stop().await;
}
