use std::str::FromStr;

use super::RetrievalError;

/// `view:feature`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureReference {
    pub view: String,
    pub feature: String,
}

impl FromStr for FeatureReference {
    type Err = RetrievalError;

    fn from_str(text: &str) -> Result<Self, RetrievalError> {
        match text.split_once(':') {
            Some((view, feature)) if !view.is_empty() && !feature.is_empty() && !feature.contains(':') => {
                // `@latest` is the same as none.
                let view = view.strip_suffix("@latest").unwrap_or(view);
                Ok(Self { view: view.to_owned(), feature: feature.to_owned() })
            }
            _ => Err(RetrievalError::new(
                format!("`{text}` is not a feature reference"),
                "write it like driver_hourly_stats:conv_rate".to_owned(),
            )),
        }
    }
}
