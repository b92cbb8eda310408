//! Columns in the names of folders: `day=2026-01-01`.

use std::path::{Component, Path};

use percent_encoding::percent_decode_str;

/// The value that stands for null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// What the folders between `base` and the file say, from the outermost. Of a key that is there
/// twice, the inner folder's value counts.
pub(super) fn of(file: &Path, base: &Path) -> Vec<(String, Option<String>)> {
    let mut partitions: Vec<(String, Option<String>)> = Vec::new();
    let Some(folders) = file.strip_prefix(base).ok().and_then(Path::parent) else { return partitions };
    for folder in folders.components() {
        let Component::Normal(name) = folder else { continue };
        let name = name.to_string_lossy();
        let Some((key, value)) = name.split_once('=').filter(|(key, _)| !key.is_empty()) else { continue };
        let (key, value) = (decoded(key), (value != NULL).then(|| decoded(value)));
        match partitions.iter_mut().find(|(known, _)| *known == key) {
            Some((_, outer)) => *outer = value,
            None => partitions.push((key, value)),
        }
    }
    partitions
}

/// Writers escape keys as they do values. What does not decode is taken as it stands.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), |decoded| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_columns() {
        let of = |path: &str| of(Path::new(path), Path::new("/x=1/base"));
        let some = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        assert_eq!(of("/x=1/base/file"), []);
        assert_eq!(of("/x=1/base/a=1/plain/b=x=y/c=3.parquet"), [some("a", "1"), some("b", "x=y")]);
        assert_eq!(of("/x=1/base/a=1/b=2/a=3/f"), [some("a", "3"), some("b", "2")]);
        assert_eq!(of("/x=1/base/city=New%20York/f"), [some("city", "New York")]);
        assert_eq!(of("/x=1/base/a%20b=100%/f"), [some("a b", "100%")]);
        assert_eq!(of("/x=1/base/a=%FF/f"), [some("a", "%FF")]);
        assert_eq!(of("/x=1/base/a=/=b/f"), [some("a", "")]);
        assert_eq!(of("/x=1/base/day=__HIVE_DEFAULT_PARTITION__/f"), [("day".to_owned(), None)]);
    }
}
