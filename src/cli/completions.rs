use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, CommandError, Context, Exit};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  feastr completions bash > ~/.local/share/bash-completion/completions/feastr")]
pub(crate) struct Args {
    /// The shell that completes
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "feastr", &mut script);
    context.printer.result(String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
