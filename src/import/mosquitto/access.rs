//! Mosquitto's password and ACL files.

use std::path::Path;

use super::{
    ImportError, Imported,
    lines::{Place, text},
};
use crate::broker::{Action, NAMELESS, Rule, User, hash_password, is_hash};

/// Adds the users of a password file.
///
/// # Errors
/// A line is none of a password file, or a user is there twice with different passwords.
pub(super) fn add_passwords(file: &Path, imported: &mut Imported) -> Result<(), ImportError> {
    let mut count = 0;
    for (number, line) in text(file)?.lines().enumerate() {
        let place = Place {
            file: file.to_owned(),
            line: number + 1,
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, password)) = line.split_once(':').filter(|(name, _)| !name.is_empty())
        else {
            return Err(place.error("this is no line of a password file, which is user:password"));
        };
        // Some have not been through mosquitto_passwd -U.
        let password = match is_hash(password) {
            true => password.to_owned(),
            false => hash_password(password.as_bytes()).map_err(|reason| place.error(&reason))?,
        };
        let user = imported.access.users.entry(name.to_owned());
        let known = user.or_insert_with(|| User {
            password: password.clone(),
            roles: Vec::new(),
            rules: Vec::new(),
        });
        match &*known.password {
            "" => known.password = password,
            same if same == password => {}
            _ => {
                return Err(place.error(&format!(
                    "the user \"{name}\" has another password elsewhere; here all listeners have the same users"
                )));
            }
        }
        count += 1;
    }
    imported
        .taken
        .push(format!("{}: {count} users", file.display()));
    Ok(())
}

/// Adds the rules of an ACL file.
///
/// # Errors
/// A line is none of an ACL file, or it is about a user who is not there.
pub(super) fn add_rules(file: &Path, imported: &mut Imported) -> Result<(), ImportError> {
    let mut user: Option<String> = None;
    let mut count = 0;
    for (number, line) in text(file)?.lines().enumerate() {
        let place = Place {
            file: file.to_owned(),
            line: number + 1,
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (kind, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let rest = rest.trim();
        match kind {
            "user" if !rest.is_empty() => {
                if !imported.access.users.contains_key(rest) {
                    return Err(place.error(&format!(
                        "there is no user \"{rest}\"; import the password file as well"
                    )));
                }
                user = Some(rest.to_owned());
                continue;
            }
            "topic" | "pattern" if !rest.is_empty() => {}
            _ => {
                return Err(place.error(
                    "this is no line of an ACL file, which are user …, topic … and pattern …",
                ));
            }
        }
        let rule = rule(rest);
        rule.check().map_err(|reason| place.error(&reason))?;
        count += 1;
        let rules = match (&user, kind) {
            (_, "pattern") => &mut imported.access.everybody,
            (Some(name), _) => match imported.access.users.get_mut(name) {
                Some(user) => &mut user.rules,
                None => continue,
            },
            // Mosquitto means those who come without a name.
            (None, _) => imported.access.roles.entry(NAMELESS.into()).or_default(),
        };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if count == 0 {
        return Err(ImportError(format!(
            "{} has no rules in it: for Mosquitto nobody may do anything then, and here everybody may do everything. Leave the file out if you mean that",
            file.display()
        )));
    }
    imported
        .taken
        .push(format!("{}: {count} rules", file.display()));
    Ok(())
}

fn rule(text: &str) -> Rule {
    let read = vec![Action::Subscribe, Action::Receive];
    let all = vec![Action::Publish, Action::Subscribe, Action::Receive];
    let (first, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let (deny, actions) = match first {
        "read" => (false, read),
        "write" => (false, vec![Action::Publish]),
        "readwrite" => (false, all),
        "deny" => (true, all),
        // Without a word for it both are allowed, and a topic may have blanks.
        _ => {
            return Rule {
                deny: false,
                actions: all,
                topic: text.to_owned(),
            };
        }
    };
    Rule {
        deny,
        actions,
        topic: rest.trim().to_owned(),
    }
}
