//! A Flowrill that clients can reach in every way there is.

use std::{fmt::Write, fs, path::PathBuf};

use flowrill::broker::hash_password;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value as Json, json};

use super::relay::Relay;
use crate::support::process::Flowrill;

/// A running Flowrill with a listener for everybody, one of them with TLS, and a user `ann`. It can be started anew.
pub(super) struct Place {
    folder: tempfile::TempDir,
    running: Flowrill,
    /// Where it is: `tcp`, `tls` and `http` are addresses, `ca` is the file with the authority's certificate.
    pub(super) ways: Json,
    relays: Vec<Relay>,
}

impl Place {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path().to_owned());
        let password = hash_password(b"right").unwrap();
        let mut settings = format!(
            "[broker]\nmax_failed_logins = 0\n\
             [broker.users.ann]\npassword = \"{password}\"\n"
        );
        for tls in [
            "",
            "tls = { certificate = \"server.pem\", key = \"server.key\" }",
        ] {
            write!(
                settings,
                "[[broker.listeners]]\naddress = \"127.0.0.1:0\"\nanonymous = true\n{tls}\n"
            )
            .unwrap();
        }
        fs::write(folder.path().join("flowrill.toml"), settings).unwrap();
        // Fewer than there will be connections.
        let running = Flowrill::start_narrow(folder.path(), &OPTIONS, 256);
        let mut place = Self {
            folder,
            running,
            ways: Json::Null,
            relays: Vec::new(),
        };
        place.ways = place.look().await;
        place
    }

    /// The same behind addresses that stay the same when it is started anew.
    pub(super) async fn start_behind_relays() -> Self {
        let mut place = Self::start().await;
        for way in WAYS {
            let relay = Relay::start(place.address(way)).await;
            place.ways[way] = relay.address.to_string().into();
            place.relays.push(relay);
        }
        place
    }

    fn address(&self, way: &str) -> String {
        self.ways[way].as_str().unwrap().to_owned()
    }

    /// Where the running one is.
    async fn look(&self) -> Json {
        let url = format!("{}/flowrill/broker", self.running.http);
        let answer = reqwest::get(url).await.unwrap();
        let overview: Json = answer.json().await.unwrap();
        let listeners = overview["listeners"].as_array().unwrap();
        let for_all = |tls: bool| {
            let mut found = listeners.iter();
            let found = found.find(|one| one["anonymous"] == true && one["tls"] == tls);
            found.unwrap()["at"].clone()
        };
        json!({
            "tcp": for_all(false),
            "tls": for_all(true),
            "http": self.running.http.strip_prefix("http://"),
            "ca": self.folder.path().join("ca.pem"),
        })
    }

    /// Stops it, or kills it, and starts it again.
    pub(super) async fn restart(&mut self, how: &str) {
        match how {
            "stop" => assert!(self.running.stop().success()),
            "kill" => self.running.kill(),
            other => panic!("what is {other}?"),
        }
        self.running = Flowrill::start_narrow(self.folder.path(), &OPTIONS, 256);
        let ways = self.look().await;
        for (way, relay) in WAYS.into_iter().zip(&self.relays) {
            relay.lead_to(ways[way].as_str().unwrap());
        }
    }
}

const OPTIONS: [&str; 3] = ["--no-sample", "--log", "warn"];

/// What has an address.
const WAYS: [&str; 3] = ["tcp", "tls", "http"];

/// Makes an authority, and a certificate for this machine.
fn certify(folder: PathBuf) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Another name than the server's, which would be taken for one that has signed itself.
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "Workshop");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(names).unwrap();
    let server = params.signed_by(&key, &authority).unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}
