//! What is in a bucket, in pages as stores give them.

use futures_util::{Stream, TryStreamExt as _};
use object_store::path::Path;

use super::{Bucket, Object, failure, object};
use crate::problem::Problem;

/// What is directly in a folder of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Keys of folders, without a slash at their end, sorted.
    pub folders: Vec<String>,
    /// Objects, sorted by key.
    pub objects: Vec<Object>,
}

impl Bucket {
    /// All objects whose keys begin with a folder's, in pages as the store gives them, sorted by key. The folder is whole:
    /// `a/b` has nothing of `a/bc`.
    pub fn list(&self, folder: &str) -> impl Stream<Item = Result<Object, Problem>> + Send + use<> {
        let (bucket, folder) = (self.clone(), folder.trim_end_matches('/').to_owned());
        let prefix = Path::parse(&folder).ok().filter(|_| !folder.is_empty());
        let listed = self.store.list(prefix.as_ref());
        listed.map_ok(object).map_err(move |error| bucket.explain("list", &folder, &error))
    }

    /// Those of a folder whose keys sort behind another one.
    pub fn list_after(&self, folder: &str, after: &str) -> impl Stream<Item = Result<Object, Problem>> + Send + use<> {
        let (bucket, folder) = (self.clone(), folder.trim_end_matches('/').to_owned());
        let prefix = Path::parse(&folder).ok().filter(|_| !folder.is_empty());
        // A slash at the end does not change what sorts behind it.
        let listed = match Path::parse(after.trim_end_matches('/')) {
            Ok(after) => self.store.list_with_offset(prefix.as_ref(), &after),
            Err(_) => self.store.list(prefix.as_ref()),
        };
        listed.map_ok(object).map_err(move |error| bucket.explain("list", &folder, &error))
    }

    /// All in a folder; `None` where the store does not let us look, though it may let us read what is there.
    ///
    /// # Errors
    /// When the store gives no answer.
    pub async fn list_if_allowed(&self, folder: &str) -> Result<Option<Vec<Object>>, Problem> {
        match self.store.list(Some(&self.path(folder)?)).map_ok(object).try_collect().await {
            Ok(listed) => Ok(Some(listed)),
            Err(error) if failure::is_denied(&error) => Ok(None),
            Err(error) => Err(self.explain("list", folder, &error)),
        }
    }

    /// What is directly in a folder.
    ///
    /// # Errors
    /// When the store gives no answer or does not let us look.
    pub async fn list_folder(&self, folder: &str) -> Result<Listing, Problem> {
        let folder = folder.trim_end_matches('/');
        let prefix = if folder.is_empty() { None } else { Some(self.path(folder)?) };
        let listed = self.store.list_with_delimiter(prefix.as_ref()).await;
        let listed = listed.map_err(|error| self.explain("list", folder, &error))?;
        let mut folders: Vec<String> = listed.common_prefixes.into_iter().map(|prefix| prefix.to_string()).collect();
        let mut objects: Vec<Object> = listed.objects.into_iter().map(object).collect();
        folders.sort();
        objects.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(Listing { folders, objects })
    }
}
