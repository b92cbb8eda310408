/// Which checks of the definitions are left out.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct SkippedChecks {
    /// Do not compare declared columns with the sources' files
    #[arg(long)]
    pub skip_source_validation: bool,
    /// Let views of different kinds have the same name, as Feast's option of this name does
    #[arg(long)]
    pub skip_feature_view_validation: bool,
}
