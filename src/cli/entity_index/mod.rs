//! The index of entities: its server, its jobs, and how it stands with the files.

mod backfill;
mod jobs;
pub(super) mod serve;
mod verify;

use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism, time::Duration};

use super::{CommandError, Context, Exit};
use crate::{app::entity_index::Indexer, config::RegistryCache};

/// What one can do with the index of entities.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    Jobs(jobs::Args),
    Retry(jobs::RetryArgs),
    Backfill(backfill::Args),
    Verify(verify::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    match command {
        Command::Serve(args) => serve::run(args, context),
        Command::Jobs(args) => jobs::run(args, context),
        Command::Retry(args) => jobs::retry(args, context),
        Command::Backfill(args) => backfill::run(args, context),
        Command::Verify(args) => verify::run(args, context),
    }
}

/// The index of the repo, over a registry that is read once in a while.
fn indexer(context: &Context) -> Result<Indexer, CommandError> {
    let cache = RegistryCache { period: Duration::from_secs(1), by_itself: true };
    Ok(Indexer::open(Arc::new(context.store_held(cache, NonZeroUsize::MIN)?))?)
}

/// How files become rows of the index.
#[derive(Debug, clap::Args)]
struct WorkArgs {
    /// How many jobs are done at a time [default: one per processor, at most 4]
    #[arg(long, value_name = "COUNT")]
    workers: Option<NonZeroUsize>,
    /// A job that fails so often is dead; between attempts it waits, twice as long each time, up to 5 minutes
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
}

impl WorkArgs {
    fn workers(&self) -> usize {
        const MOST: usize = 4;
        let usual = || available_parallelism().map_or(1, NonZeroUsize::get).min(MOST);
        self.workers.map_or_else(usual, NonZeroUsize::get)
    }
}
