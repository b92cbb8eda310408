//! The definitions of a repo, read and checked. What they miss, the registry may explain.

use std::path::{Path, PathBuf};

use super::{Caller, Failure, FeatureStore};
use crate::{
    definitions::{self, LoadOptions},
    diagnostics::Diagnostics,
    model::{FeatureView, ObjectId, RegistryState, Repo, TransformationPart},
    offline::WrongTransformation,
    plan::removes,
    problem::{Kind, Problem},
    registry::read_objects,
    sources::OpenSource,
    transform::misfits,
};

/// Which definitions are read, and how.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Whether declared columns are compared with the sources' files.
    pub validate_sources: bool,
    /// Whether views of different kinds may have the same name.
    pub skip_view_names: bool,
    /// How messages show a file.
    pub display_path: &'a dyn Fn(&Path) -> PathBuf,
}

/// What the definitions say.
#[derive(Debug)]
pub struct Loaded {
    /// What is declared.
    pub repo: Repo,
    /// Findings that are no obstacle.
    pub warnings: Diagnostics,
}

/// Reads and checks the definitions.
///
/// # Errors
/// [`Failure::Definitions`] when there is something wrong with them.
pub fn load(store: &FeatureStore, _: &Caller, request: Request<'_>) -> Result<Loaded, Failure> {
    let config = store.config();
    let options = LoadOptions {
        validate_sources: request.validate_sources,
        skip_view_names: request.skip_view_names,
        looks_at: &|kind| store.offline().looks_at(kind),
        inspect: &|source| store.offline().inspect(source),
        misfits: &|view| {
            let mut found = misfits(store.expressions(), view)?;
            if found.is_empty() {
                found.extend(store.offline().stager().into_iter().flat_map(|engine| engine.misfits(view)));
            }
            Ok(found)
        },
        check_transformation: &|view, columns| check_transformation(store, view, columns),
        display_path: request.display_path,
    };
    let mut diagnostics = Diagnostics::default();
    match definitions::load(config, &options, &mut diagnostics)? {
        Some(repo) => Ok(Loaded { repo, warnings: diagnostics }),
        None => {
            explain(store, &mut diagnostics);
            Err(Failure::Definitions(diagnostics))
        }
    }
}

/// Looks whether what a view computes can be computed.
///
/// # Errors
/// What is wrong, and with which part of it.
pub(super) fn check_transformation(
    store: &FeatureStore,
    view: &FeatureView,
    columns: Option<&OpenSource>,
) -> Result<(), (Option<TransformationPart>, Problem)> {
    store.offline().check_transformation(view, columns).map_err(|wrong| match wrong {
        WrongTransformation::Wrong { part, message, help } => (Some(part), Problem::new(Kind::Invalid, message, help)),
        WrongTransformation::Problem(problem) => (None, problem),
    })
}

/// Says of missing things what the registry knows: which other repo of the project has them, and whether the change
/// itself removes them. That is a help only: the findings are true where it cannot be read, too.
fn explain(store: &FeatureStore, diagnostics: &mut Diagnostics) {
    if !diagnostics.has_missing() {
        return;
    }
    let Ok(snapshot) = store.registry_to_read().snapshot(store.project()) else { return };
    let (state, ours) = (read_objects(&snapshot), store.config().repo_name.as_deref());
    if let Some(ours) = ours {
        point_to_other_repos(&state, ours, diagnostics);
    }
    diagnostics.explain_removed(|missing| removes(&state, ours, &missing.name, missing.feature.as_deref()));
}

fn point_to_other_repos(state: &RegistryState, ours: &str, diagnostics: &mut Diagnostics) {
    diagnostics.explain_missing(|missing| {
        let is_meant = |id: &ObjectId| {
            id.name == missing.name
                && (id.kind.as_str() == missing.what || (id.kind.is_view() && missing.what.contains("view")))
        };
        let (_, owner) = state.owners.iter().find(|(id, owner)| is_meant(id) && *owner != ours)?;
        Some(format!("repo `{owner}` has applied it to the registry; declare it here as well, just as it does"))
    });
}
