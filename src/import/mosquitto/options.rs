//! Every option of `mosquitto.conf` (2.0 and 2.1), and what it is here. The importer and docs/from-mosquitto.md read this list.

use std::fmt::Write;

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is taken over, as this.
    As(&'static str),
    /// It needs no counterpart: why.
    Needless(&'static str),
    /// It is not taken over: why, or what to do instead.
    Without(&'static str),
}

use Fate::{As, Needless, Without};

const PSK: &str = "there is no TLS by shared key: use certificates, or users and passwords";
const PLUGIN: &str =
    "there are no plugins: users, roles and rules are built in, and flows do the rest";
const OPENSSL: &str = "the TLS library decides: TLS 1.2 and 1.3, with sound ciphers only";
const LOG: &str =
    "the log goes to standard error, which systemd and containers collect; log = sets how much";

/// By name.
pub(super) const OPTIONS: &[(&str, Fate)] = &[
    (
        "accept_protocol_versions",
        Without("all versions are taken everywhere"),
    ),
    (
        "acl_file",
        As("rules in `mqtt-access.json` (`flowrill mqtt acl`)"),
    ),
    (
        "address",
        As("`address` of a bridge; the first one, if there are several"),
    ),
    (
        "addresses",
        As("`address` of a bridge; the first one, if there are several"),
    ),
    (
        "allow_anonymous",
        As("`anonymous` of a listener; on the network only with `auth = \"none\"`"),
    ),
    (
        "allow_duplicate_messages",
        Needless("each client gets a message once"),
    ),
    (
        "allow_zero_length_clientid",
        Needless("clients without an identifier get one, as the standard says"),
    ),
    ("auth_plugin", Without(PLUGIN)),
    (
        "auth_plugin_deny_special_chars",
        Needless("whoever has + or # in the name gets nothing by a pattern"),
    ),
    (
        "auto_id_prefix",
        Needless("identifiers that are made up begin with auto-"),
    ),
    (
        "autosave_interval",
        Without(
            "what is acknowledged is on the disk at once; `persistence = \"relaxed\"` writes every half a minute",
        ),
    ),
    (
        "autosave_on_changes",
        Without(
            "what is acknowledged is on the disk at once; `persistence = \"relaxed\"` writes every half a minute",
        ),
    ),
    ("bind_address", As("`address` of a listener")),
    (
        "bind_interface",
        Without("give the interface's address to the listener"),
    ),
    (
        "bridge_alpn",
        Without("bridges ask for no protocol by ALPN"),
    ),
    (
        "bridge_attempt_unsubscribe",
        Needless("a bridge unsubscribes nothing that it has not subscribed"),
    ),
    (
        "bridge_bind_address",
        Without("the system chooses the address that a bridge comes from"),
    ),
    ("bridge_cafile", As("`tls.authority` of a bridge")),
    (
        "bridge_capath",
        Without("give one file with all authorities as `tls.authority`"),
    ),
    ("bridge_certfile", As("`tls.certificate` of a bridge")),
    ("bridge_identity", Without(PSK)),
    ("bridge_insecure", As("`tls.insecure` of a bridge")),
    ("bridge_keyfile", As("`tls.key` of a bridge")),
    (
        "bridge_max_packet_size",
        Without("the other broker says what it takes"),
    ),
    ("bridge_max_topic_alias", Needless("bridges use no aliases")),
    (
        "bridge_outgoing_retain",
        Without("messages keep their retain flag over a bridge"),
    ),
    (
        "bridge_protocol_version",
        As("`protocol` of a bridge; 3.1 becomes 3.1.1"),
    ),
    ("bridge_psk", Without(PSK)),
    (
        "bridge_receive_maximum",
        Needless("a bridge takes 20 messages at once"),
    ),
    (
        "bridge_reload_type",
        Needless("SIGHUP restarts the bridges that have changed, and no others"),
    ),
    (
        "bridge_require_ocsp",
        Without("certificates are not looked up"),
    ),
    (
        "bridge_session_expiry_interval",
        Without("a bridge's session at the other broker stays for good, unless `clean = true`"),
    ),
    (
        "bridge_tls_use_os_certs",
        Needless("without an authority those of the system count"),
    ),
    ("bridge_tls_version", Without(OPENSSL)),
    (
        "cafile",
        As("`tls.client_authority` of a listener, if clients are to show certificates"),
    ),
    (
        "capath",
        Without("give one file with all authorities as `tls.client_authority`"),
    ),
    ("certfile", As("`tls.certificate` of a listener")),
    (
        "check_retain_source",
        Needless("who may no longer publish a retained message loses it, always"),
    ),
    ("ciphers", Without(OPENSSL)),
    ("ciphers_tls1.3", Without(OPENSSL)),
    ("cleansession", As("`clean` of a bridge")),
    ("clientid", As("`client_id` of a bridge")),
    (
        "clientid_prefixes",
        Without("rules with %c say what a client of a name may do"),
    ),
    ("connection", As("`[[broker.bridges]]` and its `name`")),
    (
        "connection_messages",
        Without("set log = \"warn\" to hear less"),
    ),
    (
        "crlfile",
        Without("certificates that were called back are not known; use a shorter life"),
    ),
    ("dhparamfile", Without(OPENSSL)),
    ("global_max_clients", As("`max_sessions`")),
    ("global_max_connections", As("`max_connections`")),
    ("global_plugin", Without(PLUGIN)),
    (
        "http_dir",
        Without("the broker serves no files; the editor's port does"),
    ),
    (
        "idle_timeout",
        Without("a bridge is connected as long as it is there"),
    ),
    ("include_dir", As("what stands in its files")),
    ("keepalive_interval", As("`keep_alive` of a bridge")),
    ("keyfile", As("`tls.key` of a listener")),
    ("listener", As("`[[broker.listeners]]`")),
    (
        "listener_allow_anonymous",
        As("`anonymous` of a listener; on the network only with `auth = \"none\"`"),
    ),
    (
        "listener_auto_id_prefix",
        Needless("identifiers that are made up begin with auto-"),
    ),
    (
        "local_cleansession",
        Without("messages wait for a bridge that is away"),
    ),
    (
        "local_clientid",
        Needless("a bridge is called bridge/NAME here"),
    ),
    (
        "local_password",
        Needless("a bridge needs no password here"),
    ),
    (
        "local_username",
        Needless("a bridge needs no user here; the role flows holds for it"),
    ),
    ("log_dest", Without(LOG)),
    ("log_facility", Without(LOG)),
    ("log_timestamp", Without(LOG)),
    ("log_timestamp_format", Without(LOG)),
    ("log_type", Without(LOG)),
    (
        "max_connections",
        As("`max_connections`, for all listeners together"),
    ),
    (
        "max_inflight_bytes",
        Without("what is unacknowledged is limited in number (`max_inflight`)"),
    ),
    ("max_inflight_messages", As("`max_inflight`")),
    ("max_keepalive", As("`max_keep_alive`")),
    ("max_packet_size", As("`max_packet_size`")),
    (
        "max_qos",
        Without("every listener takes every quality of service"),
    ),
    ("max_queued_bytes", As("`offline_bytes`")),
    ("max_queued_messages", As("`offline_messages`")),
    ("max_topic_alias", Needless("clients may set 64 aliases")),
    (
        "max_topic_alias_broker",
        Needless("the broker sets as many as a client takes, up to 64"),
    ),
    ("memory_limit", As("`max_memory`, for messages that wait")),
    (
        "message_size_limit",
        As("`max_packet_size`, with a little more for the packet around the payload"),
    ),
    (
        "mount_point",
        Without("topics are the same at all listeners; rules keep clients apart"),
    ),
    ("notification_topic", As("`notification_topic` of a bridge")),
    (
        "notifications",
        Without("`$SYS/broker/connection/NAME/state` tells of a bridge, always"),
    ),
    (
        "notifications_local_only",
        Needless("only `notification_topic` is told to the other broker"),
    ),
    (
        "packet_buffer_size",
        Needless("what is read at once grows with what comes"),
    ),
    ("password", As("`password` of a bridge")),
    (
        "password_file",
        As("users in `mqtt-access.json` (`flowrill mqtt user`)"),
    ),
    (
        "per_listener_settings",
        Without(
            "users and rules are the same at all listeners: those of all files are taken together",
        ),
    ),
    (
        "persistence",
        Without("what outlives a connection outlives a restart, too"),
    ),
    (
        "persistence_file",
        Without("the data folder holds everything (--data)"),
    ),
    (
        "persistence_location",
        Without("the data folder holds everything (--data)"),
    ),
    (
        "persistent_client_expiration",
        Without(
            "sessions of MQTT 3 stay until `max_sessions` is reached; MQTT 5 clients name an expiry",
        ),
    ),
    (
        "pid_file",
        Needless("the data folder's lock names the process"),
    ),
    ("plugin", Without(PLUGIN)),
    ("plugin_load", Without(PLUGIN)),
    ("plugin_use", Without(PLUGIN)),
    ("port", As("`address` of a listener")),
    ("protocol", As("`websocket` of a listener")),
    ("proxy_protocol_v2", Without("there is no PROXY protocol")),
    (
        "proxy_protocol_v2_require_tls",
        Without("there is no PROXY protocol"),
    ),
    ("psk_file", Without(PSK)),
    ("psk_hint", Without(PSK)),
    (
        "queue_qos0_messages",
        Without("messages of QoS 0 do not wait for clients that are away"),
    ),
    ("remote_clientid", As("`client_id` of a bridge")),
    ("remote_password", As("`password` of a bridge")),
    ("remote_username", As("`user` of a bridge")),
    (
        "require_certificate",
        As("`tls.client_certificate_required` of a listener"),
    ),
    (
        "restart_timeout",
        Without("a bridge tries again every five seconds"),
    ),
    (
        "retain_available",
        Without("messages can be retained; `max_retained` limits them"),
    ),
    (
        "retain_expiry_interval",
        Without("retained messages stay until they are cleared; MQTT 5 publishers name an expiry"),
    ),
    (
        "retained_persistence",
        Without("retained messages outlive a restart"),
    ),
    (
        "retry_interval",
        Needless("messages are sent again when a client comes back, as the standard says"),
    ),
    ("round_robin", Without("a bridge has one address")),
    (
        "set_tcp_nodelay",
        Needless("small packets are never held back"),
    ),
    (
        "socket_domain",
        Without("give an address of IPv4 or IPv6 to the listener"),
    ),
    (
        "start_type",
        Without("bridges start with the broker, and stay"),
    ),
    (
        "store_clean_interval",
        Needless("nothing is left to be cleaned"),
    ),
    (
        "sys_interval",
        Needless("`$SYS` is told every 10 seconds, to those who have subscribed"),
    ),
    (
        "threshold",
        Without("a bridge is connected as long as it is there"),
    ),
    ("tls_engine", Without(OPENSSL)),
    ("tls_engine_kpass_sha1", Without(OPENSSL)),
    ("tls_keyform", Without(OPENSSL)),
    ("tls_version", Without(OPENSSL)),
    ("topic", As("`[[broker.bridges.topics]]`")),
    (
        "try_private",
        Needless("messages do not come back over the bridge that they have crossed"),
    ),
    (
        "upgrade_outgoing_qos",
        Without("the lower quality of service counts, as the standard says"),
    ),
    (
        "use_identity_as_username",
        As("`tls.client_name = \"common-name\"` of a listener"),
    ),
    (
        "use_subject_as_username",
        As("`tls.client_name = \"subject\"` of a listener"),
    ),
    (
        "use_username_as_clientid",
        Without("a session belongs to its user anyway"),
    ),
    (
        "user",
        Without("start Flowrill as the user that it is to run as"),
    ),
    ("username", As("`user` of a bridge")),
    (
        "websockets_headers_size",
        Needless("the headers of a WebSocket have a limit"),
    ),
    ("websockets_log_level", Without(LOG)),
    ("websockets_origin", As("`origins` of a listener")),
];

/// What becomes of an option; none: it is not one of Mosquitto's.
pub(super) fn fate(name: &str) -> Option<Fate> {
    if name.starts_with("auth_opt_") || name.starts_with("plugin_opt_") {
        return Some(Without(PLUGIN));
    }
    let place = OPTIONS
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()?;
    Some(OPTIONS[place].1)
}

/// docs/from-mosquitto.md.
pub fn document() -> String {
    let mut out = String::from(
        "# From Mosquitto\n\n\
        ```\nflowrill import /etc/mosquitto/mosquitto.conf          # with what it includes, its passwords and rules\n\
        flowrill import --dry-run /etc/mosquitto/mosquitto.conf # only shows what would come of it\n\
        flowrill import --passwords passwd --acl aclfile        # only users and rules\n```\n\n\
        Listeners, limits and bridges go to `flowrill.toml` in the data folder. If there is one already it stays as it is, and the piece to add is \
        shown instead. Users and rules go to `mqtt-access.json`, passwords as the hashes that they are. The command says what it took over, what it did not \
        and why, and does nothing at all if it does not understand something.\n\n\
        Three things differ:\n\n\
        - **Who may come in**: on the network nobody without a name, unless you start Flowrill with `--auth none`. `allow_anonymous true` is taken over \
        for this machine only.\n\
        - **Rules before the first `user` line** are for clients without a name, as in Mosquitto: the role `anonymous` here.\n\
        - **Users and rules are the same at all listeners.**\n\n\
        ## Every option\n\n| mosquitto.conf | here |\n|---|---|\n",
    );
    for (name, fate) in OPTIONS {
        let text = match fate {
            As(text) | Needless(text) | Without(text) => text,
        };
        let mark = match fate {
            As(_) => "",
            Needless(_) => "*not needed*: ",
            Without(_) => "*not taken over*: ",
        };
        let _ = writeln!(out, "| `{name}` | {mark}{text} |");
    }
    let _ = writeln!(
        out,
        "| `auth_opt_…`, `plugin_opt_…` | *not taken over*: {PLUGIN} |"
    );
    out
}
