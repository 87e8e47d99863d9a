//! How clients acknowledge what they get, rightly and wrongly.

use super::{
    play::{Client, Play},
    steps::{Ack, CLIENTS, packet_id},
    wire::{V5, packet},
};

impl Play<'_> {
    pub async fn acknowledge(&mut self, client: usize, ack: &Ack) {
        match ack {
            Ack::Right(which) => {
                self.acknowledge_one(client, usize::from(*which)).await;
            }
            Ack::All => while self.acknowledge_one(client, 0).await {},
            Ack::Refuse(which) => {
                let Client {
                    connection: Some(connection),
                    session,
                    ..
                } = &mut self.clients[client]
                else {
                    return;
                };
                let mut ids: Vec<u16> = connection
                    .open
                    .iter()
                    .filter(|(_, open)| open.qos == 2 && !open.received)
                    .map(|(id, _)| *id)
                    .collect();
                ids.sort_unstable();
                let Some(id) = ids.get(usize::from(*which) % ids.len().max(1)).copied() else {
                    return;
                };
                // Only MQTT 5 has a way to say so.
                if connection.level == V5 {
                    connection.open.remove(&id);
                    session.exchanges.remove(&id);
                    let [high, low] = id.to_be_bytes();
                    self.send(client, &packet(0x50, &[high, low, 0x80])).await;
                }
            }
            Ack::Any { kind, id } => {
                let Client {
                    connection: Some(connection),
                    session,
                    ..
                } = &mut self.clients[client]
                else {
                    return;
                };
                let id = packet_id(*id);
                session.disturbed = true;
                connection.open.remove(&id);
                session.exchanges.remove(&id);
                let first = [0x40, 0x50, 0x70][usize::from(*kind) % 3];
                if first == 0x50 {
                    session.expect('s', id);
                }
                self.send(client, &packet(first, &id.to_be_bytes())).await;
            }
        }
    }

    /// Does what comes next for one of the open messages; false if there is none.
    pub async fn acknowledge_one(&mut self, client: usize, which: usize) -> bool {
        let Client {
            connection: Some(connection),
            session,
            ..
        } = &mut self.clients[client]
        else {
            return false;
        };
        let releasing = connection.releasing.iter().map(|id| (*id, 0x70));
        let open = connection.open.iter().filter(|(_, open)| !open.received);
        let open = open.map(|(id, open)| (*id, if open.qos == 1 { 0x40 } else { 0x50 }));
        let mut due: Vec<(u16, u8)> = releasing.chain(open).collect();
        due.sort_unstable();
        let Some((id, first)) = due.get(which % due.len().max(1)).copied() else {
            return false;
        };
        match first {
            0x50 => {
                session.expect('s', id);
                if let Some(open) = connection.open.get_mut(&id) {
                    open.received = true;
                }
            }
            0x70 => {
                connection.releasing.retain(|one| *one != id);
                connection.open.remove(&id);
            }
            _ => drop(connection.open.remove(&id)),
        }
        self.send(client, &packet(first, &id.to_be_bytes())).await;
        true
    }

    /// True if anything came.
    pub async fn acknowledge_all(&mut self) -> bool {
        let heard = |play: &Self| -> usize {
            let connections = play
                .clients
                .iter()
                .filter_map(|client| client.connection.as_ref());
            connections.map(|connection| connection.messages).sum()
        };
        let before = heard(self);
        let mut any = false;
        for client in 0..CLIENTS {
            while self.acknowledge_one(client, 0).await {
                any = true;
            }
        }
        self.settle().await;
        any || heard(self) > before
    }
}
