//! Datasets that a server makes for clients and reads for them, in the folder that its settings name for them.

mod place;
mod sample;
mod written_rows;

use std::sync::Arc;

use place::Place;
pub use sample::{Sample, sample};
pub use written_rows::WrittenRows;

use super::{
    Caller, Failure, FeatureStore,
    get_historical::{About, HistoricalJoin},
    registered::{Freshness, SharedRegistry, StoredObject},
    saved_datasets::{self, Creation, Overwrite, stored_in_files},
};
use crate::{
    model::{Author, ObjectKind, PermissionAction, PermissionType, Tags},
    offline::Cancel,
    problem::{Kind, Problem},
    retrieval::{Entities, FeatureReference, FeatureRequest, Selection},
    sink::ParquetOptions,
};

/// A dataset that a client wants made.
#[derive(Debug, Clone)]
pub struct DatasetRequest {
    /// Its name.
    pub name: String,
    /// The project.
    pub project: String,
    /// The service whose features are wanted; empty if they are named one by one.
    pub service: String,
    /// The features, as `view:feature`, where no service is named.
    pub features: Vec<String>,
    /// Whom features are asked about, and when.
    pub rows: EntityRows,
    /// Where the rows go, in the folder for datasets: a file if it ends in `.parquet`, else a folder of files.
    pub path: String,
    /// Its labels.
    pub tags: Tags,
    /// Whether a dataset of this name may be replaced, and its files with it; those of others never are.
    pub allow_overwrite: bool,
}

/// Rows of entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityRows {
    /// In the request.
    Written(WrittenRows),
    /// In a file in the folder for datasets.
    File(String),
}

/// A dataset that can be made, as far as that is known before rows are read.
pub struct Making {
    store: FeatureStore,
    caller: Caller,
    author: Author,
    name: String,
    features: FeatureRequest,
    about: About,
    place: Place,
    path: String,
    tags: Tags,
    overwrite: Overwrite,
    cancel: Cancel,
}

impl Making {
    /// What a client wants.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] where the settings name no folder, [`Kind::Invalid`] for paths that lead elsewhere, and those of
    /// [`saved_datasets::check`].
    pub fn of(
        registry: &SharedRegistry,
        caller: &Caller,
        author: Author,
        request: DatasetRequest,
    ) -> Result<Self, Failure> {
        let store = registry.store().of_project(&request.project)?;
        let place = Place::of(&store)?;
        let path = place.path(&request.path)?;
        let features = FeatureRequest { selection: request.selection()?, full_feature_names: false };
        let entities = {
            let join = HistoricalJoin::plan(&store, caller, &features, false)?;
            match &request.rows {
                EntityRows::Written(rows) => rows.entities(join.retrieval(), store.now())?,
                EntityRows::File(named) => entities_in_file(&store, &place.path(named)?)?,
            }
        };
        let is_own = registry
            .objects(&request.project, Freshness::Now)?
            .find(ObjectKind::SavedDataset, &request.name)
            .and_then(|stored| stored_in_files(&stored.row()).ok().flatten())
            .is_some_and(|file| file.path == path);
        let dataset = request.allow_overwrite;
        let overwrite = Overwrite { dataset, files: dataset && is_own };
        let DatasetRequest { name, tags, .. } = request;
        let (about, cancel, caller) = (About::Rows(entities), Cancel::default(), caller.clone());
        let making = Self { store, caller, author, name, features, about, place, path, tags, overwrite, cancel };
        saved_datasets::check(&making.store, &making.caller, &making.creation())?;
        Ok(making)
    }

    /// The name of the dataset.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its project.
    pub fn project(&self) -> &str {
        self.store.project()
    }

    /// Makes it; how many rows it has.
    ///
    /// # Errors
    /// Those of [`saved_datasets::create`].
    pub fn carry_out(&self, registry: &SharedRegistry) -> Result<usize, Failure> {
        self.place.prepare(&self.store, &self.path)?;
        let created = saved_datasets::create(&self.store, &self.caller, &self.creation(), &self.cancel)?;
        registry.changed(self.project(), None);
        Ok(created.rows)
    }

    /// Calls it off, from whatever thread: it ends soon, and leaves nothing.
    pub fn call_off(&self) {
        self.cancel.cancel();
    }

    fn creation(&self) -> Creation<'_> {
        Creation {
            name: &self.name,
            features: &self.features,
            about: &self.about,
            filter_by_created_timestamp: false,
            path: &self.path,
            parquet: ParquetOptions::default(),
            description: "",
            tags: &self.tags,
            overwrite: self.overwrite,
            author: &self.author,
        }
    }
}

impl DatasetRequest {
    fn selection(&self) -> Result<Selection, Problem> {
        if !self.service.is_empty() {
            return Ok(Selection::of_service(&self.service));
        }
        if self.features.is_empty() {
            let help = "name a feature service, or features as `view:feature`".to_owned();
            return Err(Problem::new(Kind::Invalid, "no features are asked for", help));
        }
        let references = self.features.iter().map(|feature| feature.parse::<FeatureReference>());
        Ok(Selection::of_features(references.collect::<Result<_, _>>()?))
    }
}

/// Rows of entities in a file of this machine.
fn entities_in_file(store: &FeatureStore, path: &str) -> Result<Entities, Problem> {
    if path.contains("://") {
        let message = format!("rows of entities are not read from {path}, which is in a bucket");
        return Err(Problem::new(Kind::Unsupported, message, "write them into the request".to_owned()));
    }
    Entities::of_file(&store.config().repo.join(path), path)
}

/// Lets a caller know of a dataset that there may not be yet.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be read.
pub fn may_know(registry: &SharedRegistry, caller: &Caller, project: &str, name: &str) -> Result<(), Problem> {
    let objects = registry.objects(project, Freshness::Kept)?;
    let stored = objects.find(ObjectKind::SavedDataset, name).map(Arc::clone);
    let dataset = stored.unwrap_or_else(|| {
        Arc::new(StoredObject::undescribed(ObjectKind::SavedDataset, PermissionType::SavedDataset, name))
    });
    objects.rights.check(caller, &dataset, &[PermissionAction::Describe])
}
