//! Tests of the broker through its own doors: clients in this process, and bytes on a socket.

mod access;
mod attacks;
mod certificates;
mod comeback;
mod delivery;
mod exchange_5;
mod inspect;
mod limits;
mod listeners;
mod local;
mod persistence;
mod system;
mod version_5;
mod wire;
