//! Where objects are, and which of them a source has, as far as paths say it.

use std::path::Path;

use globset::GlobBuilder;
use percent_encoding::percent_decode_str;

use super::event::BucketEvent;
use crate::config::{BucketUrl, EntityIndexConfig};

/// A place of files: a bucket or this machine, and the names from there on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// The bucket or container; `None` is this machine.
    bucket: Option<String>,
    /// What stands in front of the key, such as `s3://bucket/` or `/`.
    prefix: String,
    /// What follows, as it is written.
    key: String,
    /// The names of folders in it, and that of the file.
    parts: Vec<String>,
}

impl Location {
    /// The location of a source's path; relative ones start at `repo`. `None` for what is no place of files.
    pub(super) fn of_source(path: &str, repo: &Path) -> Option<Self> {
        match (BucketUrl::parse(path), path.split_once("://")) {
            (Some(url), _) => url.ok().map(|url| Self::new(Some(&url.bucket), format!("{}/", url.root()), &url.key)),
            (None, Some((scheme, rest))) if scheme.eq_ignore_ascii_case("file") => {
                let path = rest.find('/').map_or(rest, |slash| &rest[slash..]);
                Some(Self::local(&percent_decode_str(path).decode_utf8_lossy()))
            }
            _ => repo.join(path.strip_prefix("./").unwrap_or(path)).to_str().map(Self::local),
        }
    }

    /// Where the object of an event is: in its bucket, or in the folder that the settings name for that.
    pub(super) fn of_event(event: &BucketEvent, config: &EntityIndexConfig) -> Self {
        match config.buckets.get(&event.bucket) {
            Some(folder) => Self::local(&format!("{}/{}", folder.display(), event.key)),
            None => Self::new(Some(&event.bucket), String::new(), &event.key),
        }
    }

    /// The location of a file as a source's listing names it.
    pub(super) fn of_file(path: &str) -> Option<Self> {
        Self::of_source(path, Path::new("/"))
    }

    fn local(path: &str) -> Self {
        Self::new(None, "/".to_owned(), path.trim_start_matches('/'))
    }

    fn new(bucket: Option<&str>, prefix: String, key: &str) -> Self {
        let parts = key.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
        Self { bucket: bucket.map(str::to_owned), prefix, key: key.to_owned(), parts }
    }

    /// Whether only a folder can be meant.
    fn is_folder(&self) -> bool {
        self.key.ends_with('/') || self.key.is_empty()
    }

    /// The path by which a source at this place knows an object, if by its path it may be one of the source's.
    pub(super) fn path_of(&self, object: &Self) -> Option<String> {
        let is_near = self.bucket == object.bucket && !object.is_folder() && self.takes(&object.parts);
        is_near.then(|| format!("{}{}", self.prefix, object.key))
    }

    fn takes(&self, object: &[String]) -> bool {
        let below = |folders: usize| object.len() > folders && !is_hidden(&object[folders..]);
        if object.starts_with(&self.parts) {
            return object.len() == self.parts.len() && !self.is_folder() || below(self.parts.len());
        }
        // What was added to a source that is one file.
        if let Some((last, folders)) = self.parts.split_last()
            && object.starts_with(folders)
            && object.get(folders.len()).is_some_and(|folder| *folder == format!("{last}.d"))
        {
            return below(self.parts.len());
        }
        let Some(literal) = self.parts.iter().position(|part| part.contains(WILD)) else { return false };
        if !object.starts_with(&self.parts[..literal]) {
            return false;
        }
        let pattern = self.parts[literal..].join("/");
        let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
        let Ok(glob) = glob else { return false };
        let (matcher, rest) = (glob.compile_matcher(), &object[literal..]);
        let asks_for_hidden = self.parts[literal..].iter().any(|part| part.starts_with(['.', '_']));
        // A folder that matches stands for everything in it.
        (1..=rest.len()).any(|length| {
            let is_whole = length == rest.len();
            let is_shown = asks_for_hidden || !is_hidden(rest);
            let is_match = matcher.is_match(rest[..length].join("/"));
            is_match && is_shown && if is_whole { !self.is_folder() } else { below(literal + length) }
        })
    }
}

/// The marks of patterns.
const WILD: [char; 4] = ['*', '?', '[', '{'];

