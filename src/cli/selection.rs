use super::CommandError;
use crate::retrieval::{FeatureReference, FeatureRequest, Selection};

/// Which features are wanted.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Features as VIEW:FEATURE; several after one flag, with spaces or commas between them, or the flag several times
    #[arg(long, num_args = 1.., value_name = "VIEW:FEATURE")]
    features: Vec<String>,
    /// A feature service, instead of single features
    #[arg(long, value_name = "NAME", conflicts_with = "features")]
    feature_service: Option<String>,
    /// Put the view's name in front of feature names
    #[arg(long)]
    full_feature_names: bool,
}

impl SelectionArgs {
    /// What is asked for.
    pub(crate) fn request(&self) -> Result<FeatureRequest, CommandError> {
        let selection = match &self.feature_service {
            Some(name) => Selection::Service(name.clone()),
            None => {
                let mut references = Vec::new();
                for text in &self.features {
                    references.extend(FeatureReference::parse_list(text)?);
                }
                Selection::References(references)
            }
        };
        Ok(FeatureRequest { selection, full_feature_names: self.full_feature_names })
    }
}
