//! What differs between the index and the files that are there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    database::{Session, Value},
    index::EntityIndex,
    job::Noted,
    objects::IndexedObject,
    schema::OBJECT,
    views::IndexedView,
    work::version,
};
use crate::{
    problem::{Kind, Problem},
    sources::{FileOfSource, ListedFile, Whereabouts},
};

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In which way.
    pub kind: DifferenceKind,
    /// The view that has the object, or had it.
    pub feature_view: String,
    /// The object.
    pub path: String,
    /// What differs, in words.
    pub message: String,
    /// The entities of the view.
    #[serde(skip)]
    entity_names: String,
}

/// In which way an object and the index differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It is not in the index.
    Missing,
    /// It is in the index, and nowhere else.
    Surplus,
    /// It is in the index as it was, or its rows are not all there.
    Changed,
}

impl DifferenceKind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::Changed => "changed",
        }
    }
}

/// Which views are compared, and where their files are.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// All views that the index knows.
    pub views: &'a [IndexedView],
    /// The names of those that are compared; `None` is all, and what is there of views that are gone.
    pub only: Option<&'a [String]>,
    /// Where files are.
    pub whereabouts: &'a Whereabouts,
}

impl EntityIndex {
    /// What differs, by view and path. `looked` hears of each view and how many files it has.
    ///
    /// # Errors
    /// When files cannot be listed, or the index cannot be read.
    pub fn compare(
        &self,
        compared: Compared<'_>,
        looked: &mut dyn FnMut(&str, usize),
    ) -> Result<Vec<Difference>, Problem> {
        let is_compared = |name: &str| compared.only.is_none_or(|only| only.iter().any(|known| known == name));
        let mut indexed = self.objects()?;
        indexed.retain(|(view, _), _| is_compared(view));
        let short = self.short_of_rows(&indexed)?;
        let mut differences = Vec::new();
        for view in compared.views.iter().filter(|view| is_compared(&view.name)) {
            let files = listed(view, compared.whereabouts)?;
            looked(&view.name, files.len());
            for file in files {
                let known = indexed.remove(&(view.name.clone(), file.path.clone()));
                let found = match known {
                    None => Some((DifferenceKind::Missing, "it is not in the index".to_owned())),
                    Some(known) if known.version != version(view, &file.version) => {
                        Some((DifferenceKind::Changed, "it has changed since it was indexed".to_owned()))
                    }
                    Some(_) => short
                        .get(&(view.name.clone(), file.path.clone()))
                        .map(|message| (DifferenceKind::Changed, message.clone())),
                };
                let Some((kind, message)) = found else { continue };
                let (feature_view, entity_names) = (view.name.clone(), view.entity_names());
                differences.push(Difference { kind, feature_view, path: file.path, message, entity_names });
            }
        }
        let surplus = indexed.into_iter().map(|((feature_view, path), object)| Difference {
            kind: DifferenceKind::Surplus,
            feature_view,
            path,
            message: "it is in the index, and not among the files".to_owned(),
            entity_names: object.rows.into_keys().collect::<Vec<_>>().join(","),
        });
        differences.extend(surplus);
        differences.sort_by(|one, other| (&one.feature_view, &one.path).cmp(&(&other.feature_view, &other.path)));
        Ok(differences)
    }

    /// Objects whose rows are not all in the tables of their entities, and in which.
    fn short_of_rows(
        &self,
        indexed: &BTreeMap<(String, String), IndexedObject>,
    ) -> Result<BTreeMap<(String, String), String>, Problem> {
        let entities: BTreeSet<&String> = indexed.values().flat_map(|object| object.rows.keys()).collect();
        let mut short = BTreeMap::new();
        for entity in entities {
            let counted = self.rows_of(entity)?;
            for (place, object) in indexed {
                let Some(expected) = object.rows.get(entity) else { continue };
                let found = counted.get(place).copied().unwrap_or(0);
                if found != *expected {
                    short.insert(place.clone(), format!("the index has {found} of its {expected} rows of `{entity}`"));
                }
            }
        }
        Ok(short)
    }

    /// Notes a job for each difference, which will make it go away.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn note_differences(&self, differences: &[Difference]) -> Result<Noted, Problem> {
        let forget = format!(
            "UPDATE {} SET version = '' WHERE path = $1 AND feature_view = $2 RETURNING path",
            self.table(OBJECT)
        );
        self.write(|session: &mut dyn Session| {
            for changed in differences.iter().filter(|difference| difference.kind == DifferenceKind::Changed) {
                session.run(&forget, &[Value::from(&changed.path), Value::from(&changed.feature_view)])?;
            }
            Ok(())
        })?;
        let found = differences.iter().map(|difference| {
            (difference.feature_view.clone(), difference.entity_names.clone(), difference.path.clone())
        });
        self.note_found(&found.collect::<Vec<_>>())
    }
}

/// The files of a view; none where there is nothing.
fn listed(view: &IndexedView, whereabouts: &Whereabouts) -> Result<Vec<ListedFile>, Problem> {
    match FileOfSource::list(&view.source, whereabouts) {
        Err(problem) if problem.kind == Kind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}
