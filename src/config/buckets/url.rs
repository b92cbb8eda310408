//! Names of files and folders in buckets, as Feast and the tools of the stores write them.

use std::fmt;

use crate::problem::{Kind, Problem};

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreOfBuckets {
    /// S3, of Amazon or compatible.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage, whose buckets are containers of an account.
    Azure,
}

impl StoreOfBuckets {
    /// The kind behind a scheme of URLs, whatever its case.
    pub fn of_scheme(scheme: &str) -> Option<Self> {
        Some(match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" | "s3n" => Self::S3,
            "gs" | "gcs" => Self::Gcs,
            "az" | "abfs" | "abfss" | "wasb" | "wasbs" | "adl" => Self::Azure,
            _ => return None,
        })
    }
}

/// The name of the store, as it stands in a sentence.
impl fmt::Display for StoreOfBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S3 => "S3",
            Self::Gcs => "Google Cloud Storage",
            Self::Azure => "Azure Blob Storage",
        })
    }
}

/// A bucket, or a file or folder in it: `s3://bucket/key`, `gs://bucket/key`, `az://container/key`,
/// `abfss://container@account.dfs.core.windows.net/key`, `https://account.blob.core.windows.net/container/key`.
///
/// Keys are taken as they are written: nothing in them is decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketUrl {
    /// What has the bucket.
    pub store: StoreOfBuckets,
    /// The bucket, or the container of Azure.
    pub bucket: String,
    /// The account of Azure that has the container, if the URL says so.
    pub account: Option<String>,
    /// What is before the key, as written, with a slash at its end.
    root: String,
    /// The key, without a slash at its beginning; empty for the bucket itself.
    pub key: String,
}

impl BucketUrl {
    /// Reads an URL; `None` when the text is none of a bucket.
    ///
    /// # Errors
    /// When it names no bucket.
    pub fn parse(text: &str) -> Option<Result<Self, Problem>> {
        let (scheme, rest) = text.split_once("://")?;
        if scheme.eq_ignore_ascii_case("https") {
            return of_azure(rest).map(Ok);
        }
        let store = StoreOfBuckets::of_scheme(scheme)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, account) = match (store, bucket.split_once('@')) {
            (StoreOfBuckets::Azure, Some((container, host))) => (container, host.split('.').next()),
            _ => (bucket, None),
        };
        let root = format!("{scheme}://{}/", rest.split_once('/').map_or(rest, |(host, _)| host));
        let url = Self {
            store,
            bucket: bucket.to_owned(),
            account: account.map(str::to_owned),
            root,
            key: key.trim_start_matches('/').to_owned(),
        };
        Some(if url.bucket.is_empty() || url.account.as_deref() == Some("") {
            let help = format!("write {scheme}://bucket/folder/file");
            Err(Problem::new(Kind::Invalid, format!("`{text}` names no bucket"), help))
        } else {
            Ok(url)
        })
    }

    /// Whether a text begins as URLs of buckets do.
    pub fn is_one(text: &str) -> bool {
        Self::parse(text).is_some()
    }

    /// The same bucket with another key.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self.clone() }
    }

    /// Something in the folder that this is.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match self.key.trim_end_matches('/') {
            "" => self.with_key(name),
            key => self.with_key(format!("{key}/{name}")),
        }
    }

    /// The URL of the bucket alone.
    pub fn root(&self) -> &str {
        self.root.trim_end_matches('/')
    }
}

/// Feast's form for Azure, behind `https://`.
fn of_azure(rest: &str) -> Option<BucketUrl> {
    let (host, path) = rest.split_once('/')?;
    let account = host.strip_suffix(".blob.core.windows.net").filter(|account| !account.is_empty())?;
    let (container, key) = path.split_once('/').unwrap_or((path, ""));
    (!container.is_empty()).then(|| BucketUrl {
        store: StoreOfBuckets::Azure,
        bucket: container.to_owned(),
        account: Some(account.to_owned()),
        root: format!("https://{host}/{container}/"),
        key: key.to_owned(),
    })
}

/// The URL as it is written.
impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.root, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> BucketUrl {
        BucketUrl::parse(text).unwrap().unwrap()
    }

    #[test]
    fn urls_of_all_stores() {
        let of = |text: &str| {
            let url = parsed(text);
            assert_eq!(url.to_string(), text);
            (url.store, url.bucket, url.account, url.key)
        };
        let s3 = |key: &str| (StoreOfBuckets::S3, "b".to_owned(), None, key.to_owned());
        assert_eq!(of("s3://b/day=1/a b+c%20ü.parquet"), s3("day=1/a b+c%20ü.parquet"));
        assert_eq!(of("S3A://b/x/"), s3("x/"));
        assert_eq!(of("gs://b/x"), (StoreOfBuckets::Gcs, "b".into(), None, "x".into()));
        assert_eq!(of("az://c/x"), (StoreOfBuckets::Azure, "c".into(), None, "x".into()));
        let azure = (StoreOfBuckets::Azure, "c".to_owned(), Some("a".to_owned()), "x/y".to_owned());
        assert_eq!(of("abfss://c@a.dfs.core.windows.net/x/y"), azure);
        assert_eq!(of("https://a.blob.core.windows.net/c/x/y"), azure);
        assert_eq!(parsed("s3://b").to_string(), "s3://b/");
    }

    #[test]
    fn other_texts_are_no_buckets() {
        for text in ["data/x", "file:///x", "http://b/x", "https://example.org/c/x", "postgresql://b/x"] {
            assert!(!BucketUrl::is_one(text), "{text}");
        }
        let problem = BucketUrl::parse("s3:///x").unwrap().unwrap_err();
        assert_eq!(problem.message, "`s3:///x` names no bucket");
    }

    #[test]
    fn keys_are_joined() {
        assert_eq!(parsed("s3://b/x/").join("y").to_string(), "s3://b/x/y");
        assert_eq!(parsed("s3://b").join("y").to_string(), "s3://b/y");
        assert_eq!(parsed("s3://b/x").root(), "s3://b");
    }
}
