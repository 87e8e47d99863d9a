//! MQTT nodes whose broker is reached over TLS or a WebSocket.

use std::{collections::BTreeMap, path::Path};

use flowrill::{
    broker::{Broker, BrokerConfig, ListenerConfig, TlsConfig},
    engine::RuntimeSettings,
    flow::DeployMode,
    services::Services,
};
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use pkcs8::{LineEnding, PrivateKeyInfoRef, der::pem::PemLabel, pkcs5::pbes2::Parameters};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::{Value as Json, json};

use crate::support::{
    flows::{TestFlows, node},
    mqtt::MqttFlows,
};

/// An authority, what it has certified, and where that lies.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

/// A certificate with its key, in PEM.
struct Pair {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Workshop");
        Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn certify(&self, names: &[&str], common: &str) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate, key }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The file with its own certificate.
    fn own(&self) -> String {
        self.file("ca.pem", self.issuer.pem())
    }

    /// A broker with this certificate, which may want one of its clients.
    async fn broker(&self, pair: &Pair, wants_certificates: bool) -> Broker {
        let certificate = self.file("server.pem", pair.certificate.pem());
        let key = self.file("server.key", pair.key.serialize_pem());
        let authority = wants_certificates.then(|| self.own());
        let path = |text: String| Path::new(&text).to_owned();
        let tls = TlsConfig {
            certificate: path(certificate),
            key: path(key),
            client_authority: authority.map(path),
            client_certificate_required: wants_certificates,
            client_name: None,
            plain_too: true,
        };
        broker_with(tls).await
    }
}

async fn broker_with(tls: TlsConfig) -> Broker {
    let listener = ListenerConfig {
        tls: Some(tls),
        ..ListenerConfig::tcp(([127, 0, 0, 1], 0).into())
    };
    let config = BrokerConfig {
        listeners: vec![listener],
        ..BrokerConfig::default()
    };
    Broker::start(config).await.unwrap()
}

/// Flows with a broker node and its TLS settings. `server` has `{port}` in the place of the broker's port.
async fn flows(
    broker: &Broker,
    server: &str,
    tls: &Json,
    credentials: &[(&str, String)],
) -> MqttFlows {
    let port = broker.address().unwrap().port();
    let mut settings = json!({"id": "tls", "type": "tls-config"});
    for (key, value) in tls.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let server = server.replace("{port}", &port.to_string());
    let is_host = !server.contains("://");
    let nodes = [
        settings,
        json!({"id": "b", "type": "mqtt-broker", "broker": server, "port": port, "usetls": is_host, "tls": "tls"}),
        node("out", "mqtt out", json!({"broker": "b", "topic": "t"})),
        node(
            "in",
            "mqtt in",
            json!({"broker": "b", "topic": "t", "datatype": "utf8", "wires": [["end"]]}),
        ),
        node("end", "junction", json!({})),
    ];
    let mut flows = TestFlows::with_services(&Services::new(None), RuntimeSettings::default());
    let credentials: BTreeMap<String, String> = credentials
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    flows.credentials.insert("tls".into(), credentials);
    let test = MqttFlows::over(flows);
    test.deploy(&nodes, DeployMode::Full).await;
    test
}

async fn assert_works(broker: &Broker, server: &str, tls: Json, credentials: &[(&str, String)]) {
    let mut test = flows(broker, server, &tls, credentials).await;
    test.status("in", "connected").await;
    test.status("out", "connected").await;
    // The subscription is on its way before this.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    test.flows.send("out", json!({"payload": "secret"}));
    let messages = test.messages("end", 1).await;
    assert_eq!(messages[0]["payload"], "secret", "{server} {tls}");
    test.flows.engine.stop().await;
}

