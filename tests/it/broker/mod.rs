//! The broker as the standards want it: exchanges of packets over a socket, and the table of what they show.

mod notation;
mod run;
mod table;

use notation::{Exchange, read};

const FILES: [(&str, &str); 6] = [
    ("connect", include_str!("exchanges/connect.txt")),
    ("publish", include_str!("exchanges/publish.txt")),
    ("subscribe", include_str!("exchanges/subscribe.txt")),
    ("sessions", include_str!("exchanges/sessions.txt")),
    ("properties", include_str!("exchanges/properties.txt")),
    ("malformed", include_str!("exchanges/malformed.txt")),
];

fn exchanges() -> Vec<Exchange> {
    FILES
        .iter()
        .flat_map(|(name, text)| read(name, text))
        .collect()
}

async fn play(name: &str) {
    let (_, text) = FILES.iter().find(|(file, _)| *file == name).unwrap();
    let mut wrong = Vec::new();
    for exchange in read(name, text) {
        assert!(
            !exchange.shows.is_empty(),
            "{}: for which version?",
            exchange.title
        );
        for (version, _) in &exchange.shows {
            if let Err(error) = run::play(&exchange, *version).await {
                wrong.push(format!("{} ({version:?}): {error}", exchange.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}.txt\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connecting() {
    play("connect").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing() {
    play("publish").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribing() {
    play("subscribe").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions() {
    play("sessions").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn properties() {
    play("properties").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed() {
    play("malformed").await;
}

#[test]
fn the_table_says_what_is_shown() {
    table::check(&exchanges());
}
