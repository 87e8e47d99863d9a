//! Takes an address to listen on, or says who may have it and which one is free.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
};

use tokio::net::TcpListener;

use super::StartError;
use crate::broker::{At, BrokerError, ListenError};

/// Listens on `address`, which was set by `option` (`--http` or `--mqtt`).
///
/// # Errors
/// When the address is taken or may not be used.
pub fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, StartError> {
    bind(address).map_err(|error| address_error(&error, address, option))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    // A restart must not wait for the connections of the run before. On Windows this would share the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// The sentence for an address that could not be taken.
pub fn address_error(error: &io::Error, address: SocketAddr, option: &'static str) -> StartError {
    if error.kind() != io::ErrorKind::AddrInUse {
        let mut reason = error.to_string();
        if error.kind() == io::ErrorKind::PermissionDenied && address.port() < 1024 {
            reason = "ports below 1024 are kept for the system's administrator".into();
        }
        return StartError::Address {
            address,
            reason,
            option,
        };
    }
    let mut free = address;
    free.set_port(free_port(address));
    let (who, advice) = match option {
        "--mqtt" => (
            "another MQTT broker such as Mosquitto",
            format!("--mqtt {free}, or run without the built-in broker with --no-broker"),
        ),
        _ => ("another Flowrill or Node-RED", format!("{option} {free}")),
    };
    StartError::InUse {
        address,
        who,
        advice,
    }
}

/// The sentence for a broker that does not start.
pub fn broker_error(error: BrokerError) -> StartError {
    match error {
        BrokerError::Listen(ListenError::AddressInUse(At::Tcp(address))) => {
            address_error(&io::ErrorKind::AddrInUse.into(), address, "--mqtt")
        }
        BrokerError::Listen(ListenError::Listen(At::Tcp(address), error)) => {
            address_error(&error, address, "--mqtt")
        }
        other => StartError::Other(other.to_string()),
    }
}

/// The next port that nobody listens on; 0, which lets the system choose, when there is none near.
fn free_port(address: SocketAddr) -> u16 {
    let near = (1..=20).filter_map(|step| address.port().checked_add(step));
    near.into_iter()
        .find(|port| StdListener::bind(SocketAddr::new(address.ip(), *port)).is_ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_said_with_a_free_one() {
        let taken = listen("127.0.0.1:0".parse().unwrap(), "--http").unwrap();
        let address = taken.local_addr().unwrap();
        let http = listen(address, "--http").unwrap_err().to_string();
        assert!(
            http.contains(&format!("The address {address} is in use")),
            "{http}"
        );
        assert!(http.contains("--http 127.0.0.1:"), "{http}");
        let mqtt = listen(address, "--mqtt").unwrap_err().to_string();
        assert!(
            mqtt.contains("--no-broker") && mqtt.contains("Mosquitto"),
            "{mqtt}"
        );
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_refused() {
        let error = listen("203.0.113.1:0".parse().unwrap(), "--http").unwrap_err();
        assert!(error.to_string().ends_with("with --http"), "{error}");
    }
}