/// Whether one of the names below a folder says that this is not data, as in folders of this machine.
fn is_hidden(names: &[String]) -> bool {
    let may_have_columns = names.len() - 1;
    let hides = |(place, name): (usize, &String)| {
        name.starts_with('.') || name.starts_with('_') && !(place < may_have_columns && name.contains('='))
    };
    names.iter().enumerate().any(hides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity_index::event::Change;

    fn object(key: &str) -> Location {
        let event = BucketEvent {
            bucket: "lake".into(),
            key: key.into(),
            change: Change::Written,
            time: None,
            sequencer: None,
            etag: None,
        };
        Location::of_event(&event, &EntityIndexConfig::default())
    }

    fn path_of(source: &str, key: &str) -> Option<String> {
        Location::of_source(source, Path::new("/repo")).unwrap().path_of(&object(key))
    }

    fn takes(source: &str, key: &str) -> bool {
        path_of(source, key).is_some()
    }

    #[test]
    fn a_folder_has_what_is_below_it() {
        for source in ["s3://lake/drivers", "s3://lake/drivers/"] {
            assert_eq!(path_of(source, "drivers/day=1/p q.parquet").unwrap(), "s3://lake/drivers/day=1/p q.parquet");
            assert!(!takes(source, "drivers2/x.parquet") && !takes(source, "other/drivers/x.parquet"));
            assert!(!takes(source, "drivers/_SUCCESS") && !takes(source, "drivers/.tmp/x.parquet"));
            assert!(!takes(source, "drivers/_delta_log/0.json") && takes(source, "drivers/_day=1/x.parquet"));
        }
        assert!(takes("s3://lake", "any/where.parquet") && takes("s3://lake/", "x"));
        assert!(!takes("s3://sea/drivers", "drivers/x.parquet"));
    }

    #[test]
    fn an_object_is_itself_and_what_was_added_to_it() {
        assert_eq!(path_of("gs://lake/a/x.parquet", "a/x.parquet").unwrap(), "gs://lake/a/x.parquet");
        assert!(takes("s3://lake/a/x.parquet", "a/x.parquet.d/push-1.parquet"));
        assert!(!takes("s3://lake/a/x.parquet", "a/x.parquet.bak") && !takes("s3://lake/a/x.parquet", "a/y.parquet"));
        assert!(takes("s3://lake/_hidden/x.parquet", "_hidden/x.parquet"));
    }

    #[test]
    fn patterns_match_names_and_folders() {
        let source = "s3://lake/drivers/day=2026-*/part-?.parquet";
        assert!(takes(source, "drivers/day=2026-01-01/part-1.parquet"));
        assert!(!takes(source, "drivers/day=2025-01-01/part-1.parquet"));
        assert!(!takes(source, "drivers/day=2026-01-01/deeper/part-1.parquet"));
        assert!(takes("s3://lake/**/*.parquet", "a/b/c.parquet") && !takes("s3://lake/**/*.parquet", "a/.b/c.parquet"));
        assert!(
            takes("s3://lake/{a,b}/x.parquet", "b/x.parquet") && !takes("s3://lake/{a,b}/x.parquet", "c/x.parquet")
        );
        assert!(takes("s3://lake/day=*", "day=1/hour=2/x.parquet") && !takes("s3://lake/day=*/", "day=1"));
        assert!(takes("s3://lake/[", "[") && !takes("s3://lake/[x", "x"));
    }

    #[test]
    fn other_clouds_have_containers() {
        assert_eq!(
            path_of("abfss://lake@account.dfs.core.windows.net/in", "in/x.parquet").unwrap(),
            "abfss://lake@account.dfs.core.windows.net/in/x.parquet"
        );
        assert_eq!(path_of("az://lake/in", "in/x.parquet").unwrap(), "az://lake/in/x.parquet");
    }

    #[test]
    fn buckets_may_be_folders_of_this_machine() {
        let buckets = [("lake".to_owned(), "/repo/lake".into())].into();
        let config = EntityIndexConfig { buckets, ..EntityIndexConfig::default() };
        let event = BucketEvent {
            bucket: "lake".into(),
            key: "in/x y.parquet".into(),
            change: Change::Written,
            time: None,
            sequencer: None,
            etag: None,
        };
        let object = Location::of_event(&event, &config);
        let path_of = |source: &str| Location::of_source(source, Path::new("/repo")).unwrap().path_of(&object);
        for source in ["lake/in", "./lake/in/", "/repo/lake/in", "file:///repo/lake/in", "lake/*/x*.parquet"] {
            assert_eq!(path_of(source).as_deref(), Some("/repo/lake/in/x y.parquet"), "{source}");
        }
        assert!(path_of("s3://lake/in").is_none() && path_of("lake/out").is_none());
    }
}
