//! `flowrill mqtt …`: users and rules of the broker, in the file of the data folder. A Flowrill that runs there hears of it.

use std::{
    io::{self, BufRead, IsTerminal},
    path::Path,
};

use clap::{Args, Subcommand};

use super::{CANNOT, Places, complain, say};
use crate::{
    broker::{AccessConfig, AccessFile, Action, Rule, User, hash_password},
    settings::Flags,
    store::DataFolder,
};

/// Users and rules of the broker.
#[derive(Debug, Subcommand)]
pub enum MqttCommand {
    /// Who may connect
    #[command(subcommand)]
    User(UserCommand),
    /// What they may do: as soon as there is one rule, only what a rule allows may be done
    #[command(subcommand)]
    Acl(AclCommand),
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List the users
    List(Places),
    /// Add a user; the password is asked for, or read from standard input
    Add {
        name: String,
        #[command(flatten)]
        places: Places,
    },
    /// Give a user another password; connections with the old one end
    Passwd {
        name: String,
        #[command(flatten)]
        places: Places,
    },
    /// Remove a user; its connections end
    Remove {
        name: String,
        #[command(flatten)]
        places: Places,
    },
    /// Give a user these roles and no others
    Roles {
        name: String,
        roles: Vec<String>,
        #[command(flatten)]
        places: Places,
    },
}

#[derive(Debug, Subcommand)]
pub enum AclCommand {
    /// List the rules
    List(Places),
    /// Add a rule
    Add {
        #[command(flatten)]
        whose: Whose,
        /// Deny it instead: that counts before everything that allows
        #[arg(long)]
        deny: bool,
        /// To publish
        #[arg(long, alias = "publish")]
        write: bool,
        /// To subscribe and to receive
        #[arg(long)]
        read: bool,
        /// A topic filter; %u stands for the user's name, %c for the client identifier
        topic: String,
        #[command(flatten)]
        places: Places,
    },
    /// Remove the rules about a topic filter
    Remove {
        #[command(flatten)]
        whose: Whose,
        topic: String,
        #[command(flatten)]
        places: Places,
    },
}

/// Whose rules.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// Of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Of everybody who has this role; the role "flows" is that of the flows in this process
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// Of everybody, those without a name included
    #[arg(long)]
    everybody: bool,
}

impl MqttCommand {
    /// Where settings and data folder are looked for.
    pub fn flags(&mut self) -> Flags {
        let places = match self {
            Self::User(
                UserCommand::List(places)
                | UserCommand::Add { places, .. }
                | UserCommand::Passwd { places, .. }
                | UserCommand::Remove { places, .. }
                | UserCommand::Roles { places, .. },
            )
            | Self::Acl(
                AclCommand::List(places)
                | AclCommand::Add { places, .. }
                | AclCommand::Remove { places, .. },
            ) => places,
        };
        std::mem::take(places).flags()
    }
}

/// Carries a command out on the file in `data`. `fixed` is what stands in the settings, which is only shown. The exit code: 0,
/// or 2 when it could not be done.
pub fn mqtt(command: MqttCommand, data: &Path, fixed: &AccessConfig) -> u8 {
    match change(command, data, fixed) {
        Ok(()) => 0,
        Err(reason) => {
            complain(reason);
            CANNOT
        }
    }
}

fn change(command: MqttCommand, data: &Path, fixed: &AccessConfig) -> Result<(), String> {
    let file = AccessFile::of(data);
    let mut access = file.read().map_err(|error| error.to_string())?;
    match command {
        MqttCommand::User(UserCommand::List(_)) => {
            list_users(&access.under(fixed));
            return Ok(());
        }
        MqttCommand::Acl(AclCommand::List(_)) => {
            list_rules(&access.under(fixed));
            return Ok(());
        }
        MqttCommand::User(user) => change_user(user, &mut access, fixed)?,
        MqttCommand::Acl(acl) => change_rules(acl, &mut access)?,
    }
    access.check()?;
    DataFolder::make(data).map_err(|error| {
        format!(
            "The data folder {} can't be made: {error}. Choose another one with --data",
            data.display()
        )
    })?;
    file.write(&access).map_err(|error| error.to_string())?;
    crate::startup::tell_running(data);
    Ok(())
}

