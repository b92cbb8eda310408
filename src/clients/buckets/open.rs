//! From settings to a client of an object store.

use std::{path::Path as FilePath, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ObjectStore, RetryConfig, StaticCredentialProvider,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey},
};

use super::{
    Bucket,
    connector::Connector,
    profile::{Profile, ProfileKeys},
};
use crate::{
    clients::http::{self, Connecting},
    config::{BucketSettings, BucketUrl, StoreOfBuckets, variables},
    problem::{Kind, Problem},
};

/// How long a store may be silent while it answers.
const SILENCE: Duration = Duration::from_secs(30);
/// How long connections are kept while nobody uses them; stores close them soon after.
const IDLE: Duration = Duration::from_secs(20);
/// How often a request is tried again where that is safe.
const RETRIES: usize = 6;
/// For how long.
const RETRYING: Duration = Duration::from_secs(60);

/// What is said by a variable, and the client's name for it.
type Said<K> = (&'static str, K);

impl Bucket {
    /// Sets up a client, which asks nobody yet.
    pub(super) fn open(url: &BucketUrl, settings: &BucketSettings) -> Result<Self, Problem> {
        let (store, endpoint) = match url.store {
            StoreOfBuckets::S3 => s3(url, settings)?,
            StoreOfBuckets::Gcs => gcs(url, settings)?,
            StoreOfBuckets::Azure => azure(url, settings)?,
        };
        Ok(Self { store, url: url.with_key(""), endpoint: endpoint.map(Into::into) })
    }
}

fn s3(url: &BucketUrl, settings: &BucketSettings) -> Result<(Arc<dyn ObjectStore>, Option<String>), Problem> {
    const SAID: [Said<AmazonS3ConfigKey>; 14] = [
        (variables::AWS_ACCESS_KEY_ID, AmazonS3ConfigKey::AccessKeyId),
        (variables::AWS_SECRET_ACCESS_KEY, AmazonS3ConfigKey::SecretAccessKey),
        (variables::AWS_SESSION_TOKEN, AmazonS3ConfigKey::Token),
        (variables::AWS_VIRTUAL_HOSTED_STYLE_REQUEST, AmazonS3ConfigKey::VirtualHostedStyleRequest),
        (variables::AWS_SKIP_SIGNATURE, AmazonS3ConfigKey::SkipSignature),
        (variables::AWS_REQUEST_PAYER, AmazonS3ConfigKey::RequestPayer),
        (variables::AWS_ROLE_ARN, AmazonS3ConfigKey::RoleArn),
        (variables::AWS_ROLE_SESSION_NAME, AmazonS3ConfigKey::RoleSessionName),
        (variables::AWS_WEB_IDENTITY_TOKEN_FILE, AmazonS3ConfigKey::WebIdentityTokenFile),
        (variables::AWS_ENDPOINT_URL_STS, AmazonS3ConfigKey::StsEndpoint),
        (variables::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
        (variables::AWS_CONTAINER_CREDENTIALS_FULL_URI, AmazonS3ConfigKey::ContainerCredentialsFullUri),
        (variables::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
        (variables::AWS_METADATA_ENDPOINT, AmazonS3ConfigKey::MetadataEndpoint),
    ];
    // The client has no types for these, but texts.
    const OF_ENCRYPTION: [Said<&str>; 2] = [
        (variables::AWS_SERVER_SIDE_ENCRYPTION, "aws_server_side_encryption"),
        (variables::AWS_SSE_KMS_KEY_ID, "aws_sse_kms_key_id"),
    ];
    let profile = Profile::of(settings)?;
    let endpoint = settings.get(variables::AWS_ENDPOINT_URL_S3).or_else(|| settings.get(variables::AWS_ENDPOINT_URL));
    let endpoint = endpoint.map(str::to_owned).or_else(|| profile.endpoint.clone());
    let region = settings.get(variables::AWS_REGION).or_else(|| settings.get(variables::AWS_DEFAULT_REGION));
    let region = region.map(str::to_owned).or_else(|| profile.region.clone());
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&url.bucket)
        .with_region(region.unwrap_or_else(|| "us-east-1".to_owned()))
        .with_retry(retry())
        .with_http_connector(connector(url, endpoint.as_deref(), settings.get(variables::AWS_CA_BUNDLE))?);
    builder = told(builder, &SAID, |name| settings.get(name), |builder, key, value| builder.with_config(key, value));
    for (name, key) in OF_ENCRYPTION {
        if let Some(value) = settings.get(name) {
            builder = builder.with_config(key.parse().map_err(|error| unusable(url, &error))?, value);
        }
    }
    if let Some(endpoint) = &endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(true);
    }
    if knows_nobody(settings) {
        if let Some(keys) = ProfileKeys::of(settings, &profile)? {
            builder = builder.with_credentials(Arc::new(keys));
        } else if settings.is_on(variables::AWS_EC2_METADATA_DISABLED) {
            return Err(nobody(url));
        }
    }
    let store = builder.build().map_err(|error| unusable(url, &error))?;
    Ok((Arc::new(store), endpoint))
}

/// Whether none of the usual variables says who we are for S3.
fn knows_nobody(settings: &BucketSettings) -> bool {
    const SAYING: [&str; 4] = [
        variables::AWS_ACCESS_KEY_ID,
        variables::AWS_WEB_IDENTITY_TOKEN_FILE,
        variables::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
        variables::AWS_CONTAINER_CREDENTIALS_FULL_URI,
    ];
    !settings.is_on(variables::AWS_SKIP_SIGNATURE) && SAYING.iter().all(|name| settings.get(name).is_none())
}

fn nobody(url: &BucketUrl) -> Problem {
    Problem::new(
        Kind::Unavailable,
        format!("nothing says who we are for {}", url.root()),
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_SKIP_SIGNATURE=true reads as nobody what \
         everybody may read"
            .to_owned(),
    )
}

fn gcs(url: &BucketUrl, settings: &BucketSettings) -> Result<(Arc<dyn ObjectStore>, Option<String>), Problem> {
    const SAID: [Said<GoogleConfigKey>; 4] = [
        (variables::GOOGLE_APPLICATION_CREDENTIALS, GoogleConfigKey::ApplicationCredentials),
        (variables::GOOGLE_SERVICE_ACCOUNT, GoogleConfigKey::ServiceAccount),
        (variables::GOOGLE_SERVICE_ACCOUNT_KEY, GoogleConfigKey::ServiceAccountKey),
        (variables::GOOGLE_SKIP_SIGNATURE, GoogleConfigKey::SkipSignature),
    ];
    let endpoint = settings.get(variables::STORAGE_EMULATOR_HOST).map(|host| match host.contains("://") {
        true => host.trim_end_matches('/').to_owned(),
        false => format!("http://{host}"),
    });
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&url.bucket)
        .with_retry(retry())
        .with_http_connector(connector(url, endpoint.as_deref(), None)?);
    builder = told(builder, &SAID, |name| settings.get(name), |builder, key, value| builder.with_config(key, value));
    if let Some(endpoint) = &endpoint {
        builder = builder
            .with_config(GoogleConfigKey::BaseUrl, endpoint)
            // Not all of its requests heed that nobody is to be asked for a token.
            .with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential { bearer: String::new() })))
            .with_client_options(object_store::ClientOptions::new().with_allow_http(true));
    }
    let store = builder.build().map_err(|error| unusable(url, &error))?;
    Ok((Arc::new(store), endpoint))
}

