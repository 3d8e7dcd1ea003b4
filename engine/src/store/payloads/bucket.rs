//! Payloads in an S3-compatible object store. Must not know what is in them.

use super::{KeptPayload, PayloadError, PayloadPlace};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// Where the bucket is and who asks. What is missing comes from the environment variables `AWS_…`, or from the machine's
/// role.
#[derive(Clone, Default)]
pub struct BucketSettings {
    /// Name of the bucket.
    pub bucket: String,
    /// Before every key; empty for none.
    pub prefix: String,
    /// Address of a server that is not Amazon's, such as `https://minio.internal:9000`.
    pub endpoint: Option<String>,
    /// Such as `eu-central-1`.
    pub region: Option<String>,
    /// Who asks.
    pub key_id: Option<String>,
    /// Proof of it.
    pub secret: Option<String>,
}

impl std::fmt::Debug for BucketSettings {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketSettings")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A bucket of payloads.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Arc<AmazonS3>,
    prefix: Path,
    name: String,
}

impl Bucket {
    /// A bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// `Setting` when the settings cannot be right.
    pub fn new(settings: &BucketSettings) -> Result<Self, PayloadError> {
        let wrong = |error: &dyn std::error::Error| PayloadError::Setting(error.to_string());
        // A commit waits for the answer, so the patience is short; the driver tries the whole commit again.
        let retry = RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() },
            max_retries: 4,
            retry_timeout: Duration::from_secs(20),
        };
        let is_plain = settings.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
        let client = ClientOptions::new()
            .with_allow_http(is_plain)
            .with_connect_timeout(Duration::from_secs(5))
            .with_timeout(Duration::from_secs(30));
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&settings.bucket)
            .with_client_options(client)
            .with_retry(retry)
            // One request per payload: not every compatible server knows the request for many.
            .with_disable_bulk_delete(true);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        if let (Some(id), Some(secret)) = (&settings.key_id, &settings.secret) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        let prefix = Path::parse(&settings.prefix).map_err(|error| wrong(&error))?;
        let name = match prefix.as_ref() {
            "" => format!("s3://{}", settings.bucket),
            prefix => format!("s3://{}/{prefix}", settings.bucket),
        };
        Ok(Self { client: Arc::new(builder.build().map_err(|error| wrong(&error))?), prefix, name })
    }

    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn failed(&self, source: Error) -> PayloadError {
        PayloadError::Remote { place: self.name.clone(), source: source.into() }
    }
}

#[async_trait]
impl PayloadPlace for Bucket {
    async fn put(&self, key: &str, body: Bytes) -> Result<(), PayloadError> {
        self.client.put(&self.path(key), body.into()).await.map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PayloadError> {
        let found = match self.client.get(&self.path(key)).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        match found {
            Ok(body) => Ok(Some(body)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), PayloadError> {
        match self.client.delete(&self.path(key)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn list(&self) -> BoxStream<'static, Result<KeptPayload, PayloadError>> {
        let bucket = self.clone();
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let listed = self.client.list(prefix);
        listed
            .map(move |found| {
                let found = found.map_err(|error| bucket.failed(error))?;
                let parts = found
                    .location
                    .prefix_match(&bucket.prefix)
                    .map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"));
                Ok(KeptPayload {
                    key: parts.unwrap_or_else(|| found.location.to_string()),
                    written_at: found.last_modified.timestamp_millis(),
                })
            })
            .boxed()
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
