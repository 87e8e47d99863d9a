//! rumqttc at MQTT 3.1.1 and 5: what each exchange does is the same, so the versions are behind one [`Client`].

mod client;
mod v4;
mod v5;

use std::{collections::BTreeSet, fs, sync::Arc};

use futures_util::future::join_all;
use rumqttc::{TlsConfiguration, Transport};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value as Json;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::place::Place;
use client::{Client, Options, Version, Way};

const LARGE: usize = 5 << 20;

/// A version and a way in, after which everything is named.
struct Round {
    version: Version,
    way: Way,
}

impl Round {
    fn name(&self, rest: &str) -> String {
        format!("{:?}{}/{rest}", self.version, self.way.name)
    }

    fn options(&self, id: &str) -> Options {
        Options {
            way: self.way.clone(),
            id: self.name(id),
            lasting: false,
            steady: false,
            will: None,
        }
    }

    async fn client(&self, id: &str) -> Client {
        Client::connect(self.version, self.options(id)).await.0
    }

    async fn lasting(&self, id: &str) -> (Client, bool) {
        let options = Options {
            lasting: true,
            ..self.options(id)
        };
        Client::connect(self.version, options).await
    }

    async fn exchange(&self) {
        self.every_qos_and_size().await;
        self.retained().await;
        self.wills().await;
        self.sessions().await;
    }

    async fn every_qos_and_size(&self) {
        let (mut from, mut to) = (self.client("from").await, self.client("to").await);
        let large = vec![b'x'; LARGE];
        for granted in 0..3 {
            let topic = self.name(&format!("qos/{granted}"));
            to.subscribe(&topic, granted).await;
            for qos in 0..3 {
                for payload in [&b""[..], b"21", &large] {
                    from.publish(&topic, payload, qos, false).await;
                    to.gets("published", &topic, payload, qos.min(granted), false)
                        .await;
                }
            }
        }
        from.leave().await;
        to.leave().await;
    }

    async fn retained(&self) {
        let mut from = self.client("from").await;
        let topic = self.name("kept");
        let large = vec![b'k'; LARGE];
        from.publish(&topic, &large, 1, true).await;
        let mut late = self.client("late").await;
        late.subscribe(&topic, 2).await;
        late.gets("retained", &topic, &large, 1, true).await;
        from.publish(&topic, b"", 2, true).await;
        late.gets("no longer retained", &topic, b"", 2, false).await;
        let mut last = self.client("last").await;
        last.subscribe(&topic, 2).await;
        from.publish(&topic, b"now", 0, false).await;
        last.gets("nothing was retained", &topic, b"now", 0, false)
            .await;
    }

    async fn wills(&self) {
        let mut watcher = self.client("watcher").await;
        let topic = self.name("will");
        watcher.subscribe(&topic, 2).await;
        for qos in 0..3 {
            let willing = |id| Options {
                will: Some((topic.clone(), b"gone".to_vec(), qos, false)),
                ..self.options(id)
            };
            let (polite, _) = Client::connect(self.version, willing("polite")).await;
            polite.leave().await;
            let (mut lost, _) = Client::connect(self.version, willing("lost")).await;
            lost.publish(&topic, b"before", 2, false).await;
            drop(lost);
            watcher
                .gets("no will before it", &topic, b"before", 2, false)
                .await;
            watcher.gets("a will", &topic, b"gone", qos, false).await;
        }
    }

    async fn sessions(&self) {
        let topic = self.name("session");
        let (mut sleeper, present) = self.lasting("sleeper").await;
        assert!(!present);
        sleeper.subscribe(&topic, 2).await;
        sleeper.leave().await;
        let mut from = self.client("from").await;
        for number in 0..20 {
            from.publish(&topic, &[number], 1 + number % 2, false).await;
        }
        let (mut sleeper, present) = self.lasting("sleeper").await;
        assert!(present);
        for number in 0..20 {
            sleeper
                .gets("waited", &topic, &[number], 1 + number % 2, false)
                .await;
        }
        sleeper.leave().await;
        let mut anew = self.client("sleeper").await;
        from.publish(&topic, b"nobody", 1, false).await;
        anew.subscribe(&topic, 1).await;
        from.publish(&topic, b"somebody", 1, false).await;
        anew.gets("subscribed anew", &topic, b"somebody", 1, false)
            .await;
    }
}

