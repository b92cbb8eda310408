//! Datasets that are made of retrievals. The server has no offline store of its own, so it makes none: commands and servers that
//! have one do.

use bytes::Bytes;

use super::asked::Asked;
use crate::{
    app::Failure,
    model::ObjectKind,
    problem::{Kind, Problem},
};

/// There are no jobs.
pub(super) fn list_jobs(_: &Asked<'_>, _: &[u8]) -> Result<Bytes, Failure> {
    Ok(Bytes::new())
}

/// There is no such job, as there are none.
pub(super) fn job(_: &Asked<'_>, _: &[u8]) -> Result<Bytes, Failure> {
    Err(Problem::new(Kind::NotFound, "there is no such job: this server makes no datasets", None).into())
}

/// Nothing is retrieved here.
pub(super) fn unsupported(asked: &Asked<'_>, _: &[u8]) -> Result<Bytes, Failure> {
    let what = ObjectKind::SavedDataset.plural();
    let message = format!("{} is not carried out by this server, which keeps no rows of {what}", asked.name);
    let help = "make datasets where the offline store is, and read their files".to_owned();
    Err(Problem::new(Kind::Unsupported, message, help).into())
}
