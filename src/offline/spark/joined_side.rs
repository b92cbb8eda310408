//! A side of a point-in-time join in statements: the rows of a view that can matter, and what decides between them.

use super::view_rows::ViewRows;
use crate::{model::Timestamp, offline::join::Side};

/// A side of a join, whose rows have a name.
pub(super) struct JoinedSide<'a> {
    /// What is joined.
    pub(super) side: &'a Side<'a>,
    /// Its rows.
    pub(super) rows: ViewRows<'a>,
    /// What its features are called in the result.
    pub(super) outputs: Vec<&'a str>,
}

impl JoinedSide<'_> {
    /// The rows that can matter to entity rows between two moments, with these features.
    pub(super) fn candidates(&self, features: &[usize], times: Option<(i64, i64)>) -> String {
        let Some((first, last)) = times else { return self.rows.select(features, &["false".to_owned()]) };
        let from = self.ttl().map(|ttl| first.saturating_sub(ttl));
        let mut conditions = self.rows.inside((from, Some(last)));
        conditions.extend(self.rows.of_entities());
        if self.side.by_created {
            conditions.extend(self.rows.written_by(Some(last)));
        }
        self.rows.select(features, &conditions)
    }

    /// What decides between rows of an entity, one column after the other; the greatest row counts.
    pub(super) fn order(&self) -> Vec<String> {
        let created = self.rows.has_created().then(|| "c".to_owned());
        let content = self.rows.content().into_iter().map(|feature| format!("f{feature}"));
        ["t".to_owned()].into_iter().chain(created).chain(content).collect()
    }

    /// The features that are read: those that are wanted, and those that decide between rows.
    pub(super) fn features(&self) -> Vec<usize> {
        let mut features: Vec<usize> = self.side.features.iter().copied().chain(self.rows.content()).collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    /// How long values live; longer than all of time is no limit.
    pub(super) fn ttl(&self) -> Option<i64> {
        const LONGEST: i64 = Timestamp::LAST.micros() - Timestamp::FIRST.micros();
        self.side.ttl.filter(|ttl| *ttl <= LONGEST)
    }
}