fn azure(url: &BucketUrl, settings: &BucketSettings) -> Result<(Arc<dyn ObjectStore>, Option<String>), Problem> {
    const SAID: [Said<AzureConfigKey>; 8] = [
        (variables::AZURE_STORAGE_ACCOUNT_NAME, AzureConfigKey::AccountName),
        (variables::AZURE_STORAGE_ACCOUNT_KEY, AzureConfigKey::AccessKey),
        (variables::AZURE_STORAGE_SAS_TOKEN, AzureConfigKey::SasKey),
        (variables::AZURE_STORAGE_ENDPOINT, AzureConfigKey::Endpoint),
        (variables::AZURE_CLIENT_ID, AzureConfigKey::ClientId),
        (variables::AZURE_CLIENT_SECRET, AzureConfigKey::ClientSecret),
        (variables::AZURE_TENANT_ID, AzureConfigKey::AuthorityId),
        (variables::AZURE_FEDERATED_TOKEN_FILE, AzureConfigKey::FederatedTokenFile),
    ];
    let joined = settings.get(variables::AZURE_STORAGE_CONNECTION_STRING).unwrap_or_default();
    let in_text = |name: &str| {
        let mut parts = joined.split(';').filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let endpoint =
        settings.get(variables::AZURE_STORAGE_ENDPOINT).map(str::to_owned).or_else(|| in_text("BlobEndpoint"));
    let mut builder = MicrosoftAzureBuilder::new()
        .with_container_name(&url.bucket)
        .with_retry(retry())
        .with_http_connector(connector(url, endpoint.as_deref(), None)?);
    let parts = [
        ("AccountName", AzureConfigKey::AccountName),
        ("AccountKey", AzureConfigKey::AccessKey),
        ("SharedAccessSignature", AzureConfigKey::SasKey),
    ];
    builder = told(builder, &parts, in_text, |builder, key, value| builder.with_config(key, value));
    builder = told(builder, &SAID, |name| settings.get(name), |builder, key, value| builder.with_config(key, value));
    if let Some(account) = &url.account {
        builder = builder.with_account(account);
    }
    if let Some(endpoint) = &endpoint {
        builder = builder.with_endpoint(endpoint.clone()).with_allow_http(true);
    }
    let store = builder.build().map_err(|error| unusable(url, &error))?;
    Ok((Arc::new(store), endpoint))
}

/// A builder that was told all that is said, each under its name for it.
fn told<B, K: Copy, V>(
    builder: B,
    said: &[Said<K>],
    value: impl Fn(&'static str) -> Option<V>,
    tell: impl Fn(B, K, V) -> B,
) -> B {
    said.iter().fold(builder, |builder, (name, key)| match value(name) {
        Some(value) => tell(builder, *key, value),
        None => builder,
    })
}

fn retry() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(10), base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRYING }
}

fn connector(url: &BucketUrl, endpoint: Option<&str>, authorities: Option<&str>) -> Result<Connector, Problem> {
    let server = Connecting {
        name: url.root().to_owned(),
        setting: "the address of the store",
        authorities_setting: "AWS_CA_BUNDLE",
        authorities: authorities.map(FilePath::new),
        is_encrypted: endpoint.is_none_or(|endpoint| endpoint.starts_with("https")),
        is_verified: true,
        pool_size: usize::MAX,
        idle_timeout: Some(IDLE),
        retries: 0,
    };
    let builder = http::builder(&server)?.read_timeout(SILENCE);
    Ok(Connector(http::built(builder, &server.name)?))
}

fn unusable(url: &BucketUrl, error: &object_store::Error) -> Problem {
    let reason = match error {
        object_store::Error::Generic { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    let advice = match url.store {
        StoreOfBuckets::S3 => "correct the environment variables AWS_…",
        StoreOfBuckets::Gcs => "correct GOOGLE_APPLICATION_CREDENTIALS",
        StoreOfBuckets::Azure => "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    };
    Problem::new(Kind::Unavailable, format!("{} cannot be reached: {reason}", url.root()), advice.to_owned())
}
