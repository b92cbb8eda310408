//! The point-in-time join as a value: over which keys each view's rows are joined to the entity rows,
//! and which of them count. No engine is known here; an engine makes its own language of it
//! (`duckdb/render.rs`).
//!
//! The row of a side that counts is the newest one of the same keys whose event is not after the entity
//! row's time; of equally new ones the one that was created last, then the one with the greatest values.

use crate::{
    model::FeatureView,
    retrieval::{JoinKey, Retrieval, SelectedView},
};

/// Features of several views, joined to entity rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Join<'a> {
    /// Join key columns of the entity rows, each once for every type under which some view knows it.
    pub keys: Vec<&'a JoinKey>,
    /// In the order in which the views were first mentioned.
    pub sides: Vec<Side<'a>>,
}

/// The rows of one view's source, as the join sees them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Side<'a> {
    /// The view.
    pub view: &'a FeatureView,
    /// For each of its join keys the position among the keys of the join. Without any, all rows are of
    /// one entity, which every entity row asks about.
    pub keys: Vec<usize>,
    /// The features that are wanted, in that order, as positions among those of the view.
    pub features: Vec<usize>,
    /// Rows that are older than this many microseconds at the entity row's time give no value; rows of exactly
    /// this age do. `None` is any age.
    pub ttl: Option<i64>,
    /// Whether a row counts only if it was created by the entity row's time.
    pub by_created: bool,
}

impl<'a> Join<'a> {
    /// The join that a retrieval asks for. `by_created`: views whose source has creation times are
    /// joined by them as well.
    pub(crate) fn of(retrieval: &'a Retrieval, by_created: bool) -> Self {
        let keys = retrieval.typed_entity_columns();
        let sides = retrieval.views.iter().map(|selected| Side::of(selected, &keys, by_created)).collect();
        Self { keys, sides }
    }
}

impl<'a> Side<'a> {
    fn of(selected: &'a SelectedView, keys: &[&JoinKey], by_created: bool) -> Self {
        let view = &selected.view;
        let key = |wanted: &JoinKey| {
            keys.iter().position(|key| key.column == wanted.column && key.field.dtype == wanted.field.dtype)
        };
        let feature = |name: &str| view.features.iter().position(|field| field.name == name);
        let has_created = view.source.as_ref().is_some_and(|source| !source.created_column().is_empty());
        Self {
            view,
            keys: selected.join_keys.iter().filter_map(key).collect(),
            features: selected.features.iter().filter_map(|selected| feature(&selected.field.name)).collect(),
            ttl: view.ttl.limit(),
            by_created: by_created && has_created,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{DataSource, DataType, Field, samples::source},
        retrieval::{SelectedFeature, Shown},
    };

    fn selected(name: &str, key: (&str, DataType), features: &[&str], wanted: &[&str]) -> SelectedView {
        let fields: Vec<Field> = features.iter().map(|name| Field::new(*name, DataType::Int64)).collect();
        let find = |name: &&str| fields.iter().find(|field| field.name == *name).unwrap().clone();
        let wanted = wanted.iter().map(|name| SelectedFeature {
            field: find(name),
            output: (*name).into(),
            shown: Shown::Always,
        });
        SelectedView {
            join_keys: vec![JoinKey { field: Field::new("id", key.1), column: key.0.to_owned() }],
            features: wanted.collect(),
            view: FeatureView { features: fields.clone(), ..FeatureView::new(name) },
            name: name.to_owned(),
        }
    }

    fn source_with_created(column: &str) -> DataSource {
        DataSource { created_timestamp_column: column.to_owned(), ..source("stats") }
    }

    #[test]
    fn keys_are_shared_by_column_and_type() {
        let retrieval = Retrieval {
            views: vec![
                selected("a", ("driver", DataType::Int64), &["x", "y"], &["y"]),
                selected("b", ("driver", DataType::String), &["z"], &["z"]),
                selected("c", ("driver", DataType::Int64), &["x", "y"], &["y", "x"]),
            ],
            ..Retrieval::default()
        };
        let join = Join::of(&retrieval, false);
        assert_eq!(
            join.keys.iter().map(|key| &key.field.dtype).collect::<Vec<_>>(),
            [&DataType::Int64, &DataType::String]
        );
        assert_eq!(join.sides.iter().map(|side| side.keys[0]).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(join.sides[0].features, [1]);
        assert_eq!(join.sides[2].features, [1, 0]);
    }

    #[test]
    fn creation_times_limit_only_views_that_have_some() {
        let mut retrieval =
            Retrieval { views: vec![selected("a", ("k", DataType::Int64), &["x"], &["x"])], ..Retrieval::default() };
        assert!(!Join::of(&retrieval, true).sides[0].by_created);
        retrieval.views[0].view.source = Some(source_with_created("made"));
        assert!(Join::of(&retrieval, true).sides[0].by_created);
        assert!(!Join::of(&retrieval, false).sides[0].by_created);
    }
}
