//! Signals by their names, and how they reach a process and all that it has started.

use tokio::process::Child;

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Signal {
    name: &'static str,
}

impl Signal {
    pub(super) const TERMINATE: Self = Self { name: "SIGTERM" };
    pub(super) const KILL: Self = Self { name: "SIGKILL" };
}

#[cfg(unix)]
mod system {
    use rustix::process::{Pid, Signal as Raw, kill_process_group, test_kill_process_group};

    use super::{Child, Signal};

    const KNOWN: &[(&str, Raw)] = &[
        ("SIGHUP", Raw::HUP),
        ("SIGINT", Raw::INT),
        ("SIGQUIT", Raw::QUIT),
        ("SIGILL", Raw::ILL),
        ("SIGTRAP", Raw::TRAP),
        ("SIGABRT", Raw::ABORT),
        ("SIGIOT", Raw::ABORT),
        ("SIGBUS", Raw::BUS),
        ("SIGFPE", Raw::FPE),
        ("SIGKILL", Raw::KILL),
        ("SIGUSR1", Raw::USR1),
        ("SIGSEGV", Raw::SEGV),
        ("SIGUSR2", Raw::USR2),
        ("SIGPIPE", Raw::PIPE),
        ("SIGALRM", Raw::ALARM),
        ("SIGTERM", Raw::TERM),
        ("SIGCHLD", Raw::CHILD),
        ("SIGCONT", Raw::CONT),
        ("SIGSTOP", Raw::STOP),
        ("SIGTSTP", Raw::TSTP),
        ("SIGTTIN", Raw::TTIN),
        ("SIGTTOU", Raw::TTOU),
        ("SIGURG", Raw::URG),
        ("SIGXCPU", Raw::XCPU),
        ("SIGXFSZ", Raw::XFSZ),
        ("SIGVTALRM", Raw::VTALARM),
        ("SIGPROF", Raw::PROF),
        ("SIGWINCH", Raw::WINCH),
        ("SIGIO", Raw::IO),
        ("SIGSYS", Raw::SYS),
    ];

    impl Signal {
        /// The signal of this name, such as `SIGINT`.
        pub(in super::super) fn from_name(name: &str) -> Option<Self> {
            let (name, _) = KNOWN.iter().find(|(known, _)| *known == name)?;
            Some(Self { name })
        }

        /// The signal that ended a process, by its name.
        pub(in super::super) fn that_ended(
            status: std::process::ExitStatus,
        ) -> Option<&'static str> {
            use std::os::unix::process::ExitStatusExt;
            let number = status.signal()?;
            let known = KNOWN.iter().find(|(_, raw)| raw.as_raw() == number);
            Some(known.map_or("SIGUNKNOWN", |(name, _)| name))
        }

        /// Sends it to a process and all that it has started. One that is gone already is no error.
        pub(in super::super) fn send(self, child: &mut Child) {
            if let Some(id) = child.id() {
                self.send_to_group(id);
            }
        }

        /// As [`Signal::send`], for what the process has left behind.
        pub(in super::super) fn send_to_group(self, id: u32) {
            let raw = KNOWN.iter().find(|(name, _)| *name == self.name);
            let group = i32::try_from(id).ok().and_then(Pid::from_raw);
            if let (Some((_, raw)), Some(group)) = (raw, group)
                && test_kill_process_group(group).is_ok()
            {
                let _ = kill_process_group(group, *raw);
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Child, Signal};

    /// What Windows can do is to end a process; these names are taken for that.
    const KNOWN: &[&str] = &["SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT"];

    impl Signal {
        pub(in super::super) fn from_name(name: &str) -> Option<Self> {
            let name = KNOWN.iter().find(|known| **known == name)?;
            Some(Self { name })
        }

        pub(in super::super) fn that_ended(
            _status: std::process::ExitStatus,
        ) -> Option<&'static str> {
            None
        }

        pub(in super::super) fn send(self, child: &mut Child) {
            let _ = child.start_kill();
        }

        pub(in super::super) fn send_to_group(self, _id: u32) {}
    }
}
