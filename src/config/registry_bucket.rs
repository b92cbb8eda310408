//! A registry in a bucket: where it is, who we are for it, and Feast's options for it.

use serde_json::{Map, Value, json};

use super::{BucketSettings, BucketUrl, Environment, RegistryDatabase, StoreOfBuckets, variables};
use crate::{
    diagnostics::{Diagnostics, Span},
    yaml::{Node, Read as _, Spanned},
};

/// Feast's protobuf file in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRegistryConfig {
    /// The object.
    pub url: BucketUrl,
    /// How its store is reached.
    pub buckets: BucketSettings,
    /// The database whose locks keep writers apart, where the store cannot.
    pub lock: Option<RegistryDatabase>,
}

/// Feast's classes for registries in files, and where each looks.
const STORES: [(&str, Option<StoreOfBuckets>); 5] = [
    ("FileRegistryStore", None),
    ("S3RegistryStore", Some(StoreOfBuckets::S3)),
    ("GCSRegistryStore", Some(StoreOfBuckets::Gcs)),
    ("AzureRegistryStore", Some(StoreOfBuckets::Azure)),
    ("AzBlobRegistryStore", Some(StoreOfBuckets::Azure)),
];

impl BucketRegistryConfig {
    /// The registry at an URL; `None` after an error, or when the text is no URL of a bucket.
    pub(super) fn at(
        text: &str,
        span: &Span,
        environment: Environment<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let url = match BucketUrl::parse(text)? {
            Ok(url) => url,
            Err(problem) => {
                diagnostics.problem(span, problem);
                return None;
            }
        };
        if url.key.is_empty() || url.key.ends_with('/') {
            diagnostics.error_with_help(
                span,
                format!("`{text}` names no file in the bucket"),
                format!("write {}", url.join("registry.pb")),
            );
            return None;
        }
        // As in Feast, a registry may be at another address, and of another account, than the sources.
        let named = |name: &str| environment(name).filter(|value| !value.is_empty());
        let buckets = BucketSettings::of(environment);
        let buckets = match url.store {
            StoreOfBuckets::S3 => buckets.at(named(variables::FEAST_S3_ENDPOINT_URL).as_deref()),
            StoreOfBuckets::Azure => match named(variables::REGISTRY_BLOB_KEY) {
                Some(key) => buckets.with(variables::AZURE_STORAGE_ACCOUNT_KEY, key),
                None => buckets,
            },
            StoreOfBuckets::Gcs => buckets,
        };
        Some(Self { url, buckets, lock: None })
    }

    /// The same with Feast's options for what is written to S3.
    #[must_use]
    pub(super) fn with_options(mut self, options: Option<&Node>, diagnostics: &mut Diagnostics) -> Self {
        for (key, node) in options.and_then(Node::entries).unwrap_or_default() {
            let name = key.as_text().unwrap_or("this option");
            let variable = match name {
                "ServerSideEncryption" => variables::AWS_SERVER_SIDE_ENCRYPTION,
                "SSEKMSKeyId" => variables::AWS_SSE_KMS_KEY_ID,
                _ => {
                    let help = (name == "ACL").then(|| "let a policy of the bucket say who may read it".to_owned());
                    diagnostics.warning(&key.span, format!("`{name}` has no effect in feastr"), help);
                    continue;
                }
            };
            if let Some(Spanned { value, .. }) = Spanned::<String>::read(node, diagnostics) {
                self.buckets = self.buckets.with(variable, value);
            }
        }
        self
    }

    /// The settings of the registry as they are understood.
    pub(super) fn settings(&self) -> Value {
        let mut settings = json!({ "registry_type": "file", "path": self.url.to_string() });
        let said = [
            ("ServerSideEncryption", variables::AWS_SERVER_SIDE_ENCRYPTION),
            ("SSEKMSKeyId", variables::AWS_SSE_KMS_KEY_ID),
        ];
        let options: Map<String, Value> = said
            .into_iter()
            .filter_map(|(name, variable)| Some((name.to_owned(), self.buckets.get(variable)?.into())))
            .collect();
        if !options.is_empty() {
            settings["s3_additional_kwargs"] = options.into();
        }
        if let Some(lock) = &self.lock {
            settings["lock"] = lock.masked_url().into();
        }
        settings
    }
}

