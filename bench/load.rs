//! End-to-end load: publishes to `--to` (`bench/in`), reads `--from` (`bench/out`), and prints throughput, latency, loss and the CPU that the
//! watched processes took per message. It speaks MQTT 3.1.1 itself, so that its own cost stays small.
//!
//! `load --port 1883 --seconds 5 --qos 0 --rate 0 --window 256 --connections 1 --pad 100 --pids 12,34 --label name`
//! A rate of 0 is as fast as it goes with at most `window` messages under way.

// Its output is what it is for.
#![allow(clippy::print_stdout)]

use std::{
    collections::HashMap,
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

type Failure = Box<dyn Error + Send + Sync>;

/// How long the last messages may take to arrive.
const LAST_MESSAGES: Duration = Duration::from_secs(5);

struct Options {
    host: String,
    port: u16,
    seconds: f64,
    qos: u8,
    rate: f64,
    window: u64,
    connections: u64,
    pad: usize,
    to: String,
    from: String,
    pids: Vec<u32>,
    label: String,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut given = HashMap::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            given.insert(name, value);
        }
        let mut take =
            |name: &str, default: &str| given.remove(name).unwrap_or_else(|| default.to_owned());
        let options = Self {
            host: take("--host", "127.0.0.1"),
            port: take("--port", "1883").parse()?,
            seconds: take("--seconds", "5").parse()?,
            qos: take("--qos", "0").parse()?,
            rate: take("--rate", "0").parse()?,
            window: take("--window", "256").parse()?,
            connections: take("--connections", "1").parse()?,
            pad: take("--pad", "100").parse()?,
            to: take("--to", "bench/in"),
            from: take("--from", "bench/out"),
            pids: take("--pids", "")
                .split(',')
                .filter(|pid| !pid.is_empty())
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            label: take("--label", ""),
        };
        match given.keys().next() {
            Some(unknown) => Err(format!("unknown option {unknown}").into()),
            None => Ok(options),
        }
    }
}

/// How far sender and receiver are.
#[derive(Default)]
struct Progress {
    sent: AtomicU64,
    received: AtomicU64,
    sending: AtomicBool,
    moved: Mutex<()>,
    wake: Condvar,
}

impl Progress {
    fn under_way(&self) -> u64 {
        self.sent
            .load(Ordering::Acquire)
            .saturating_sub(self.received.load(Ordering::Acquire))
    }

    /// Waits, at most 100 ms, until less than half a window is under way.
    fn wait_for_room(&self, window: u64) {
        let Ok(guard) = self.moved.lock() else { return };
        if self.under_way() > window / 2 {
            drop(self.wake.wait_timeout(guard, Duration::from_millis(100)));
        }
    }
}

