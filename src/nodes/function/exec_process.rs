//! A process that runs for an exec node: what it writes, how it ends, and that nothing of it is left behind.

use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::{Notify, mpsc},
};

use super::exec_signal::Signal;
use crate::engine::NodeContext;

/// A piece of output is at most so long.
const CHUNK: usize = 65_536;
/// How long a process that is asked to end may take before it is made to.
const GRACE: Duration = Duration::from_secs(2);

/// Which of its two outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stream {
    Out,
    Err,
}

impl Stream {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }
}

/// What is done with the output.
#[derive(Clone, Copy)]
pub(super) enum Reading {
    /// Kept until the end; a process that writes more than this is ended.
    Collect(usize),
    /// Handed on as it comes.
    Pass,
}

/// What comes back to the node.
pub(super) enum ProcessEvent {
    Wrote {
        id: u32,
        stream: Stream,
        bytes: Vec<u8>,
    },
    Ended {
        id: u32,
        end: End,
    },
}

/// How a process ended.
#[derive(Default)]
pub(super) struct End {
    /// None if a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) signal: Option<&'static str>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// It wrote more here than it may.
    pub(super) too_much: Option<Stream>,
}

/// A way to send signals to a running process.
pub(super) struct Process {
    signals: mpsc::UnboundedSender<Signal>,
}

impl Process {
    pub(super) fn signal(&self, signal: Signal) {
        // It may have ended just now.
        let _ = self.signals.send(signal);
    }
}

/// Starts processes, and ends those that still run.
pub(super) struct Processes {
    home: mpsc::UnboundedSender<Child>,
    homecoming: mpsc::UnboundedReceiver<Child>,
}

impl Default for Processes {
    fn default() -> Self {
        let (home, homecoming) = mpsc::unbounded_channel();
        Self { home, homecoming }
    }
}

impl Processes {
    /// Starts a process, in a group of its own so that what it starts can be ended with it. Returns its number as well.
    ///
    /// # Errors
    /// The system's: there is no such program, it may not be run.
    pub(super) fn start(
        &self,
        mut command: Command,
        reading: Reading,
        limit: Option<Duration>,
        ctx: &NodeContext,
    ) -> io::Result<(u32, Process)> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        let id = child.id().unwrap_or_default();
        let (sender, signals) = mpsc::unbounded_channel();
        let supervised = Supervised {
            child: Some(child),
            home: self.home.clone(),
        };
        let node = ctx.clone();
        ctx.spawn(async move {
            let end = supervised.run(id, reading, limit, signals, &node).await;
            node.post(Box::new(ProcessEvent::Ended { id, end }));
        });
        Ok((id, Process { signals: sender }))
    }

    /// Ends all that still run, once the node's own tasks have let go of them.
    pub(super) async fn end_all(self) {
        let Self {
            home,
            mut homecoming,
        } = self;
        drop(home);
        let mut left = Vec::new();
        while let Some(mut child) = homecoming.recv().await {
            let id = child.id();
            Signal::TERMINATE.send(&mut child);
            left.push((id, child));
        }
        let all_end =
            futures_util::future::join_all(left.iter_mut().map(|(_, child)| child.wait()));
        // Whether in time or not: what is still there goes now.
        let _ = tokio::time::timeout(GRACE, all_end).await;
        for (id, mut child) in left {
            if let Some(id) = id {
                Signal::KILL.send_to_group(id);
            }
            let _ = child.start_kill();
            let _ = child.wait().await;
        }
    }
}

/// A child that goes home to its node when the task that watches over it is ended before the child is.
struct Supervised {
    child: Option<Child>,
    home: mpsc::UnboundedSender<Child>,
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if let Some(child) = self.child.take()
            && let Err(mpsc::error::SendError(mut child)) = self.home.send(child)
        {
            // Nobody is at home: the node failed.
            Signal::KILL.send(&mut child);
        }
    }
}

impl Supervised {
    async fn run(
        mut self,
        id: u32,
        reading: Reading,
        limit: Option<Duration>,
        mut signals: mpsc::UnboundedReceiver<Signal>,
        ctx: &NodeContext,
    ) -> End {
        let Some(child) = &mut self.child else {
            return End::default();
        };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let too_much = Notify::new();
        let output = async {
            let out = read(stdout, id, Stream::Out, reading, &too_much, ctx);
            let err = read(stderr, id, Stream::Err, reading, &too_much, ctx);
            tokio::join!(out, err)
        };
        tokio::pin!(output);
        let time_is_up = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_up);
        let mut timed = true;
        let mut written = None;
        // All output first: the process is not forgotten by the system before it is waited for, so its number is its own
        // as long as signals are sent.
        loop {
            tokio::select! {
                biased;
                Some(signal) = signals.recv() => signal.send(child),
                () = &mut time_is_up, if timed => {
                    timed = false;
                    Signal::TERMINATE.send(child);
                }
                () = too_much.notified() => Signal::TERMINATE.send(child),
                output = &mut output, if written.is_none() => written = Some(output),
                status = child.wait(), if written.is_some() => {
                    let status = status.ok();
                    self.child = None;
                    let ((stdout, out_over), (stderr, err_over)) = written.unwrap_or_default();
                    return End {
                        code: status.and_then(|status| status.code()),
                        signal: status.and_then(Signal::that_ended),
                        stdout,
                        stderr,
                        too_much: out_over.then_some(Stream::Out).or(err_over.then_some(Stream::Err)),
                    };
                }
            }
        }
    }
}

/// Reads an output to its end. Returns what was kept, and whether there was more than may be.
async fn read(
    pipe: Option<impl AsyncRead + Unpin>,
    id: u32,
    stream: Stream,
    reading: Reading,
    too_much: &Notify,
    ctx: &NodeContext,
) -> (Vec<u8>, bool) {
    let (mut kept, mut over) = (Vec::new(), false);
    let Some(mut pipe) = pipe else {
        return (kept, over);
    };
    let mut chunk = Vec::new();
    loop {
        if let Reading::Pass = reading {
            // The process waits, too, while its flow has no room.
            ctx.ready().await;
        }
        chunk.reserve(CHUNK);
        match pipe.read_buf(&mut chunk).await {
            Ok(0) | Err(_) => return (kept, over),
            Ok(_) => {}
        }
        match reading {
            Reading::Pass => ctx.post(Box::new(ProcessEvent::Wrote {
                id,
                stream,
                bytes: std::mem::take(&mut chunk),
            })),
            Reading::Collect(most) => {
                let room = most - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room && !over {
                    over = true;
                    too_much.notify_one();
                }
                chunk.clear();
            }
        }
    }
}
