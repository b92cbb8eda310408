use super::file::{RawFile, RawProject};

/// The definitions of all files, as written.
#[derive(Default)]
pub(crate) struct Collected {
    /// Their descriptions of the project, of which there may be one.
    pub projects: Vec<RawProject>,
    /// The collections, merged; `None` without files.
    pub file: Option<RawFile>,
}

impl Collected {
    /// Takes over what another file defines.
    pub(crate) fn add(&mut self, mut raw: RawFile) {
        self.projects.extend(raw.project.take());
        match &mut self.file {
            None => self.file = Some(raw),
            Some(merged) => merged.append(raw),
        }
    }
}

impl RawFile {
    fn append(&mut self, mut other: Self) {
        self.entities.append(&mut other.entities);
        self.data_sources.append(&mut other.data_sources);
        self.feature_views.append(&mut other.feature_views);
        self.batch_feature_views.append(&mut other.batch_feature_views);
        self.stream_feature_views.append(&mut other.stream_feature_views);
        self.on_demand_feature_views.append(&mut other.on_demand_feature_views);
        self.label_views.append(&mut other.label_views);
        self.feature_services.append(&mut other.feature_services);
        self.permissions.append(&mut other.permissions);
        self.saved_datasets.append(&mut other.saved_datasets);
        self.validation_references.append(&mut other.validation_references);
    }
}
