//! Nodes that read, write and watch files.

mod file;
mod file_in;
mod file_reader;
mod file_writer;
mod watch;
mod watched;

pub(super) use file::File;
pub(super) use file_in::FileIn;
pub(super) use watch::Watch;
