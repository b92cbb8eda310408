use super::{entities::AboutArgs, selection::SelectionArgs};

/// Which features are joined to which rows, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub about: AboutArgs,
    /// Use a feature row only if it was written (created) by the entity row's time
    #[arg(long)]
    pub filter_by_created_timestamp: bool,
}
