use std::path::{Path, PathBuf};

use crate::{
    expression::Misfit,
    model::{DataSource, FeatureView, OnDemandFeatureView, SourceKind, TransformationPart},
    problem::Problem,
    sources::OpenSource,
};

/// How definitions are checked.
pub struct LoadOptions<'a> {
    /// Whether declared columns are compared with the sources' files.
    pub validate_sources: bool,
    /// Whether views of different kinds may have the same name, as with Feast's
    /// `--skip-feature-view-validation`.
    pub skip_view_names: bool,
    /// Whether sources of a kind can be looked at.
    pub looks_at: LooksAt<'a>,
    /// Looks at a source's files; also used to infer what a definition leaves open.
    pub inspect: InspectSource<'a>,
    /// Asks the engine that computes expressions whether it can; handed in for the same reason.
    pub misfits: FindMisfits<'a>,
    /// Looks whether what a view computes can be computed.
    pub check_transformation: CheckTransformation<'a>,
    /// How a path is shown to the person.
    pub display_path: &'a dyn Fn(&Path) -> PathBuf,
}

/// The expressions of a view that cannot be computed as what is declared.
pub type FindMisfits<'a> = &'a (dyn Fn(&OnDemandFeatureView) -> Result<Vec<Misfit>, Problem> + Sync);

/// Whether sources of a kind can be looked at.
pub type LooksAt<'a> = &'a (dyn Fn(&SourceKind) -> bool + Sync);

/// Looks at the files of a source; handed in, because definitions do no I/O of their own kind.
pub type InspectSource<'a> = &'a (dyn Fn(&DataSource) -> Result<OpenSource, Problem> + Sync);

/// Looks whether a view's SQL and aggregations can be carried out over a source with these columns, and give what the view
/// declares; without columns, whether they are such at all. What is wrong comes with the part that it is wrong with.
pub type CheckTransformation<'a> =
    &'a dyn Fn(&FeatureView, Option<&OpenSource>) -> Result<(), (Option<TransformationPart>, Problem)>;
