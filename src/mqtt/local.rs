//! Serves a connection from the built-in broker, without a socket. Each node listens on a session of its own, so that a
//! slow one holds up no other; what is published goes through the connection's session, which also holds the will.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesOrdered};

use super::{
    Broker,
    connection::{Outgoing, PublishFailure},
    driver::{Driver, End, Todo},
    session::LocalSession,
    subscription::Subscriber,
};
use crate::broker::LocalError;

/// Publications that wait for the broker at once; more wait in the connection's queue.
const IN_FLIGHT: usize = 512;
/// Publications that are taken at once.
const BATCH: usize = 64;
/// How long the last messages may take when disconnecting.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until somebody wants an end or the broker stops.
pub(super) async fn serve(driver: &mut Driver, broker: &Broker) -> End {
    // No will: this side ends together with the broker, or in good order.
    let session = match LocalSession::open(broker, &driver.options.client_id) {
        Ok(session) => session,
        Err(error) => return End::Lost(error.to_string()),
    };
    for subscriber in &driver.subscribers {
        begin(&session, subscriber);
    }
    if let Some(birth) = &driver.options.birth {
        let _ = session.publish(birth).await;
    }
    driver.connected();
    let end = pass_on(driver, &session).await;
    let wanted = !matches!(end, End::Lost(_));
    if wanted && let Some(close) = &driver.options.close {
        let _ = tokio::time::timeout(LAST_WORDS, session.publish(close)).await;
    }
    drop(session);
    for subscriber in &driver.subscribers {
        subscriber.set_session(None);
    }
    end
}

async fn pass_on(driver: &mut Driver, session: &LocalSession) -> End {
    let mut in_flight = FuturesOrdered::new();
    let mut batch: Vec<Outgoing> = Vec::with_capacity(BATCH);
    // It subscribes to nothing, so what comes can only be the end.
    let mut nothing = Vec::new();
    let end = loop {
        tokio::select! {
            biased;
            op = driver.inbox.next() => match driver.take(op) {
                Todo::End(end) => break end,
                Todo::Listen(subscriber) => begin(session, &subscriber),
                Todo::Leave(subscriber) => subscriber.set_session(None),
                Todo::Subscribe(subscriber, filter, options) => {
                    if let Some(own) = subscriber.session() {
                        // What was published before comes before.
                        while in_flight.len() < IN_FLIGHT && let Ok(outgoing) = driver.outgoing.try_recv() {
                            in_flight.push_back(publish(session, outgoing));
                        }
                        own.settled().await;
                        // The filter was checked when it was given, and an ended session comes back with all of them.
                        let _ = own.subscribe(&filter, options);
                    }
                }
                Todo::Unsubscribe(subscriber, filter) => {
                    if let Some(session) = subscriber.session() {
                        session.unsubscribe(&filter);
                    }
                }
                Todo::Nothing => {}
            },
            Some((outgoing, result)) = in_flight.next(), if !in_flight.is_empty() => {
                finish(outgoing, result);
            }
            count = driver.outgoing.recv_many(&mut batch, BATCH), if in_flight.len() < IN_FLIGHT => {
                if count == 0 {
                    break End::Close;
                }
                for outgoing in batch.drain(..) {
                    in_flight.push_back(publish(session, outgoing));
                }
            }
            is_open = session.next_batch(&mut nothing, 1) => {
                nothing.clear();
                if !is_open {
                    break End::Lost("The built-in broker has ended the session".into());
                }
            }
        }
    };
    // What was handed over before the end is published before it.
    let last = async {
        while let Some((outgoing, result)) = in_flight.next().await {
            finish(outgoing, result);
        }
        if !matches!(end, End::Lost(_)) {
            while let Ok(outgoing) = driver.outgoing.try_recv() {
                let (outgoing, result) = publish(session, outgoing).await;
                finish(outgoing, result);
            }
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, last).await;
    end
}

type Taken = Result<(), LocalError>;

fn publish(
    session: &LocalSession,
    outgoing: Outgoing,
) -> impl Future<Output = (Outgoing, Taken)> + use<> {
    let taken = session.publish(&outgoing.publication);
    async move { (outgoing, taken.await) }
}

fn finish(outgoing: Outgoing, result: Taken) {
    outgoing.end(result.map_err(|error| PublishFailure::Refused(error.to_string())));
}

/// Gives a node its session, subscribed to all its filters.
fn begin(main: &LocalSession, subscriber: &Subscriber) {
    let Ok(session) = main.sibling(&subscriber.name) else {
        // The connection itself hears of the same thing, and says so.
        return subscriber.set_session(None);
    };
    for (filter, options) in subscriber.filters_to_subscribe() {
        let _ = session.subscribe(&filter, options);
    }
    subscriber.set_session(Some(Arc::new(session)));
}
