use std::str::FromStr;

use crate::problem::{Kind, Problem};

/// `view:feature`. Names of views have no `:`, so whatever follows the first one is the feature's: definitions have
/// none there either, but Python Feast may have registered one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeatureReference {
    /// The view.
    pub view: String,
    /// The feature.
    pub feature: String,
}

impl FeatureReference {
    /// The references in a list with commas between them, of which names may have some, too: a comma separates
    /// where a reference was complete before it and what follows is one.
    ///
    /// # Errors
    /// When a part is not a reference.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Problem> {
        let mut references: Vec<String> = Vec::new();
        for part in text.split(',') {
            // Nothing between two commas is a mistake, and no part of a name.
            let is_new =
                |last: &String| (last.contains(':') && part.contains(':')) || last.is_empty() || part.is_empty();
            match references.last_mut() {
                Some(last) if !is_new(last) => {
                    last.push(',');
                    last.push_str(part);
                }
                _ => references.push(part.to_owned()),
            }
        }
        references.iter().map(|reference| reference.parse()).collect()
    }
}

impl FromStr for FeatureReference {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text.split_once(':') {
            Some((view, feature)) if !view.is_empty() && !feature.is_empty() => {
                // `@latest` is the same as none.
                let view = view.strip_suffix("@latest").unwrap_or(view);
                Ok(Self { view: view.to_owned(), feature: feature.to_owned() })
            }
            _ => Err(Problem::new(
                Kind::Invalid,
                format!("`{text}` is not a feature reference"),
                "write it like driver_hourly_stats:conv_rate".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<String>, Problem> {
        let references = FeatureReference::parse_list(text)?;
        Ok(references.into_iter().map(|reference| format!("{} {}", reference.view, reference.feature)).collect())
    }

    #[test]
    fn lists_have_commas_between_references_and_in_names() {
        assert_eq!(list("v:a").unwrap(), ["v a"]);
        assert_eq!(list("v:a,w@latest:b").unwrap(), ["v a", "w b"]);
        assert_eq!(list("v:income,<50k,v:b").unwrap(), ["v income,<50k", "v b"]);
        assert_eq!(list("x,y:a,v:b").unwrap(), ["x,y a", "v b"]);
        assert_eq!(list("v:a:b").unwrap(), ["v a:b"]);
        for wrong in ["", "a", "a,b", "v:a,", ",v:a", "v:", ":a", "v:a,,v:b"] {
            let problem = list(wrong).unwrap_err();
            assert!(problem.message.ends_with("is not a feature reference"), "{wrong}");
            assert_eq!(problem.kind, Kind::Invalid);
        }
    }
}