fn main() -> Result<(), Failure> {
    let options = Arc::new(Options::read()?);
    let progress = Arc::new(Progress::default());
    progress.sending.store(true, Ordering::Release);
    let epoch = Instant::now();
    let subscriber = connect(&options, "load-sub")?;
    subscribe(&subscriber, &options)?;
    let reader = {
        let progress = progress.clone();
        let qos = options.qos;
        thread::spawn(move || receive(subscriber, qos, epoch, &progress))
    };
    // One message through the whole way first, so that starting up is not measured.
    warm_up(&options, &progress, epoch)?;
    let cpu_before = cpu_seconds(&options.pids);
    let (sent_before, received_before) = (
        progress.sent.load(Ordering::Acquire),
        progress.received.load(Ordering::Acquire),
    );
    let began = Instant::now();
    let senders: Vec<_> = (0..options.connections)
        .map(|number| {
            let (options, progress) = (options.clone(), progress.clone());
            thread::spawn(move || send(&options, number, epoch, &progress))
        })
        .collect();
    thread::sleep(Duration::from_secs_f64(options.seconds).saturating_sub(began.elapsed()));
    let received_in_time = progress.received.load(Ordering::Acquire) - received_before;
    let elapsed = began.elapsed().as_secs_f64();
    for sender in senders {
        sender.join().map_err(|_| "a sender failed")??;
    }
    let last = Instant::now();
    while progress.under_way() > 0 && last.elapsed() < LAST_MESSAGES {
        thread::sleep(Duration::from_millis(10));
    }
    let cpu = cpu_seconds(&options.pids) - cpu_before;
    progress.sending.store(false, Ordering::Release);
    let mut latencies = reader.join().map_err(|_| "the receiver failed")??;
    let sent = progress.sent.load(Ordering::Acquire) - sent_before;
    let received = progress.received.load(Ordering::Acquire) - received_before;
    latencies.sort_unstable();
    let at = |part: f64| {
        latencies
            .get(((latencies.len() as f64 * part) as usize).min(latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0) as f64
            / 1000.0
    };
    println!(
        "{:<34} {:>9.0} msg/s  p50 {:>8.2}  p99 {:>8.2}  p99.9 {:>8.2} ms  lost {:>6}  {:>7.1} us CPU/msg  {:>6.1} MB",
        options.label,
        received_in_time as f64 / elapsed,
        at(0.5),
        at(0.99),
        at(0.999),
        sent.saturating_sub(received),
        if received > 0 {
            cpu * 1e6 / received as f64
        } else {
            0.0
        },
        memory_mb(&options.pids),
    );
    Ok(())
}

fn warm_up(options: &Options, progress: &Progress, epoch: Instant) -> Result<(), Failure> {
    let mut stream = connect(options, "load-warm")?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while progress.received.load(Ordering::Acquire) == 0 {
        if Instant::now() > deadline {
            return Err(format!(
                "nothing comes back from {}: does the flow run?",
                options.from
            )
            .into());
        }
        let mut packet = Vec::new();
        publish(&mut packet, options, 0, 0, epoch);
        stream.write_all(&packet)?;
        progress.sent.fetch_add(1, Ordering::AcqRel);
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_millis(200));
    // What of the first tries got lost before the flow ran is not part of the measurement.
    progress
        .sent
        .store(progress.received.load(Ordering::Acquire), Ordering::Release);
    Ok(())
}

fn send(
    options: &Options,
    number: u64,
    epoch: Instant,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut stream = connect(options, &format!("load-pub-{number}"))?;
    let mut acknowledgements = stream.try_clone()?;
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while matches!(acknowledgements.read(&mut buffer), Ok(count) if count > 0) {}
    });
    let mut packet = Vec::with_capacity(65_536);
    let mut id: u16 = 0;
    let began = Instant::now();
    let mut count: u64 = 0;
    while began.elapsed().as_secs_f64() < options.seconds {
        packet.clear();
        let mut batch = 0;
        if options.rate > 0.0 {
            let due =
                (began.elapsed().as_secs_f64() * options.rate / options.connections as f64) as u64;
            batch = due.saturating_sub(count);
            if batch == 0 {
                thread::sleep(Duration::from_micros(200));
                continue;
            }
        } else {
            progress.wait_for_room(options.window);
            let room = options.window.saturating_sub(progress.under_way()) / options.connections;
            batch = batch.max(room.min(1_000));
        }
        for _ in 0..batch {
            id = id.checked_add(1).unwrap_or(1);
            publish(&mut packet, options, options.qos, id, epoch);
        }
        count += batch;
        progress.sent.fetch_add(batch, Ordering::AcqRel);
        stream.write_all(&packet)?;
    }
    // Acknowledgements that are still on their way should find the socket open.
    thread::sleep(Duration::from_millis(500));
    Ok(())
}

