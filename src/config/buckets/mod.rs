//! Files in buckets of object stores: how they are named, and what the environment says of how to reach them.

mod settings;
mod url;

pub use settings::BucketSettings;
pub use url::{BucketUrl, StoreOfBuckets};
