use clap::Subcommand;

use super::{CommandError, Context, Exit};
use crate::{app::redis_acl::redis_acl, online::RedisRole};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the rules of an account of Redis that reads or writes the values of this project
    ///
    /// The account can use the keys of the registered views and nothing else. It has no password yet: give it one with ACL
    /// SETUSER, and print the rules again when views with other join keys are applied.
    #[command(
        after_help = "Examples:\n  feastr redis acl --user bob --role reader\n  feastr redis acl --user alice --role \
                            owner | redis-cli"
    )]
    Acl(Acl),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Acl {
    /// The name of the account
    #[arg(long, value_name = "NAME", value_parser = account)]
    user: String,
    /// What it does with values
    #[arg(long, value_enum)]
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Reads them
    Reader,
    /// Writes them, too
    Writer,
    /// Removes those of removed views, too, for which it lists all keys of the server
    Owner,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    let Command::Acl(Acl { user, role }) = command;
    let role = match role {
        Role::Reader => RedisRole::Reader,
        Role::Writer => RedisRole::Writer,
        Role::Owner => RedisRole::Owner,
    };
    let printer = context.printer;
    let acl = redis_acl(&context.store()?, &context.caller(), role)?;
    if printer.json {
        printer.json(&acl)?;
    } else {
        let commands = acl.commands.iter().map(|command| format!("+{command}"));
        let patterns = acl.patterns.iter().map(|pattern| format!("~{pattern}"));
        let rules: Vec<String> = commands.chain(patterns).collect();
        printer.result_line(format_args!("ACL SETUSER {user} on resetkeys resetchannels -@all {}", rules.join(" ")))?;
    }
    if acl.matches_others {
        printer.warn(format!(
            "where a join key is no number, keys of projects whose name ends with `{}` match, too",
            acl.project
        ));
    }
    Ok(Exit::Done)
}

/// A name that a rule can have.
fn account(text: &str) -> Result<String, String> {
    let is_usual = |letter: char| letter.is_ascii_alphanumeric() || "_-.:@".contains(letter);
    match !text.is_empty() && text.chars().all(is_usual) {
        true => Ok(text.to_owned()),
        false => Err("write a name of letters, digits and any of _ - . : @".to_owned()),
    }
}
