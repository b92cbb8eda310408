//! Rows of some entities only.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, new_empty_array},
    compute::concat,
    datatypes::DataType as ArrowType,
};

use super::{session::Session, upload, view_rows::key_type};
use crate::{
    model::FeatureView,
    offline::point_in_time::plain,
    problem::{Kind, Problem},
    retrieval::{Entities, JoinKey},
    sources::{Role, Wanted},
};

/// What statements call them.
const NAME: &str = "feastr_only";

/// Entities to which the rows of a view are confined; without any said nobody is left out.
pub(super) struct Only {
    /// What they are called, and how many keys they have.
    entities: Option<(String, usize)>,
}

impl Only {
    /// Makes the entities of some rows known to the server, by the join keys of a view.
    ///
    /// # Errors
    /// When the rows lack a key or cannot be read, or the server does not take them.
    pub(super) fn send(entities: Option<&Entities>, view: &FeatureView, session: &Session) -> Result<Self, Problem> {
        let Some(entities) = entities else { return Ok(Self { entities: None }) };
        let keys = view.join_keys();
        let wanted = keys.iter().map(|key| Wanted {
            column: key.name.clone(),
            role: Role::EntityKey(key.dtype.clone()),
            null_if_unfit: false,
        });
        let scan = Arc::new(entities.open()?.scan(wanted.collect())?);
        let run = scan.run();
        let (mut pieces, mut count): (Vec<Vec<ArrayRef>>, usize) = (Vec::new(), 0);
        while let Some(mut part) = run.part()? {
            while let Some(rows) = run.batch(&mut part)? {
                count += rows.count;
                pieces.push(rows.columns);
            }
        }
        let columns = keys.iter().enumerate().map(|(index, field)| {
            let key = JoinKey { field: field.clone(), column: field.name.clone() };
            let pieces: Result<Vec<ArrayRef>, _> = pieces.iter().map(|piece| plain(&piece[index])).collect();
            let whole = pieces.and_then(|pieces| match pieces.as_slice() {
                [] => Ok(new_empty_array(&key_type(&field.dtype).unwrap_or(ArrowType::Utf8))),
                pieces => concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
            });
            let whole = whole.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
            upload::sent_key(&whole, &key)
        });
        let name = upload::send_keys(session, NAME, columns.collect::<Result<_, _>>()?, count)?;
        Ok(Self { entities: Some((name, keys.len())) })
    }

    /// Whether rows of some entities are left out.
    pub(super) const fn leaves_out(&self) -> bool {
        matches!(self.entities, Some((_, 1..)))
    }

    /// A statement over rows with keys `k0`, …, confined to the entities.
    pub(super) fn confined(&self, rows: &str) -> String {
        match &self.entities {
            // Everybody is the one entity without keys.
            None | Some((_, 0)) => rows.to_owned(),
            Some((name, keys)) => {
                let same: Vec<String> = (0..*keys).map(|key| format!("w.k{key} = o.k{key}")).collect();
                format!("SELECT w.* FROM ({rows}) AS w LEFT SEMI JOIN {name} AS o ON {}", same.join(" AND "))
            }
        }
    }
}
