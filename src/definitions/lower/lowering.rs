//! What lowering carries from step to step, and how it takes a collection.

use std::collections::BTreeMap;

use super::names::Taken;
use crate::{
    config::StoreConfig,
    definitions::{
        LoadOptions,
        format::{RawLabels, values::Item},
    },
    diagnostics::{Diagnostics, Span},
    model::{ObjectId, ObjectKind, Place},
    yaml::Spanned,
};

/// A raw object whose name, labels and kind of references the lowering needs to know.
pub(crate) trait Named {
    /// The name as written.
    fn name(&self) -> &Spanned<String>;
    /// The keys that every object has.
    fn labels(&self) -> &RawLabels;
}

macro_rules! named {
    ($($raw:ident => $($labels:ident).+;)*) => { $(
        impl Named for crate::definitions::format::$raw {
            fn name(&self) -> &Spanned<String> {
                &self.name
            }

            fn labels(&self) -> &RawLabels {
                &self.$($labels).+
            }
        }
    )* };
}

named! {
    RawEntity => about.labels;
    RawFeatureView => stored.about.labels;
    RawBatchFeatureView => stored.about.labels;
    RawStreamFeatureView => stored.about.labels;
    RawOnDemandFeatureView => about.labels;
    RawLabelView => about.labels;
    RawFeatureService => about.labels;
    RawPermission => labels;
    RawSavedDataset => labels;
    RawValidationReference => labels;
}

/// The lowering of a repo: what all steps need and fill.
pub(crate) struct Lowering<'a, 'b> {
    /// The settings of the repo.
    pub config: &'a StoreConfig,
    /// What is checked, and how sources are looked at.
    pub options: &'a LoadOptions<'b>,
    /// Where each object was written.
    pub places: BTreeMap<ObjectId, Place>,
    /// Takes the findings.
    pub diagnostics: &'a mut Diagnostics,
}

/// Lowered objects.
pub(crate) struct Objects<T> {
    /// In the order of the names; `None` stands for a broken one.
    pub by_name: BTreeMap<String, Option<T>>,
}

impl<T> Objects<T> {
    /// The objects, or `None` if one is broken.
    pub(crate) fn complete(self) -> Option<Vec<T>> {
        self.by_name.into_values().collect()
    }
}

/// Names of views: unique together, or per kind when that is wanted.
pub(crate) enum ViewNames {
    /// As Feast wants them: different in more than case, whatever the kind.
    Together(Taken),
    /// Unique among the views of one kind.
    Apart,
}

impl Lowering<'_, '_> {
    /// Lowers a collection whose names are unique in itself.
    pub(crate) fn objects<R: Named, T>(
        &mut self,
        kind: ObjectKind,
        what: &'static str,
        items: Vec<Item<R>>,
        mut lower: impl FnMut(R, &mut Self) -> Option<T>,
    ) -> Objects<T> {
        let mut taken = Taken::exact(what);
        let objects = self.take_all(
            kind,
            items
                .into_iter()
                .map(|item| Item { name: item.name, is_flawed: item.is_flawed, value: item.value.map(|raw| (raw, ())) })
                .collect(),
            &mut taken,
            |(raw, ()), this| lower(raw, this),
        );
        taken.check_renames(self.diagnostics);
        objects
    }

    /// Lowers a kind of views.
    pub(crate) fn views<R: Named, S, T>(
        &mut self,
        kind: ObjectKind,
        items: Vec<Item<(R, S)>>,
        names: &mut ViewNames,
        lower: impl FnMut((R, S), &mut Self) -> Option<T>,
    ) -> Objects<T> {
        match names {
            ViewNames::Together(taken) => self.take_all(kind, items, taken, lower),
            ViewNames::Apart => {
                let mut taken = Taken::exact(kind.as_str());
                let objects = self.take_all(kind, items, &mut taken, lower);
                taken.check_renames(self.diagnostics);
                objects
            }
        }
    }

    fn take_all<R: Named, S, T>(
        &mut self,
        kind: ObjectKind,
        items: Vec<Item<(R, S)>>,
        taken: &mut Taken,
        mut lower: impl FnMut((R, S), &mut Self) -> Option<T>,
    ) -> Objects<T> {
        let mut objects = Objects { by_name: BTreeMap::new() };
        for item in items {
            let Some(raw) = item.value else {
                if let Some(name) = item.name {
                    objects.by_name.entry(name).or_insert(None);
                }
                continue;
            };
            let name = raw.0.name().clone();
            let renamed_from = raw.0.labels().renamed_from.clone();
            let is_new = taken.take(&name, self.diagnostics);
            let object = lower(raw, self);
            if is_new {
                taken.renamed(&name, renamed_from.as_ref());
                self.place(kind, &name);
            }
            // A name taken twice is an error of its own; objects that use it are not.
            objects.by_name.entry(name.value).or_insert(object);
        }
        objects
    }

    /// Notes where an object was written.
    pub(crate) fn place(&mut self, kind: ObjectKind, name: &Spanned<String>) {
        self.places.insert(ObjectId::new(kind, &name.value), place_of(&name.span));
    }
}

/// A place as the model keeps it.
pub(crate) fn place_of(span: &Span) -> Place {
    let (line, column) = span.line_column();
    Place { file: span.file.path.clone(), line, column }
}