fn change_user(
    command: UserCommand,
    access: &mut AccessConfig,
    fixed: &AccessConfig,
) -> Result<(), String> {
    let known = |access: &AccessConfig, name: &str| match access.users.contains_key(name) {
        true => Ok(()),
        false if fixed.users.contains_key(name) => Err(format!(
            "The user \"{name}\" stands in the settings file; change it there"
        )),
        false => Err(format!(
            "There is no user \"{name}\"; flowrill mqtt user list shows them all"
        )),
    };
    match command {
        UserCommand::List(_) => {}
        UserCommand::Add { name, .. } => {
            if access.users.contains_key(&name) || fixed.users.contains_key(&name) {
                return Err(format!(
                    "There is a user \"{name}\" already; flowrill mqtt user passwd {name} gives it another password"
                ));
            }
            if name.is_empty() {
                return Err("A user needs a name".into());
            }
            let user = User {
                password: read_password()?,
                roles: Vec::new(),
                rules: Vec::new(),
            };
            access.users.insert(name, user);
        }
        UserCommand::Passwd { name, .. } => {
            known(access, &name)?;
            let password = read_password()?;
            if let Some(user) = access.users.get_mut(&name) {
                user.password = password;
            }
        }
        UserCommand::Remove { name, .. } => {
            known(access, &name)?;
            access.users.remove(&name);
        }
        UserCommand::Roles { name, roles, .. } => {
            known(access, &name)?;
            for role in &roles {
                if !fixed.roles.contains_key(role) {
                    access.roles.entry(role.clone()).or_default();
                }
            }
            if let Some(user) = access.users.get_mut(&name) {
                user.roles = roles;
            }
        }
    }
    Ok(())
}

fn change_rules(command: AclCommand, access: &mut AccessConfig) -> Result<(), String> {
    match command {
        AclCommand::List(_) => Ok(()),
        AclCommand::Add {
            whose,
            deny,
            write,
            read,
            topic,
            ..
        } => {
            let mut actions = Vec::new();
            if write || !read {
                actions.push(Action::Publish);
            }
            if read || !write {
                actions.extend([Action::Subscribe, Action::Receive]);
            }
            let rule = Rule {
                deny,
                actions,
                topic,
            };
            rule.check()?;
            whose.rules(access)?.push(rule);
            Ok(())
        }
        AclCommand::Remove { whose, topic, .. } => {
            let rules = whose.rules(access)?;
            let before = rules.len();
            rules.retain(|rule| rule.topic != topic);
            match rules.len() < before {
                true => Ok(()),
                false => Err(format!(
                    "There is no such rule about \"{topic}\"; flowrill mqtt acl list shows them all"
                )),
            }
        }
    }
}

impl Whose {
    fn rules(self, access: &mut AccessConfig) -> Result<&mut Vec<Rule>, String> {
        match (self.user, self.role) {
            (Some(name), _) => access
                .users
                .get_mut(&name)
                .map(|user| &mut user.rules)
                .ok_or_else(|| {
                    format!("There is no user \"{name}\"; flowrill mqtt user add {name} makes one")
                }),
            (None, Some(role)) => Ok(access.roles.entry(role).or_default()),
            (None, None) => Ok(&mut access.everybody),
        }
    }
}

/// Asks twice at a terminal, else reads one line; gives the hash.
fn read_password() -> Result<String, String> {
    let failed = |error: io::Error| format!("The password can't be read: {error}");
    let password = if io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ").map_err(failed)?;
        let again = rpassword::prompt_password("Again: ").map_err(failed)?;
        if first != again {
            return Err("The two passwords differ; nothing was changed".into());
        }
        first
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(failed)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.is_empty() {
        return Err("The password is empty; nothing was changed".into());
    }
    hash_password(password.as_bytes())
}

fn list_users(access: &AccessConfig) {
    for (name, user) in &access.users {
        match user.roles.is_empty() {
            true => say(name),
            false => say(format!("{name}  (roles: {})", user.roles.join(", "))),
        }
    }
}

fn list_rules(access: &AccessConfig) {
    let everybody = access
        .everybody
        .iter()
        .map(|rule| ("everybody".into(), rule));
    let roles = access.roles.iter().flat_map(|(name, rules)| {
        let whose = format!("role {name}");
        rules.iter().map(move |rule| (whose.clone(), rule))
    });
    let users = access.users.iter().flat_map(|(name, user)| {
        let whose = format!("user {name}");
        user.rules.iter().map(move |rule| (whose.clone(), rule))
    });
    for (whose, rule) in everybody.chain(roles).chain(users) {
        let effect = if rule.deny { "deny " } else { "allow" };
        let actions: Vec<String> = rule
            .actions
            .iter()
            .map(|action| format!("{action:?}").to_lowercase())
            .collect();
        say(format!(
            "{whose}: {effect} {} {}",
            actions.join("+"),
            rule.topic
        ));
    }
}
