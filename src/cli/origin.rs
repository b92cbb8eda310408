use std::path::Path;

use super::{CommandError, Context, context::environment};
use crate::{
    config::{AuthConfig, FILE_NAME, RegistryConfig, registry_at},
    diagnostics::did_you_mean,
    registry::{Registry, Snapshot},
};

/// Which registry and project a command reads, if not those of the repo.
#[derive(Debug, clap::Args)]
pub(crate) struct From {
    /// Another registry: a URL, a file, the folder of a feature repo, or a settings file as with -f
    #[arg(long, value_name = "URL|FILE|REPO")]
    from: Option<String>,
    /// The project in it [default: the repo's, or the only one there is]
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
}

impl From {
    /// What the registry holds of the project, with the project's name.
    pub(crate) fn snapshot(&self, context: &Context) -> Result<(String, Snapshot), CommandError> {
        let origin = match &self.from {
            Some(place) => Origin::at(place, context)?,
            None => {
                let config = context.config()?;
                Origin { config: config.registry, auth: config.auth, project: Some(config.project) }
            }
        };
        let registry = origin.open(context);
        let project = origin.project(self.project.as_deref(), registry.as_ref(), context)?;
        let snapshot = registry.snapshot(&project)?;
        if snapshot.rows.is_empty() {
            let projects = registry.projects()?;
            let help = did_you_mean(&project, projects.iter().map(String::as_str));
            let message = format!("the registry {} has nothing of project `{project}`", registry.location());
            return Err(CommandError::new(message, help));
        }
        Ok((project, snapshot))
    }
}

/// A registry that the command line names.
pub(crate) struct Origin {
    config: RegistryConfig,
    auth: AuthConfig,
    /// The project of the repo that was named.
    project: Option<String>,
}

impl Origin {
    /// The registry behind a URL, a file, the folder of a repo, or a settings file. Relative paths of settings start
    /// where they do for the commands of that repo: at the folder (`--chdir`), or for a file at this repo (`-f`).
    pub(crate) fn at(place: &str, context: &Context) -> Result<Self, CommandError> {
        let path = context.target(Path::new(place));
        let config = if path.join(FILE_NAME).is_file() {
            Some(context.config_of(&path)?)
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            Some(context.config_in(&path)?)
        } else {
            None
        };
        if let Some(config) = config {
            return Ok(Self { config: config.registry, auth: config.auth, project: Some(config.project) });
        }
        let here = std::path::absolute(context.target(Path::new(".")))?;
        let config = registry_at(place, &here, &environment)?;
        let auth = match &config {
            // Who one is there the repo says in which one stands, if one does.
            RegistryConfig::Remote(_) => context.config().map(|config| config.auth).unwrap_or_default(),
            _ => AuthConfig::default(),
        };
        Ok(Self { config, auth, project: None })
    }

    pub(crate) fn open(&self, context: &Context) -> Box<dyn Registry> {
        context.registry_of(&self.config, &self.auth)
    }

    /// The project that is meant: the one that is named, else the only one there is, else that of the repo.
    pub(crate) fn project(
        &self,
        named: Option<&str>,
        registry: &dyn Registry,
        context: &Context,
    ) -> Result<String, CommandError> {
        if let Some(project) = named.or(self.project.as_deref()) {
            return Ok(project.to_owned());
        }
        let mut projects = registry.projects()?;
        match projects.as_slice() {
            [] => Err(CommandError::new(format!("the registry {} is empty", registry.location()), None)),
            [_] => Ok(projects.remove(0)),
            several => match context.config() {
                Ok(config) if several.contains(&config.project) => Ok(config.project),
                _ => Err(CommandError::new(
                    format!("the registry {} has several projects", registry.location()),
                    format!("name one with --project: {}", several.join(", ")),
                )),
            },
        }
    }
}
