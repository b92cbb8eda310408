//! What the environment says of object stores: who we are for them, and where they are.

use std::{collections::BTreeMap, fmt};

use crate::config::{
    Environment,
    environment::{bucket_variables, variables},
};

/// Values of the variables that say how object stores are reached. They are shown by name only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BucketSettings {
    values: BTreeMap<&'static str, String>,
}

impl BucketSettings {
    /// What the environment has.
    pub fn of(environment: Environment<'_>) -> Self {
        Self::looked_up(|name| environment(name))
    }

    /// The same where some are set for a purpose of its own, named with a prefix: `TEAM_AWS_ACCESS_KEY_ID` for the
    /// prefix `TEAM` or `TEAM_`. None of the usual ones counts then, but that the names may begin with the prefix
    /// themselves, as in Feast: `AWS`.
    #[must_use]
    pub fn with_prefix(environment: Environment<'_>, prefix: &str) -> Self {
        Self::looked_up(|name| match name.starts_with(prefix) {
            true => environment(name),
            false => environment(&format!("{}_{name}", prefix.trim_end_matches('_'))),
        })
    }

    fn looked_up(look_up: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &'static str| Some((name, look_up(name).filter(|value| !value.is_empty())?));
        Self { values: bucket_variables().filter_map(set).collect() }
    }

    /// The value of a variable, if it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether a variable says yes.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str()))
    }

    /// Whether nothing says how to reach a store.
    pub fn is_empty(&self) -> bool {
        self.values.keys().all(|name| *name == variables::HOME)
    }

    /// The same with another value of a variable.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.values.insert(name, value);
        self
    }

    /// The same with another address of S3: as a source declares it, or as registries take it.
    #[must_use]
    pub fn at(self, endpoint: Option<&str>) -> Self {
        match endpoint.filter(|endpoint| !endpoint.is_empty()) {
            Some(endpoint) => self.with(variables::AWS_ENDPOINT_URL_S3, endpoint.to_owned()),
            None => self,
        }
    }
}

impl fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_not_shown() {
        let environment = |name: &str| match name {
            "AWS_SECRET_ACCESS_KEY" => Some("secret".to_owned()),
            "AWS_SKIP_SIGNATURE" => Some("TRUE".to_owned()),
            "AWS_REGION" => Some(String::new()),
            "TEAM_AWS_REGION" => Some("eu-west-1".to_owned()),
            _ => None,
        };
        let settings = BucketSettings::of(&environment);
        assert_eq!(settings.get("AWS_SECRET_ACCESS_KEY"), Some("secret"));
        assert!(settings.is_on("AWS_SKIP_SIGNATURE") && settings.get("AWS_REGION").is_none());
        assert_eq!(format!("{settings:?}"), r#"{"AWS_SECRET_ACCESS_KEY", "AWS_SKIP_SIGNATURE"}"#);
        for prefix in ["TEAM", "TEAM_"] {
            let settings = BucketSettings::with_prefix(&environment, prefix);
            assert_eq!((settings.get("AWS_REGION"), settings.get("AWS_SECRET_ACCESS_KEY")), (Some("eu-west-1"), None));
        }
        assert!(!BucketSettings::with_prefix(&environment, "AWS").is_empty());
        assert_eq!(settings.at(Some("http://x")).get("AWS_ENDPOINT_URL_S3"), Some("http://x"));
    }
}
