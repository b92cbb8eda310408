use std::{
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{CommandError, Context, Exit, exit::listed, lock_timeout::lock_timeout};
use crate::clients::{
    readiness::{Asking, ServerUrl, ready},
    runtime::wait,
};

/// Ask servers whether they are ready, or wait until they are
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr ready http://localhost:6566                   Whether `feastr serve` can answer\n  \
     feastr ready --wait 30s grpc://localhost:8815        Wait for `feastr serve-offline`\n\n{}",
    listed(&[(Exit::Done, "all are ready"), (Exit::Failed, "one is not, or is away")]),
))]
pub(crate) struct Args {
    /// Where they are: http://HOST:PORT of `serve`, grpc://HOST:PORT of `serve-offline`; with encryption https:// or grpcs://
    #[arg(required = true, value_name = "URL")]
    servers: Vec<ServerUrl>,
    /// How long to wait until they are, such as 30s
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = lock_timeout)]
    wait: Duration,
    /// File with certificates of the authorities that vouch for them [default: those of the system]
    #[arg(long, value_name = "PATH")]
    ca: Option<PathBuf>,
}

/// How long a server may take to answer.
const LIMIT: Duration = Duration::from_secs(5);
/// How long it is left alone between two questions.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let end = Instant::now() + args.wait;
    let asking = Asking { authorities: args.ca.as_deref(), authorities_setting: "--ca", limit: LIMIT };
    for server in &args.servers {
        while let Err(problem) = wait(ready(server, asking)) {
            if Instant::now() >= end {
                return Err(problem.into());
            }
            sleep(PAUSE);
        }
        context.printer.say(format_args!("{server} is ready"));
    }
    Ok(Exit::Done)
}
