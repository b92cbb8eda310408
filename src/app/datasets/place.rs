//! The one place where a server makes and reads datasets of a project for clients, who name paths of its machine.

use std::{fs, path::Path};

use crate::{
    app::FeatureStore,
    config::BucketUrl,
    model::printable,
    problem::{Kind, Problem},
};

/// The folder with the datasets of a project, or its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place(String);

impl Place {
    /// The place that the settings name.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] where they name none.
    pub(super) fn of(store: &FeatureStore) -> Result<Self, Problem> {
        let folder = store.config().registry_server.datasets.as_ref().ok_or_else(|| {
            let help = "name a folder for them in the server's feature_store.yaml: `feastr: {registry_server: {datasets: FOLDER}}`";
            Problem::new(Kind::Unsupported, "this server neither makes nor reads datasets", help.to_owned())
        })?;
        Ok(Self(format!("{folder}/{}", store.project())))
    }

    /// The path of what a client names, which may leave out the folder.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when it is anywhere else.
    pub(super) fn path(&self, named: &str) -> Result<String, Problem> {
        let named = named.trim();
        match self.within(named) {
            Some(path) => Ok(format!("{}/{path}", self.0)),
            None => {
                let message =
                    format!("`{}` is not in {}, where datasets of this project are", printable(named), self.0);
                Err(Problem::new(
                    Kind::Invalid,
                    message,
                    "name a path within it, such as `training.parquet`".to_owned(),
                ))
            }
        }
    }

    /// Whether files of a dataset are there.
    pub(super) fn has(&self, path: &str) -> bool {
        path.starts_with(&self.0) && self.within(path).is_some_and(|within| path.len() > within.len())
    }

    /// A path from the folder on, if it leads nowhere else.
    fn within<'p>(&self, path: &'p str) -> Option<&'p str> {
        let within = path.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
        let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
        within.split('/').all(is_name).then_some(within)
    }

    /// Makes sure that files can be made at a path that is there.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub(super) fn prepare(&self, store: &FeatureStore, path: &str) -> Result<(), Problem> {
        if BucketUrl::is_one(&self.0) {
            return Ok(());
        }
        let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(&self.0));
        fs::create_dir_all(store.config().repo.join(folder)).map_err(|error| {
            let message = format!("folder {} cannot be made: {error}", folder.display());
            Problem::new(Kind::Unavailable, message, None)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_name_is_in_the_folder_of_their_project() {
        let place = Place("sets/shop".to_owned());
        for (named, path) in [
            ("t.parquet", Some("sets/shop/t.parquet")),
            (" a/b ", Some("sets/shop/a/b")),
            ("sets/shop/t.parquet", Some("sets/shop/t.parquet")),
            ("sets/other/t.parquet", Some("sets/shop/sets/other/t.parquet")),
            ("sets/shopping", Some("sets/shop/sets/shopping")),
            ("", None),
            ("/etc/t.parquet", None),
            ("../t.parquet", None),
            ("sets/shop/../other/t.parquet", None),
            ("a//b", None),
            ("a/", None),
            ("s3://b/t.parquet", None),
            ("sets/shop/", None),
            ("a\\..\\b", None),
        ] {
            assert_eq!(place.path(named).ok().as_deref(), path, "{named}");
        }
        let in_bucket = Place("s3://b/sets/shop".to_owned());
        assert_eq!(in_bucket.path("s3://b/sets/shop/t.parquet").unwrap(), "s3://b/sets/shop/t.parquet");
        assert_eq!(in_bucket.path("t").unwrap(), "s3://b/sets/shop/t");
        assert!(in_bucket.path("s3://b/sets/other/t").is_err());
    }

    #[test]
    fn what_is_registered_elsewhere_is_not_in_it() {
        let place = Place("sets/shop".to_owned());
        assert!(place.has("sets/shop/t.parquet"));
        for path in ["t.parquet", "sets/shop", "sets/shop/", "sets/shopping/t", "sets/shop/../t", "/sets/shop/t"] {
            assert!(!place.has(path), "{path}");
        }
    }
}
