//! How many files and connections this process may have open at once.

/// What else may be open: the store, the editor's connections, those of flows.
#[cfg(unix)]
const OTHERS: u64 = 1024;

/// Has the system allow as many as these connections of the broker need. The usual 1,024 are a default that programs may raise up
/// to the system's own limit; where that is too low, too, the log says it.
pub fn allow_connections(connections: usize) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let needed = connections as u64 + OTHERS;
        if limit.current.is_none_or(|current| current >= needed) {
            return;
        }
        let most = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        let raised = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(most),
                ..limit
            },
        );
        let have = match raised {
            Ok(()) => Some(most),
            Err(_) => limit.current,
        };
        if let Some(have) = have.filter(|have| *have < needed) {
            tracing::warn!(
                "The system lets this process open {have} files and connections at once, and the broker may need {needed} \
                 (max_connections): raise the limit (ulimit -n, LimitNOFILE=), or there will be fewer connections"
            );
        }
    }
    #[cfg(not(unix))]
    let _ = connections;
}
