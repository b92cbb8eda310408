use std::fmt;

use serde::Serialize;

use super::known::Known;
use crate::model::{DUMMY_ENTITY, ObjectId, ObjectKind};

/// Something whose lineage is asked for: an object, or a feature of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Focus {
    /// The object, or the view that has the feature.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The feature's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
}

impl fmt::Display for Focus {
    /// As [`find`] finds exactly this one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.feature {
            Some(feature) => write!(f, "{}:{feature}", self.object.name),
            None => write!(f, "{}:{}", self.object.kind.slug(), self.object.name),
        }
    }
}

/// What a text may mean: the name of an object, `kind:name`, `view:feature`, or the name of a feature. An object comes
/// before a feature of the same name.
pub fn find(known: &[Known], text: &str) -> Vec<Focus> {
    let objects: Vec<&Known> = known.iter().filter(|known| is_asked_for(known)).collect();
    let of = |wanted: &dyn Fn(&Known) -> bool| -> Vec<Focus> {
        let found = objects.iter().filter(|known| wanted(known));
        found.map(|known| Focus { object: known.id.clone(), feature: None }).collect()
    };
    let features_of = |view: Option<&str>, feature: &str| -> Vec<Focus> {
        let views = objects.iter().filter(|known| view.is_none_or(|view| known.id.name == view));
        let has = |known: &&&Known| known.card.features.iter().any(|field| field.name == feature);
        let focus = |known: &&Known| Focus { object: known.id.clone(), feature: Some(feature.to_owned()) };
        views.filter(has).map(focus).collect()
    };
    let whole = of(&|known| known.id.name == text);
    if !whole.is_empty() {
        return whole;
    }
    if let Some((first, second)) = text.split_once(':') {
        let kinds = kinds(first);
        let found = of(&|known| kinds.contains(&known.id.kind) && known.id.name == second);
        return if found.is_empty() { features_of(Some(first), second) } else { found };
    }
    features_of(None, text)
}

/// Whether somebody may ask what the object is made of.
fn is_asked_for(known: &Known) -> bool {
    !matches!(known.id.kind, ObjectKind::Permission | ObjectKind::Project) && known.id.name != DUMMY_ENTITY
}

/// The kinds that a word stands for: as definitions and commands write them, and for short.
fn kinds(word: &str) -> Vec<ObjectKind> {
    let word = word.to_lowercase().replace(['_', ' '], "-");
    match word.as_str() {
        "view" | "feature-view" => ObjectKind::VIEWS.to_vec(),
        "source" => vec![ObjectKind::DataSource],
        "service" => vec![ObjectKind::FeatureService],
        "dataset" => vec![ObjectKind::SavedDataset],
        "on-demand-view" => vec![ObjectKind::OnDemandFeatureView],
        "stream-view" => vec![ObjectKind::StreamFeatureView],
        word => ObjectKind::ALL.into_iter().filter(|kind| kind.slug() == word).collect(),
    }
}
