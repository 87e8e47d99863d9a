//! `flowrill import …`: takes over the configuration of Mosquitto.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{CANNOT, Places, complain, say};
use crate::{
    broker::AccessFile,
    import::mosquitto::{Imported, import},
    settings::{FILE_NAME, Flags},
    store::{DataFolder, write_whole},
};

/// What is to be imported.
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// A mosquitto.conf; the files that it names are imported with it
    #[arg(required_unless_present_any = ["passwords", "acl"])]
    file: Option<PathBuf>,
    /// A password file of Mosquitto
    #[arg(long, value_name = "FILE")]
    passwords: Option<PathBuf>,
    /// An ACL file of Mosquitto
    #[arg(long, value_name = "FILE")]
    acl: Option<PathBuf>,
    /// Only show what would come of it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    places: Places,
}

impl ImportOptions {
    /// Where settings and data folder are looked for.
    pub fn flags(&mut self) -> Flags {
        std::mem::take(&mut self.places).flags()
    }
}

/// Imports into the data folder. The exit code: 0, or 2 when it could not be done.
pub fn run_import(options: &ImportOptions, data: &Path) -> u8 {
    match change(options, data) {
        Ok(()) => 0,
        Err(reason) => {
            complain(reason);
            CANNOT
        }
    }
}

fn change(options: &ImportOptions, data: &Path) -> Result<(), String> {
    let imported = import(
        options.file.as_deref(),
        options.passwords.as_deref(),
        options.acl.as_deref(),
    )
    .map_err(|error| error.to_string())?;
    let file = AccessFile::of(data);
    let access = merged(&file, &imported)?;
    let settings = data.join(FILE_NAME);
    let is_new = !settings.exists();
    if !options.dry_run {
        DataFolder::make(data).map_err(|error| {
            format!(
                "The data folder {} can't be made: {error}. Choose another one with --data",
                data.display()
            )
        })?;
        if !imported.settings.is_empty() && is_new {
            write_whole(&settings, imported.settings.as_bytes())
                .map_err(|error| error.to_string())?;
        }
        file.write(&access).map_err(|error| error.to_string())?;
    }
    report(&imported, &settings, is_new, options.dry_run);
    if !options.dry_run {
        crate::startup::tell_running(data);
    }
    Ok(())
}

/// The users and rules there are, with those that are imported.
fn merged(file: &AccessFile, imported: &Imported) -> Result<crate::broker::AccessConfig, String> {
    let mut access = file.read().map_err(|error| error.to_string())?;
    for (name, user) in &imported.access.users {
        if access.users.get(name).is_some_and(|known| known != user) {
            return Err(format!(
                "There is a user \"{name}\" already, with another password or other rules; remove it first (flowrill mqtt user remove {name}). Nothing was imported"
            ));
        }
    }
    let fresh = access.under(&imported.access);
    access = fresh;
    let mut seen = Vec::new();
    access.everybody.retain(|rule| {
        let is_new = !seen.contains(rule);
        seen.push(rule.clone());
        is_new
    });
    access.check()?;
    Ok(access)
}

fn report(imported: &Imported, settings: &Path, is_new: bool, dry_run: bool) {
    let mut out = String::new();
    let mut list = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            out.push_str(title);
            out.push('\n');
            for line in lines {
                out.push_str(&format!("  {line}\n"));
            }
        }
    };
    list(
        match dry_run {
            true => "Would be taken over:",
            false => "Taken over:",
        },
        &imported.taken,
    );
    list("Not taken over:", &imported.left);
    if !imported.settings.is_empty() {
        let where_to = settings.display();
        match (is_new, dry_run) {
            (true, false) => out.push_str(&format!("Settings were written to {where_to}\n")),
            (true, true) => out.push_str(&format!("For {where_to}:\n\n{}", imported.settings)),
            (false, _) => out.push_str(&format!(
                "{where_to} is there already and stays as it is. Add this to it:\n\n{}",
                imported.settings
            )),
        }
    }
    say(out.trim_end());
}