/// Reads until sending is over, and returns the latencies in microseconds.
fn receive(
    mut stream: TcpStream,
    qos: u8,
    epoch: Instant,
    progress: &Progress,
) -> Result<Vec<u64>, Failure> {
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut latencies = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 262_144];
    let mut answer = Vec::new();
    while progress.sending.load(Ordering::Acquire) {
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the broker closed the receiver's connection".into()),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let now = epoch.elapsed().as_micros() as u64;
        let mut at = 0;
        let mut count = 0;
        answer.clear();
        while let Some((header, body, next)) = packet(&bytes, at) {
            at = next;
            if header >> 4 != 3 {
                continue;
            }
            let body = &bytes[body.0..body.1];
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            let mut payload = &body[2 + topic..];
            if (header >> 1) & 3 > 0 {
                answer.extend_from_slice(&[0x40, 2, payload[0], payload[1]]);
                payload = &payload[2..];
            }
            if let Some(sent) = sent_at(payload) {
                latencies.push(now.saturating_sub(sent));
            }
            count += 1;
        }
        bytes.drain(..at);
        if qos > 0 && !answer.is_empty() {
            stream.write_all(&answer)?;
        }
        progress.received.fetch_add(count, Ordering::AcqRel);
        if let Ok(_guard) = progress.moved.lock() {
            progress.wake.notify_all();
        }
    }
    Ok(latencies)
}

/// The packet that begins at `at`: its first byte, where its body lies, where the next begins.
fn packet(bytes: &[u8], at: usize) -> Option<(u8, (usize, usize), usize)> {
    let header = *bytes.get(at)?;
    let (mut length, mut place) = (0_usize, at + 1);
    for shift in [0, 7, 14, 21] {
        let byte = *bytes.get(place)?;
        place += 1;
        length |= usize::from(byte & 127) << shift;
        if byte & 128 == 0 {
            break;
        }
    }
    let end = place + length;
    (end <= bytes.len()).then_some((header, (place, end), end))
}

/// The sender's time in a payload: `"t":<microseconds>`.
fn sent_at(payload: &[u8]) -> Option<u64> {
    let start = payload.windows(4).position(|window| window == b"\"t\":")? + 4;
    let digits: Vec<u8> = payload[start..]
        .iter()
        .copied()
        .take_while(u8::is_ascii_digit)
        .collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

fn connect(options: &Options, name: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect((options.host.as_str(), options.port))?;
    stream.set_nodelay(true)?;
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0];
    text(&mut body, &format!("{name}-{}", std::process::id()));
    let mut packet = vec![0x10];
    length(&mut packet, body.len());
    packet.extend(body);
    stream.write_all(&packet)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    match answer {
        [0x20, 2, _, 0] => Ok(stream),
        other => Err(format!("the broker refused the connection: {other:?}").into()),
    }
}

fn subscribe(mut stream: &TcpStream, options: &Options) -> Result<(), Failure> {
    let mut body = vec![0, 1];
    text(&mut body, &options.from);
    body.push(options.qos);
    let mut packet = vec![0x82];
    length(&mut packet, body.len());
    packet.extend(body);
    stream.write_all(&packet)?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(())
}

fn publish(packet: &mut Vec<u8>, options: &Options, qos: u8, id: u16, epoch: Instant) {
    let payload = format!(
        "{{\"t\":{},\"c\":21.5,\"pad\":\"{}\"}}",
        epoch.elapsed().as_micros(),
        "x".repeat(options.pad)
    );
    packet.push(0x30 | (qos << 1));
    length(
        packet,
        2 + options.to.len() + if qos > 0 { 2 } else { 0 } + payload.len(),
    );
    text(packet, &options.to);
    if qos > 0 {
        packet.extend_from_slice(&id.to_be_bytes());
    }
    packet.extend_from_slice(payload.as_bytes());
}

fn text(packet: &mut Vec<u8>, text: &str) {
    packet.extend_from_slice(&(text.len() as u16).to_be_bytes());
    packet.extend_from_slice(text.as_bytes());
}

fn length(packet: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = (length & 127) as u8;
        length >>= 7;
        packet.push(if length > 0 { byte | 128 } else { byte });
        if length == 0 {
            return;
        }
    }
}

/// User and system time of all the processes so far (Linux: fields 14 and 15 of stat, in 1/100 s).
fn cpu_seconds(pids: &[u32]) -> f64 {
    let ticks = |pid: &u32| -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
    };
    pids.iter().filter_map(ticks).sum::<f64>() / 100.0
}

/// Resident memory of all the processes.
fn memory_mb(pids: &[u32]) -> f64 {
    let kilobytes = |pid: &u32| -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse()
                .ok()
        })
    };
    pids.iter().filter_map(kilobytes).sum::<f64>() / 1024.0
}
