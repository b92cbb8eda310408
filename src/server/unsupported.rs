//! What Feast's server does and this one does not yet.

use super::{asker::Asker, detail::Detail, error::Error};
use crate::problem::{Kind, Problem};

/// Search for similar vectors; not supported yet
#[utoipa::path(post, path = "/search", tag = "features", responses((status = 401, body = Detail, description = "Nobody knows who asks"), (status = 501, body = String, description = "JSON in a string, as FeastError")))]
pub(super) async fn search(_: Asker) -> Error {
    searching()
}

/// The old name of `/search`; not supported yet
#[utoipa::path(post, path = "/retrieve-online-documents", tag = "features", responses((status = 401, body = Detail, description = "Nobody knows who asks"), (status = 501, body = String, description = "JSON in a string, as FeastError")))]
pub(super) async fn retrieve_online_documents(_: Asker) -> Error {
    searching()
}

fn searching() -> Error {
    Problem::new(Kind::Unsupported, "searching for vectors and texts is not supported yet", None).into()
}
