use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use super::{BucketUrl, Environment, RegistryConfig, RemoteRegistryConfig, registry};
use crate::{
    diagnostics::{Diagnostics, SourceText, Span, without_logins},
    problem::{Kind, Problem},
    yaml::{Content, Node, Scalar},
};

/// The registry behind what a person names on the command line: a URL as in `registry.path` of the
/// settings, that of a registry server (`grpc://host:port`, `grpcs://…`), or a file, in a bucket or relative to `folder`.
///
/// # Errors
/// When there is no such kind of registry. No password is repeated.
pub fn registry_at(place: &str, folder: &Path, environment: Environment<'_>) -> Result<RegistryConfig, Problem> {
    if RemoteRegistryConfig::is_one(place) {
        return RemoteRegistryConfig::at(place, environment).map(RegistryConfig::Remote);
    }
    let path = folder.join(place);
    let (kind, path) = match place.contains("://") {
        true if BucketUrl::is_one(place) => ("file", place.to_owned()),
        true => ("sql", place.to_owned()),
        false if is_sqlite(&path) => ("sql", format!("sqlite:///{}", path.display())),
        false => ("file", place.to_owned()),
    };
    // An empty text stands for the settings file, so that no line with a password can be shown.
    let nowhere = Arc::new(SourceText::new("the command line", String::new()));
    let text =
        |text: &str| Node { span: Span::start_of(&nowhere), content: Content::Scalar(Scalar::Text(text.to_owned())) };
    let node = Node {
        span: Span::start_of(&nowhere),
        content: Content::Mapping(vec![(text("registry_type"), text(kind)), (text("path"), text(&path))]),
    };
    let mut diagnostics = Diagnostics::default();
    registry::registry(&node, folder, environment, &mut diagnostics).ok_or_else(|| {
        let (message, help) = diagnostics.into_sorted().into_iter().next().map_or_else(
            || ("this is not a registry".to_owned(), None),
            |found| (found.message, found.advice.map(|advice| advice.to_string())),
        );
        Problem::new(Kind::Invalid, without_logins(&message), help)
    })
}

/// Whether a file starts as SQLite databases do.
fn is_sqlite(path: &Path) -> bool {
    const START: [u8; 16] = *b"SQLite format 3\0";
    let mut start = [0; START.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == START
}
