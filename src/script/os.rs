//! What scripts may know of the machine (Node's `os`).

use std::{env::consts, fs};

use rquickjs::{Ctx, Object as JsObject, Result};

/// The facts under the names of Node's functions. Where the system does not tell, a number is 0 and a text is empty.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
pub(super) fn facts<'js>(ctx: Ctx<'js>) -> Result<JsObject<'js>> {
    let facts = JsObject::new(ctx.clone())?;
    let (kind, platform) = match consts::OS {
        "linux" => ("Linux", "linux"),
        "macos" => ("Darwin", "darwin"),
        "windows" => ("Windows_NT", "win32"),
        other => (other, other),
    };
    facts.set("type", kind)?;
    facts.set("platform", platform)?;
    facts.set("machine", consts::ARCH)?;
    facts.set(
        "arch",
        match consts::ARCH {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            "x86" => "ia32",
            other => other,
        },
    )?;
    facts.set("hostname", kernel("hostname"))?;
    facts.set("release", kernel("osrelease"))?;
    facts.set("uptime", numbers("/proc/uptime").first().copied())?;
    facts.set(
        "loadavg",
        numbers("/proc/loadavg").get(..3).map(<[f64]>::to_vec),
    )?;
    facts.set("totalmem", memory("MemTotal:"))?;
    facts.set("freemem", memory("MemAvailable:"))?;
    facts.set("homedir", std::env::var("HOME").unwrap_or_default())?;
    facts.set(
        "tmpdir",
        std::env::temp_dir().to_string_lossy().into_owned(),
    )?;
    facts.set(
        "endianness",
        if cfg!(target_endian = "big") {
            "BE"
        } else {
            "LE"
        },
    )?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    facts.set("cores", cores as u32)?;
    Ok(facts)
}

fn kernel(name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    text.trim().to_owned()
}

fn numbers(file: &str) -> Vec<f64> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace()
        .map_while(|part| part.parse().ok())
        .collect()
}

/// Bytes, of a line of /proc/meminfo.
fn memory(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes * 1024.0)
}
