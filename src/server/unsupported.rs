//! What Feast's server does and this one does not yet.

use super::error::Error;
use crate::problem::{Kind, Problem};

/// Search for similar vectors; not supported yet
#[utoipa::path(post, path = "/search", tag = "features", responses((status = 501, body = String, description = "JSON in a string, as FeastError")))]
pub(super) async fn search() -> Error {
    searching()
}

/// The old name of `/search`; not supported yet
#[utoipa::path(post, path = "/retrieve-online-documents", tag = "features", responses((status = 501, body = String, description = "JSON in a string, as FeastError")))]
pub(super) async fn retrieve_online_documents() -> Error {
    searching()
}

fn searching() -> Error {
    Problem::new(Kind::Unsupported, "searching for vectors and texts is not supported yet", None).into()
}
