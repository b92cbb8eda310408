//! `docs/command-line.md`: every command with its help.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};
use feastr::cli::{Cli, Exit};

use super::{heading, keep};

#[test]
fn the_page_of_commands_is_their_help() {
    let mut program = Cli::command();
    // Global options, names and usages of subcommands are filled in.
    program.build();
    let mut page = heading("Command line");
    page.push_str(
        "What `feastr COMMAND --help` says, on one page. Environment variables: [configuration](configuration.md).\n\n",
    );
    for command in commands(&program) {
        writeln!(page, "- [`{0}`](#{0}): {1}", command.get_name(), command.get_about().unwrap()).unwrap();
    }
    page.push_str("\n## Options of every command\n\n");
    for option in program.get_arguments().filter(|argument| argument.is_global_set()) {
        page.push_str(&argument(option));
    }
    page.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        writeln!(page, "| {} | {} |", exit.code(), exit.meaning()).unwrap();
    }
    for command in commands(&program) {
        section(&mut page, command, 2);
    }
    keep("command-line.md", &page.replace("\n\n\n", "\n\n"));
}

fn commands(parent: &Command) -> impl Iterator<Item = &Command> {
    parent.get_subcommands().filter(|command| !command.is_hide_set())
}

/// A command and those below it.
fn section(text: &mut String, command: &Command, depth: usize) {
    // The program is the same in all of them.
    let called = command.get_bin_name().unwrap().strip_prefix("feastr ").unwrap();
    writeln!(text, "\n{} {called}\n", "#".repeat(depth)).unwrap();
    writeln!(text, "{}\n", command.get_long_about().or(command.get_about()).unwrap()).unwrap();
    let aliases: Vec<_> = command.get_visible_aliases().map(|alias| format!("`feastr {alias}`")).collect();
    if !aliases.is_empty() {
        writeln!(text, "Also called {}.\n", aliases.join(", ")).unwrap();
    }
    writeln!(text, "```text\n{}\n```\n", command.clone().render_usage()).unwrap();
    let own = command.get_arguments().filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
    own.for_each(|own| text.push_str(&argument(own)));
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        writeln!(text, "\n```text\n{after}\n```").unwrap();
    }
    commands(command).for_each(|below| section(text, below, depth + 1));
}

/// An option or argument as a line of a list.
fn argument(argument: &Arg) -> String {
    if argument.is_hide_set() {
        return String::new();
    }
    let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let help = argument.get_long_help().or(argument.get_help());
    let help = help.unwrap_or_else(|| panic!("{argument} has no help")).to_string();
    let mut line = format!("- {short}`{argument}`: {}", help.replace('\n', " "));
    let takes_values = argument.get_action().takes_values();
    if let ([default], true) = (argument.get_default_values(), takes_values) {
        write!(line, " [default: `{}`]", default.to_str().unwrap()).unwrap();
    }
    if let Some(variable) = argument.get_env() {
        write!(line, " [environment: `{}`]", variable.to_str().unwrap()).unwrap();
    }
    line.push('\n');
    for word in argument.get_possible_values().iter().filter(|_| takes_values) {
        let help = word.get_help().map(|help| format!(": {help}")).unwrap_or_default();
        writeln!(line, "  - `{}`{help}", word.get_name()).unwrap();
    }
    line
}