/// What the log says instead of a connection.
async fn assert_fails(broker: &Broker, server: &str, tls: Json, expected: &str) {
    let mut test = flows(broker, server, &tls, &[]).await;
    test.log("b", expected).await;
    test.flows.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_of_ones_own() {
    let authority = Authority::new();
    let broker = authority
        .broker(&authority.certify(&["localhost"], "x"), false)
        .await;
    let ca = authority.own();
    let pasted = [("cadata", authority.issuer.pem())];
    for server in [
        "localhost",
        "mqtts://localhost:{port}",
        "wss://localhost:{port}/mqtt",
    ] {
        assert_works(&broker, server, json!({"ca": ca}), &[]).await;
        assert_works(&broker, server, json!({}), &pasted).await;
        assert_works(&broker, server, json!({"verifyservercert": false}), &[]).await;
        assert_fails(
            &broker,
            server,
            json!({}),
            "an authority that is not trusted here",
        )
        .await;
    }
    assert_works(&broker, "ws://localhost:{port}/mqtt", json!({}), &[]).await;
    assert_works(
        &broker,
        "mqtts://127.0.0.1:{port}",
        json!({"ca": ca, "servername": "localhost"}),
        &[],
    )
    .await;
    let other_name = "is for another name";
    assert_fails(&broker, "127.0.0.1", json!({"ca": ca}), other_name).await;
    let other = Authority::new().issuer.pem();
    let other = authority.file("other.pem", other);
    assert_fails(
        &broker,
        "localhost",
        json!({"ca": other}),
        "is not trusted here",
    )
    .await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_as_they_are_made_at_home() {
    let authority = Authority::new();
    // The name stands in the subject only.
    let broker = authority
        .broker(&authority.certify(&[], "localhost"), false)
        .await;
    let ca = authority.own();
    assert_works(&broker, "localhost", json!({"ca": ca}), &[]).await;
    assert_fails(&broker, "127.0.0.1", json!({"ca": ca}), "another name").await;
    broker.stop().await;
    // The certificate is its own authority, as `openssl req -x509` makes it.
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    let key = KeyPair::generate().unwrap();
    let pair = Pair {
        certificate: params.self_signed(&key).unwrap(),
        key,
    };
    let broker = authority.broker(&pair, false).await;
    let own = authority.file("own.pem", pair.certificate.pem());
    assert_works(&broker, "127.0.0.1", json!({"ca": own}), &[]).await;
    assert_fails(
        &broker,
        "127.0.0.1",
        json!({"ca": ca}),
        "is not trusted here",
    )
    .await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_wants_to_see_a_certificate() {
    let authority = Authority::new();
    let broker = authority
        .broker(&authority.certify(&["localhost"], "x"), true)
        .await;
    let client = authority.certify(&[], "esp");
    let (ca, cert) = (
        authority.own(),
        authority.file("client.pem", client.certificate.pem()),
    );
    let key = authority.file("client.key", client.key.serialize_pem());
    let files = json!({"ca": ca, "cert": cert, "key": key});
    assert_works(&broker, "localhost", files, &[]).await;
    assert_fails(
        &broker,
        "localhost",
        json!({"ca": ca}),
        "wants to see a certificate",
    )
    .await;
    let secret = ("passphrase", "much secret".to_owned());
    let der = client.key.serialize_der();
    let encrypted = PrivateKeyInfoRef::try_from(&*der)
        .unwrap()
        .encrypt_with_params(
            Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &[7; 16], [8; 16]).unwrap(),
            "much secret",
        )
        .unwrap();
    let encrypted = encrypted
        .to_pem(pkcs8::EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
        .unwrap();
    let encrypted = authority.file("encrypted.key", encrypted.as_bytes());
    let files = json!({"ca": ca, "cert": cert, "key": encrypted});
    assert_works(
        &broker,
        "localhost",
        files.clone(),
        std::slice::from_ref(&secret),
    )
    .await;
    assert_fails(&broker, "localhost", files, "it needs its passphrase").await;
    let chain = PrivateKeyChain::new(
        vec![1],
        PrivateKey::from_der(&der).unwrap(),
        [
            Certificate::from_der(client.certificate.der()).unwrap(),
            Certificate::from_der(authority.issuer.der()).unwrap(),
        ],
    );
    let mut store = KeyStore::new();
    store.add_entry("esp", KeyStoreEntry::PrivateKeyChain(chain));
    let p12 = store.writer("much secret").write().unwrap();
    let p12 = authority.file("client.p12", p12);
    let pfx = json!({"certType": "pfx", "p12": p12});
    assert_works(
        &broker,
        "localhost",
        pfx.clone(),
        std::slice::from_ref(&secret),
    )
    .await;
    assert_fails(&broker, "localhost", pfx, "its passphrase is another one").await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_t_be_used_is_told() {
    let authority = Authority::new();
    let broker = authority
        .broker(&authority.certify(&["localhost"], "x"), false)
        .await;
    let garbage = authority.file("garbage.pem", "no certificate");
    for (tls, expected) in [
        (
            json!({"cert": garbage}),
            "A certificate needs its private key",
        ),
        (
            json!({"ca": garbage}),
            "The authority's certificate is not in PEM",
        ),
        (
            json!({"ca": "/nowhere/ca.pem"}),
            "The file /nowhere/ca.pem can't be read",
        ),
        (
            json!({"certType": "env", "caEnv": "NOWHERE"}),
            "is not trusted here",
        ),
        (
            json!({"servername": "a b"}),
            "is no name that a server can have",
        ),
    ] {
        assert_fails(&broker, "localhost", tls, expected).await;
    }
    let scheme = "http:// leads to no MQTT broker";
    assert_fails(&broker, "http://localhost:{port}", json!({}), scheme).await;
    broker.stop().await;
}

/// `tests/it/data/version-1` was made with `openssl x509 -req`, which leaves the version at 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_version_1() {
    let file = |name: &str| {
        format!(
            "{}/tests/it/data/version-1/{name}",
            env!("CARGO_MANIFEST_DIR")
        )
    };
    let path = |name: &str| Path::new(&file(name)).to_owned();
    let tls = |authority: &str| TlsConfig {
        certificate: path("server.pem"),
        key: path("server.key"),
        client_authority: Some(authority.into()),
        client_certificate_required: true,
        client_name: None,
        plain_too: false,
    };
    let broker = broker_with(tls(&file("ca.pem"))).await;
    let own = json!({"ca": file("ca.pem"), "cert": file("client.pem"), "key": file("client.key")});
    assert_works(&broker, "localhost", own.clone(), &[]).await;
    assert_fails(&broker, "127.0.0.1", own.clone(), "another name").await;
    let other = Authority::new();
    let mut stranger = own.clone();
    stranger["ca"] = other.own().into();
    assert_fails(&broker, "localhost", stranger, "is not trusted here").await;
    let mut mixed = own.clone();
    mixed["key"] = file("server.key").into();
    assert_fails(&broker, "localhost", mixed, "do not fit together").await;
    broker.stop().await;
    let broker = broker_with(tls(&other.own())).await;
    assert_fails(&broker, "localhost", own, "Connection failed").await;
    broker.stop().await;
}