fn rounds(ways: &Json) -> Vec<Round> {
    let place = |name: &str| {
        let (host, port) = ways[name].as_str().unwrap().rsplit_once(':').unwrap();
        (host.to_owned(), port.parse::<u16>().unwrap())
    };
    let certificate = fs::read(ways["ca"].as_str().unwrap()).unwrap();
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(&certificate).unwrap();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = || TlsConfiguration::Rustls(Arc::new(config.clone()));
    let way = |name, at: &str, scheme: Option<(&str, &str)>, transport| {
        let (host, port) = place(at);
        let url = |(scheme, path)| format!("{scheme}://{host}:{port}{path}");
        Way {
            name,
            host: scheme.map_or_else(|| host.clone(), url),
            port,
            transport,
            login: at == "http",
        }
    };
    let ways = [
        way("tcp", "tcp", None, Transport::Tcp),
        way("tls", "tls", None, Transport::Tls(tls())),
        way("ws", "tcp", Some(("ws", "/")), Transport::Ws),
        way("wss", "tls", Some(("wss", "/any")), Transport::Wss(tls())),
        way("http", "http", Some(("ws", "/mqtt")), Transport::Ws),
    ];
    let versions = [Version::V4, Version::V5].into_iter();
    versions
        .flat_map(|version| {
            ways.clone()
                .into_iter()
                .map(move |way| Round { version, way })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rumqttc_exchanges() {
    let place = Place::start().await;
    let rounds = rounds(&place.ways);
    join_all(rounds.iter().map(Round::exchange)).await;
}

/// Sessions with 5 MB in them, and clients that connect again by themselves, with messages of QoS 2 under way to the broker.
#[tokio::test(flavor = "multi_thread")]
async fn rumqttc_through_restarts() {
    let mut place = Place::start_behind_relays().await;
    let rounds = rounds(&place.ways);
    let large = vec![b'x'; LARGE];
    let mut steady = Vec::new();
    for round in &rounds {
        let (mut sleeper, _) = round.lasting("sleeper").await;
        sleeper.subscribe(&round.name("for/sleeper"), 2).await;
        sleeper.leave().await;
        let options = |id| Options {
            lasting: true,
            steady: true,
            ..round.options(id)
        };
        let (mut to, _) = Client::connect(round.version, options("to")).await;
        let (by, _) = Client::connect(round.version, options("by")).await;
        // rumqttc forgets at a lost connection which messages of QoS 2 it has received, and cannot go on at a PUBREL for one.
        to.subscribe(&round.name("steady"), 1).await;
        steady.push((to, by));
    }
    for (part, how) in ["stop", "kill"].into_iter().enumerate() {
        for (round, (_, by)) in rounds.iter().zip(&mut steady) {
            let mut from = round.client("from").await;
            let topic = round.name("for/sleeper");
            // A session keeps 8 MiB at most.
            let payload = [&large[..], b"small"][part];
            from.publish(&topic, payload, 1 + part as u8, false).await;
            from.publish(&round.name("kept"), payload, 1, true).await;
            from.leave().await;
            for number in 0..40 {
                by.begin(&round.name("steady"), &[part as u8 * 40 + number], 2, false);
            }
        }
        place.restart(how).await;
    }
    for (round, (mut to, mut by)) in rounds.iter().zip(steady) {
        let topic = round.name("for/sleeper");
        let (mut sleeper, present) = round.lasting("sleeper").await;
        assert!(present, "{topic}");
        sleeper.gets("waited", &topic, &large, 1, false).await;
        sleeper.gets("waited", &topic, b"small", 2, false).await;
        let mut late = round.client("late").await;
        late.subscribe(&round.name("kept"), 1).await;
        late.gets("retained", &round.name("kept"), b"small", 1, true)
            .await;
        by.published(80).await;
        let mut got = BTreeSet::new();
        while got.len() < 80 {
            got.insert(to.message().await.1[0]);
        }
        assert_eq!(got, (0..80).collect());
    }
}
