//! Clients whose certificate is their name.

use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    },
};

use super::wire::{Wire, config, connect, login, publish, user};
use crate::{
    broker::{
        AccessConfig, BoundListeners, Broker, BrokerConfig, CertificateName, ListenerConfig, Rule,
        TlsConfig,
    },
    store::BrokerStore,
};

/// An authority, and what it has signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self {
            issuer: issuer.unwrap(),
        }
    }

    fn sign(&self, host: &[String], name: Option<&str>) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(host).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// TLS for a broker in this folder.
    fn tls(&self, folder: &Path, required: bool) -> TlsConfig {
        let (certificate, key) = self.sign(&["localhost".to_owned()], None);
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        TlsConfig {
            certificate: file("server.pem", certificate.pem()),
            key: file("server.key", key.serialize_pem()),
            client_authority: Some(file("ca.pem", self.issuer.pem())),
            client_certificate_required: required,
            client_name: Some(CertificateName::CommonName),
            plain_too: false,
        }
    }

    /// A connection of a client with a certificate of this name, or without one.
    async fn open(&self, broker: &Broker, name: Option<Option<&str>>) -> Wire {
        let mut roots = RootCertStore::empty();
        let own: &CertificateDer<'static> = self.issuer.der();
        roots.add(own.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let client = match name {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let (certificate, key) = self.sign(&[], name);
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                builder
                    .with_client_auth_cert(vec![certificate.der().clone()], key)
                    .unwrap()
            }
        };
        let stream = TcpStream::connect(broker.address().unwrap()).await.unwrap();
        let server = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        Wire::over(connector.connect(server, stream).await.unwrap())
    }
}

/// Everybody may do everything below a topic of his own name.
fn own_topics() -> AccessConfig {
    AccessConfig {
        users: [("ann".to_owned(), user("pw"))].into(),
        everybody: vec![Rule {
            deny: false,
            actions: serde_json::from_str(r#"["publish", "subscribe", "receive"]"#).unwrap(),
            topic: "of/%u/#".into(),
        }],
        ..AccessConfig::default()
    }
}

fn with_tls(tls: TlsConfig) -> BrokerConfig {
    let mut config = BrokerConfig {
        access: own_topics(),
        ..config()
    };
    let listener = config.listeners.remove(0);
    config.listeners = vec![ListenerConfig {
        tls: Some(tls),
        ..listener
    }];
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_a_name_with_its_rights() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let config = with_tls(authority.tls(folder.path(), false));
    let broker = Broker::start(config).await.unwrap();

    // Neither the name that it gives itself nor the password counts.
    let mut device = authority.open(&broker, Some(Some("device 7"))).await;
    device.send(&login("d", true, b"ann", b"wrong")).await;
    assert_eq!(device.next().await, (0x20, vec![0, 0]));
    assert_eq!(broker.clients()[0].user.as_deref(), Some("device 7"));
    device.subscribe("of/device 7/#", 0).await;
    device
        .send(&publish("of/ann/x", b"not allowed", 0, 0))
        .await;
    device
        .send(&publish("of/device 7/x", b"allowed", 0, 0))
        .await;
    assert_eq!(device.message().await.3, b"allowed");
    // New rules, and another user's end, leave it where it is.
    broker.set_access(AccessConfig {
        users: [].into(),
        ..own_topics()
    });
    device.send(&publish("of/device 7/x", b"still", 0, 0)).await;
    assert_eq!(device.message().await.3, b"still");
    broker.set_access(own_topics());

    // Without a certificate, or with one that names nobody, a password is needed.
    for name in [None, Some(None)] {
        for (packet, code) in [
            (connect("c", true), 5),
            (login("c", true, b"ann", b"wrong"), 4),
            (login("c", true, b"ann", b"pw"), 0),
        ] {
            let mut client = authority.open(&broker, name).await;
            client.send(&packet).await;
            assert_eq!(client.next().await, (0x20, vec![0, code]));
        }
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_session_is_there_after_a_restart() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let data = tempfile::tempdir().unwrap();
    let tls = authority.tls(folder.path(), true);
    for present in [0, 1] {
        let config = with_tls(tls.clone());
        let bound = BoundListeners::bind(config.listeners.clone()).unwrap();
        let store = BrokerStore::open(data.path()).unwrap();
        let broker = Broker::open(config, bound, Some(store)).unwrap();
        let mut device = authority.open(&broker, Some(Some("device 7"))).await;
        device.send(&connect("d", false)).await;
        assert_eq!(device.next().await, (0x20, vec![present, 0]));
        device.subscribe("of/device 7/#", 1).await;
        // It is nobody else's, whatever identifier he gives.
        if present == 1 {
            let mut other = authority.open(&broker, Some(Some("device 8"))).await;
            other.send(&connect("d", false)).await;
            assert_eq!(other.next().await, (0x20, vec![0, 0]));
        }
        broker.stop().await;
    }
}
