//! Features in joined rows `j`, for results that the cluster writes.

use super::{entity_columns::as_written, joined_side::JoinedSide, sql::quoted};
use crate::problem::Problem;

/// A feature of a side.
pub(super) struct JoinedFeature<'a> {
    output: &'a str,
    /// As what the cluster writes it, if that is not what it has.
    cast: Option<String>,
}

impl<'a> JoinedFeature<'a> {
    /// The features of some sides, one behind the other.
    ///
    /// # Errors
    /// When one would have to be looked at to be what is declared.
    pub(super) fn of_sides(sides: &[JoinedSide<'a>]) -> Result<Vec<Self>, Problem> {
        let mut features = Vec::new();
        for side in sides {
            let kinds = side.rows.kinds(&side.side.features)?;
            for ((feature, output), declared) in side.side.features.iter().zip(&side.outputs).zip(kinds) {
                let cast = as_written(side.rows.feature(*feature)?, &declared, output)?;
                features.push(Self { output, cast });
            }
        }
        Ok(features)
    }

    /// What it is called in the result.
    pub(super) const fn output(&self) -> &'a str {
        self.output
    }

    /// Its value, as what is declared.
    pub(super) fn value(&self) -> String {
        let joined = format!("j.{}", quoted(self.output));
        match &self.cast {
            Some(kind) => format!("CAST({joined} AS {kind})"),
            None => joined,
        }
    }
}
