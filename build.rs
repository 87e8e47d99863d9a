//! Builds the editor in `web/` when it is stale, so that `cargo run` alone gives a complete Flowrill.
//!
//! A stamp in `web/dist` names the sources it was built from: nothing is built twice, whatever happened to the files' times.
//! `FLOWRILL_SKIP_WEB=1` builds the binary with the editor that is there, or with a page that says that there is none.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is how a build script talks to cargo and to the person who builds"
)]

use std::{
    collections::hash_map::DefaultHasher,
    fs::{self, File},
    hash::Hasher,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, SystemTime},
};

/// What the editor is built from; folders with all that is in them.
const SOURCES: [&str; 9] = [
    "web/src",
    "web/public",
    "web/scripts/size.mjs",
    "web/index.html",
    "web/package.json",
    "web/package-lock.json",
    "web/vite.config.ts",
    "web/svelte.config.js",
    "web/tsconfig.json",
];
const INDEX: &str = "web/dist/index.html";
const STAMP: &str = "web/dist/.sources";

const PLACEHOLDER: &str = "<!doctype html>
<meta charset=\"utf-8\">
<title>Flowrill</title>
<p>This Flowrill was built without its editor. Its HTTP interface works.
To get the editor, build it again without FLOWRILL_SKIP_WEB and with Node.js installed.</p>
";

const NO_NPM: &str = "The editor in web/ has to be built, and npm was not found.
Install Node.js 20.19 or newer, which has npm with it: https://nodejs.org, or `apt install nodejs npm` on Debian and Ubuntu.
To build without the editor, set FLOWRILL_SKIP_WEB=1.";

fn main() -> ExitCode {
    println!("cargo:rerun-if-env-changed=FLOWRILL_SKIP_WEB");
    // The node folders are part of the binary.
    println!("cargo:rerun-if-changed=nodes");
    println!("cargo:rerun-if-changed={INDEX}");
    for path in SOURCES.iter().filter(|path| Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={path}");
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}\n");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let skip = std::env::var("FLOWRILL_SKIP_WEB").is_ok_and(|value| !matches!(&*value, "" | "0"));
    // A packaged crate has no web/; neither has it npm's files.
    if skip || !Path::new("web/package-lock.json").exists() || !Path::new("web/index.html").exists()
    {
        return placeholder().map_err(|error| format!("{INDEX} can't be written: {error}"));
    }
    let sources = fingerprint().map_err(|error| format!("web/ can't be read: {error}"))?;
    if Path::new(INDEX).exists() && fs::read_to_string(STAMP).is_ok_and(|stamp| stamp == sources) {
        return Ok(());
    }
    if newer(
        "web/package-lock.json",
        "web/node_modules/.package-lock.json",
    ) {
        npm(&["ci", "--no-audit", "--no-fund"])?;
    }
    npm(&["run", "build"])?;
    if !Path::new(INDEX).exists() {
        return Err(format!(
            "`npm run build` in web/ went well, but made no {INDEX}"
        ));
    }
    fs::write(STAMP, sources).map_err(|error| format!("{STAMP} can't be written: {error}"))?;
    backdate();
    Ok(())
}

fn placeholder() -> io::Result<()> {
    if !Path::new(INDEX).exists() {
        fs::create_dir_all("web/dist")?;
        fs::write(INDEX, PLACEHOLDER)?;
        backdate();
    }
    Ok(())
}

/// Cargo runs this script again when a file that it watches is newer than the script's last start. What the script
/// itself has written must not count.
fn backdate() {
    let before = SystemTime::now() - Duration::from_secs(24 * 3600);
    // If this fails the script runs once more than it has to.
    let _ = File::options()
        .append(true)
        .open(INDEX)
        .and_then(|file| file.set_modified(before));
}

fn npm(arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let run = Command::new(program)
        .args(arguments)
        .current_dir("web")
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NO_NPM.into()),
        Err(error) => return Err(format!("npm can't be run: {error}. {NO_NPM}")),
    };
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "`npm {}` in web/ failed; it needs Node.js 20.19 or newer, and `npm ci` needs the network. It said:\n{}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// Whether `one` is newer than `other`, or `other` is missing.
fn newer(one: &str, other: &str) -> bool {
    let time = |path: &str| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    time(other).is_none_or(|other| time(one).is_some_and(|one| one > other))
}

/// Names what the sources are now.
fn fingerprint() -> io::Result<String> {
    let mut files = Vec::new();
    for path in SOURCES {
        list(Path::new(path), &mut files)?;
    }
    files.sort();
    let mut hash = DefaultHasher::new();
    for path in files {
        hash.write(path.to_string_lossy().as_bytes());
        hash.write(&[0]);
        let bytes = fs::read(&path)?;
        hash.write_usize(bytes.len());
        hash.write(&bytes);
    }
    Ok(format!("{:016x}\n", hash.finish()))
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            list(&entry?.path(), files)?;
        }
    } else if path.exists() {
        files.push(path.to_owned());
    }
    Ok(())
}
