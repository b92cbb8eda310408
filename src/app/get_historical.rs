//! Features joined to entity rows as they were at each row's time.

use arrow::datatypes::SchemaRef;

use super::{Caller, Failure, FeatureStore, retrieval::retrieval};
use crate::{
    offline::{BatchSink, Cancel, HistoricalQuery, HistoricalRead},
    retrieval::{Entities, FeatureRequest, Retrieval},
};

/// A join whose features were found in the registry.
pub struct HistoricalJoin<'a> {
    store: &'a FeatureStore,
    retrieval: Retrieval,
}

impl<'a> HistoricalJoin<'a> {
    /// Looks for the features. No source is looked at.
    ///
    /// # Errors
    /// When something does not exist or cannot be served, or the registry cannot be read.
    pub fn plan(store: &'a FeatureStore, caller: &Caller, features: &FeatureRequest) -> Result<Self, Failure> {
        Ok(Self { store, retrieval: retrieval(store, caller, features)? })
    }

    /// The columns of the result. Entity rows are read, and no rows of sources.
    ///
    /// # Errors
    /// When entity rows cannot be read, or lack a column.
    pub fn columns(&self, entities: &Entities, filter_by_created_timestamp: bool) -> Result<SchemaRef, Failure> {
        let query = HistoricalQuery { entities, retrieval: &self.retrieval, filter_by_created_timestamp };
        Ok(self.store.offline().historical_columns(&query)?)
    }

    /// Streams the result: the entity columns, then the features, one row per entity row, in their order. A feature row
    /// counts only if it had been written by the entity row's time, if that is wanted.
    ///
    /// # Errors
    /// When entity rows or sources cannot be read, or lack a column; [`Kind::Cancelled`](crate::problem::Kind) when it
    /// was called off.
    pub fn run(
        &self,
        entities: &Entities,
        filter_by_created_timestamp: bool,
        cancel: &Cancel,
        sink: &mut dyn BatchSink,
    ) -> Result<HistoricalRead, Failure> {
        let query = HistoricalQuery { entities, retrieval: &self.retrieval, filter_by_created_timestamp };
        Ok(self.store.offline().cancelled_by(cancel).historical(&query, sink)?)
    }
}