/// Says where Feast's class for a registry does not go together with its path, which alone says where the registry is.
pub(super) fn check_store_type(node: Option<&Node>, url: Option<&BucketUrl>, diagnostics: &mut Diagnostics) {
    let Some(node) = node else { return };
    let Some(Spanned { value, span }) = Spanned::<String>::read(node, diagnostics) else { return };
    let name = value.rsplit('.').next().unwrap_or_default();
    match STORES.iter().find(|(known, _)| *known == name) {
        Some((_, store)) if *store == url.map(|url| url.store) => {}
        Some(_) => diagnostics.error_with_help(
            &span,
            format!("`{value}` does not go together with the path of the registry"),
            "leave it out: the path says where the registry is".to_owned(),
        ),
        None => diagnostics.warning(
            &span,
            format!("`{value}` has no effect in feastr"),
            "the path says where the registry is: a file, s3://…, gs://… or az://…".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::{
        config::{RegistryConfig, load},
        diagnostics::SourceText,
    };

    fn read(registry: &str) -> (Option<RegistryConfig>, Vec<String>) {
        let file = Arc::new(SourceText::new("/repo/feature_store.yaml", format!("project: p\nregistry: {registry}\n")));
        let environment = |name: &str| match name {
            "AWS_SECRET_ACCESS_KEY" => Some("s3cret".to_owned()),
            "AWS_ENDPOINT_URL" => Some("http://data".to_owned()),
            "FEAST_S3_ENDPOINT_URL" => Some("http://registry".to_owned()),
            "REGISTRY_BLOB_KEY" => Some("of the registry".to_owned()),
            "AZURE_STORAGE_ACCOUNT_KEY" => Some("of the data".to_owned()),
            _ => None,
        };
        let mut diagnostics = Diagnostics::default();
        let paths = [Path::new("/repo"), Path::new("/repo/feature_store.yaml")];
        let config = load(&file, paths, &environment, &mut diagnostics);
        let said = diagnostics.into_sorted().into_iter().map(|found| found.message).collect();
        (config.map(|config| config.registry), said)
    }

    fn bucket(registry: &str) -> BucketRegistryConfig {
        match read(registry) {
            (Some(RegistryConfig::Bucket(bucket)), said) if said.is_empty() => bucket,
            (config, said) => panic!("{config:?} {said:?}"),
        }
    }

    #[test]
    fn registries_of_all_stores() {
        for url in ["s3://b/team/r.pb", "gs://b/r.pb", "az://c/r.pb", "https://a.blob.core.windows.net/c/r.pb"] {
            let found = bucket(url);
            assert_eq!(found.url.to_string(), url);
            assert_eq!(bucket(&format!("{{registry_type: file, path: '{url}'}}")), found);
            assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
        }
        let s3 = bucket("{path: s3://b/r.pb, registry_store_type: S3RegistryStore}");
        assert_eq!(s3.buckets.get("AWS_ENDPOINT_URL_S3"), Some("http://registry"));
        let azure = bucket("{path: az://c/r.pb, registry_store_type: AzBlobRegistryStore}");
        assert_eq!(azure.buckets.get("AZURE_STORAGE_ACCOUNT_KEY"), Some("of the registry"));
        assert_eq!(bucket("gs://b/r.pb").buckets.get("AWS_ENDPOINT_URL_S3"), None);
    }

    #[test]
    fn options_for_writing_are_taken_or_said_to_be_without_effect() {
        let encrypted = bucket(
            "{path: s3://b/r.pb, s3_additional_kwargs: {ServerSideEncryption: aws:kms, SSEKMSKeyId: arn:aws:kms:key}}",
        );
        let settings = encrypted.settings();
        assert_eq!(settings["s3_additional_kwargs"]["ServerSideEncryption"], "aws:kms");
        assert_eq!(settings["s3_additional_kwargs"]["SSEKMSKeyId"], "arn:aws:kms:key");
        let (config, said) = read("{path: s3://b/r.pb, s3_additional_kwargs: {ACL: public-read}}");
        assert!(config.is_some());
        assert_eq!(said, ["`ACL` has no effect in feastr"]);
    }

    #[test]
    fn a_database_keeps_writers_apart_where_the_store_cannot() {
        let locked = bucket("{path: s3://b/r.pb, lock: 'postgresql://u:pw@h/d'}");
        assert_eq!(locked.settings()["lock"], "postgresql://u:***@h/d");
        assert!(!format!("{locked:?}").contains("pw"), "{locked:?}");
        assert_eq!(bucket("{path: s3://b/r.pb}").lock, None);
        for (registry, message) in [
            ("{path: s3://b/r.pb, lock: data/lock}", "is not the URL of a database"),
            ("{path: data/r.db, lock: 'sqlite:///l.db'}", "`lock` has no effect: this registry has locks of its own"),
            ("{registry_type: sql, path: 'sqlite:///r.db', lock: 'sqlite:///l.db'}", "`lock` has no effect"),
        ] {
            let (_, said) = read(registry);
            assert!(said.len() == 1 && said[0].contains(message), "{registry}: {said:?}");
        }
    }

    #[test]
    fn what_is_no_place_for_a_registry_is_said() {
        for (registry, message) in [
            ("s3://b", "`s3://b` names no file in the bucket"),
            ("s3://b/folder/", "`s3://b/folder/` names no file in the bucket"),
            ("s3:///r.pb", "`s3:///r.pb` names no bucket"),
            ("hdfs://b/r.pb", "a registry in `hdfs` is not supported yet"),
            (
                "{path: gs://b/r.pb, registry_store_type: S3RegistryStore}",
                "`S3RegistryStore` does not go together with the path of the registry",
            ),
            (
                "{path: data/r.db, registry_store_type: S3RegistryStore}",
                "`S3RegistryStore` does not go together with the path of the registry",
            ),
        ] {
            let (config, said) = read(registry);
            assert!(config.is_none(), "{registry}");
            assert_eq!(said, [message], "{registry}");
        }
        let (config, said) = read("{path: data/r.db, registry_store_type: ours.OurRegistryStore}");
        assert!(config.is_some());
        assert_eq!(said, ["`ours.OurRegistryStore` has no effect in feastr"]);
    }
}
