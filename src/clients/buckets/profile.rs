//! Profiles of the tools of Amazon: keys, regions and addresses in two files of the user.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use configparser::ini::Ini;
use object_store::{CredentialProvider, aws::AwsCredential};

use crate::{
    config::{BucketSettings, variables},
    problem::{Kind, Problem},
};

/// What a profile says besides its keys.
#[derive(Debug, Default)]
pub(super) struct Profile {
    name: String,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<String>,
}

impl Profile {
    /// The profile that the settings name, or `default`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn of(settings: &BucketSettings) -> Result<Self, Problem> {
        let name = settings.get(variables::AWS_PROFILE).unwrap_or("default").to_owned();
        let Some(path) = place(settings, variables::AWS_CONFIG_FILE, "config") else {
            return Ok(Self { name, ..Self::default() });
        };
        let file = read(&path)?;
        let section = if name == "default" { name.clone() } else { format!("profile {name}") };
        let value = |key: &str| file.as_ref()?.get(&section, key);
        Ok(Self { region: value("region"), endpoint: value("endpoint_url"), name })
    }
}

/// The keys of a profile, which are read again when their file was written anew.
pub(super) struct ProfileKeys {
    path: PathBuf,
    name: String,
    read: Mutex<(Option<SystemTime>, Arc<AwsCredential>)>,
}

impl std::fmt::Debug for ProfileKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProfileKeys").field("path", &self.path).field("name", &self.name).finish_non_exhaustive()
    }
}

impl ProfileKeys {
    /// The keys of a profile; `None` when it has none and nobody named it.
    ///
    /// # Errors
    /// When the file cannot be read, or has no keys for a profile that is named.
    pub(super) fn of(settings: &BucketSettings, profile: &Profile) -> Result<Option<Self>, Problem> {
        let is_named = settings.get(variables::AWS_PROFILE).is_some();
        let path = place(settings, variables::AWS_SHARED_CREDENTIALS_FILE, "credentials");
        let found = match &path {
            Some(path) => keys(path, &profile.name)?.map(|keys| (path.clone(), keys)),
            None => None,
        };
        match found {
            Some((path, keys)) => {
                let read = Mutex::new((modified(&path), Arc::new(keys)));
                Ok(Some(Self { path, name: profile.name.clone(), read }))
            }
            None if is_named => {
                let message = format!("there are no keys for the profile `{}`, which AWS_PROFILE names", profile.name);
                let help = path
                    .map(|path| format!("write aws_access_key_id and aws_secret_access_key into {}", path.display()));
                Err(Problem::new(Kind::Unavailable, message, help))
            }
            None => Ok(None),
        }
    }
}

#[async_trait::async_trait]
impl CredentialProvider for ProfileKeys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = modified(&self.path);
        // Between two writings of the file the old keys may still be right.
        if now != read.0
            && let Ok(Some(keys)) = keys(&self.path, &self.name)
        {
            *read = (now, Arc::new(keys));
        }
        Ok(Arc::clone(&read.1))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn keys(path: &Path, name: &str) -> Result<Option<AwsCredential>, Problem> {
    let Some(file) = read(path)? else { return Ok(None) };
    let value = |key: &str| file.get(name, key);
    Ok(value("aws_access_key_id").zip(value("aws_secret_access_key")).map(|(key_id, secret_key)| AwsCredential {
        key_id,
        secret_key,
        token: value("aws_session_token"),
    }))
}

/// Where a file is: where a variable says, or in the user's folder.
fn place(settings: &BucketSettings, variable: &str, name: &str) -> Option<PathBuf> {
    match settings.get(variable) {
        Some(path) => Some(path.into()),
        None => Some(Path::new(settings.get(variables::HOME)?).join(".aws").join(name)),
    }
}

fn read(path: &Path) -> Result<Option<Ini>, Problem> {
    let unreadable = |reason: &str| {
        let message = format!("{} cannot be read: {reason}", path.display());
        Problem::new(Kind::Unavailable, message, "profiles are in it; correct it, or set AWS_ACCESS_KEY_ID".to_owned())
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    let mut file = Ini::new_cs();
    // What it says of a mistake may repeat a line with a key.
    file.read(text).map_err(|_| unreadable("it is not written as such files are"))?;
    Ok(Some(file))
}
