//! Takes over what people have from other programs.

pub mod mosquitto;
