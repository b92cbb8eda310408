//! Logins that are kept: a file for each client of each provider, in the folder of the user's settings, which nobody else
//! may read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::token::Token;
use crate::{
    config::{OidcConfig, Password, variables},
    model::Timestamp,
    problem::{Kind, Problem},
};

/// Where logins are kept.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    file: PathBuf,
}

/// A login, as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptLogin {
    /// For people who look into the file.
    discovery_url: String,
    client_id: String,
    access_token: String,
    expires: Option<Timestamp>,
    refresh_token: Option<String>,
}

impl Keeper {
    /// That of a client of a provider; `None` where the system says nothing of a place for settings.
    pub(super) fn of(oidc: &OidcConfig, environment: fn(&str) -> Option<String>) -> Option<Self> {
        let (provider, client) = (oidc.discovery_url.as_ref()?.as_str(), oidc.client_id.as_deref()?);
        let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let settings = set(variables::XDG_CONFIG_HOME).filter(|folder| folder.is_absolute());
        let settings = settings.or_else(|| set(variables::APPDATA));
        let settings = settings.or_else(|| set(variables::HOME).map(|home| home.join(".config")))?;
        let digest = Sha256::digest(format!("{provider}\n{client}"));
        let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self { file: settings.join("feastr").join("logins").join(format!("{name}.json")) })
    }

    /// The token of who is logged in, if somebody is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self) -> Result<Option<Token>, Problem> {
        let text = match fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unreadable(&error)),
        };
        // Its errors may repeat what is in the file.
        let kept: KeptLogin = serde_json::from_slice(&text).map_err(|_| self.unreadable(&"it is damaged"))?;
        let (expires, refresh) = (kept.expires, kept.refresh_token.map(Password));
        Ok(Some(Token { expires, refresh, ..Token::new(kept.access_token) }))
    }

    /// Keeps a token in the place of the one before, in whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, oidc: &OidcConfig, token: &Token) -> Result<(), Problem> {
        let kept = KeptLogin {
            discovery_url: oidc.discovery_url.as_ref().map(ToString::to_string).unwrap_or_default(),
            client_id: oidc.client_id.clone().unwrap_or_default(),
            access_token: token.text().to_owned(),
            expires: token.expires,
            refresh_token: token.refresh.as_ref().map(|token| token.0.clone()),
        };
        let write = || -> io::Result<()> {
            let folder = self.file.parent().unwrap_or_else(|| Path::new("."));
            make_private(folder)?;
            // Only its owner may read such a file, from the beginning.
            let file = NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(file.as_file(), &kept)?;
            file.as_file().sync_all()?;
            file.persist(&self.file)?;
            Ok(())
        };
        write().map_err(|error| {
            let message = format!("the login cannot be kept in {}: {error}", self.file.display());
            let help = format!("let {} name a folder that you may write", variables::XDG_CONFIG_HOME);
            Problem::new(Kind::Unavailable, message, help)
        })
    }

    /// Forgets the login; whether there was one.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(super) fn remove(&self) -> Result<bool, Problem> {
        match fs::remove_file(&self.file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => {
                let message = format!("the login in {} cannot be removed: {error}", self.file.display());
                Err(Problem::new(Kind::Unavailable, message, "remove the file".to_owned()))
            }
        }
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Problem {
        let message = format!("the login in {} cannot be read: {error}", self.file.display());
        Problem::new(Kind::Unavailable, message, "remove the file, and log in again".to_owned())
    }
}

/// Makes a folder that nobody but its owner may look into.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::login::samples::oidc, config::Credentials};

    #[test]
    fn logins_are_kept_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper { file: folder.path().join("feastr/logins/x.json") };
        assert_eq!(keeper.read().unwrap(), None);
        let token = Token { refresh: Some(Password("again".to_owned())), ..Token::new("opaque".to_owned()) };
        keeper.write(&oidc(Credentials::Elsewhere), &token).unwrap();
        keeper.write(&oidc(Credentials::Elsewhere), &token).unwrap();
        assert_eq!(keeper.read().unwrap(), Some(token));
        #[cfg(unix)]
        for (path, mode) in [(keeper.file.as_path(), 0o600), (keeper.file.parent().unwrap(), 0o700)] {
            let permissions = fs::metadata(path).unwrap().permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777, mode, "{}", path.display());
        }
        assert_eq!(fs::read_dir(keeper.file.parent().unwrap()).unwrap().count(), 1);
        assert!(keeper.remove().unwrap() && !keeper.remove().unwrap());
        fs::write(&keeper.file, "{\"access_token\": \"hush").unwrap();
        let problem = keeper.read().unwrap_err();
        assert!(problem.message.contains("damaged") && !problem.message.contains("hush"), "{problem}");
    }

    #[test]
    fn each_client_of_each_provider_has_its_own() {
        let home = |name: &str| (name == variables::HOME).then(|| "/ann".to_owned());
        let xdg = |name: &str| (name == variables::XDG_CONFIG_HOME).then(|| "/settings".to_owned());
        let of = |credentials, environment| Keeper::of(&oidc(credentials), environment).unwrap().file;
        let given = Credentials::Token(Password("abc".to_owned()));
        assert!(of(Credentials::Elsewhere, home).starts_with("/ann/.config/feastr/logins"));
        assert!(of(Credentials::Elsewhere, xdg).starts_with("/settings/feastr/logins"));
        assert_eq!(of(Credentials::Elsewhere, home), of(given, home));
        let other = OidcConfig { client_id: Some("other".to_owned()), ..oidc(Credentials::Elsewhere) };
        assert_ne!(Keeper::of(&other, home).unwrap().file, of(Credentials::Elsewhere, home));
        assert!(Keeper::of(&oidc(Credentials::Elsewhere), |_| None).is_none());
    }
}
