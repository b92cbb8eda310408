use super::CommandError;
use crate::retrieval::{FeatureReference, FeatureRequest, Selection};

/// Which features are wanted.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Features as VIEW:FEATURE; several after one flag, with spaces or commas between them, or the flag several times
    #[arg(long, num_args = 1.., value_name = "VIEW:FEATURE")]
    features: Vec<String>,
    /// A feature service; single features may be asked for besides
    #[arg(long, value_name = "NAME")]
    feature_service: Option<String>,
    /// Put the view's name in front of feature names
    #[arg(long)]
    full_feature_names: bool,
}

impl SelectionArgs {
    /// What is asked for.
    pub(crate) fn request(&self) -> Result<FeatureRequest, CommandError> {
        let mut references = Vec::new();
        for text in &self.features {
            references.extend(FeatureReference::parse_list(text)?);
        }
        let selection = Selection { service: self.feature_service.clone(), references, ..Selection::default() };
        Ok(FeatureRequest { selection, full_feature_names: self.full_feature_names })
    }
}
