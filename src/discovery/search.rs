use super::{features::features, known::Known};
use crate::model::{DUMMY_ENTITY, ObjectKind, Tags};

/// What a hit in a name is worth.
const NAME: f64 = 100.0;
/// What a hit in a description is worth.
const DESCRIPTION: f64 = 80.0;
/// What a hit in a label or in the name of who is responsible is worth.
const TAG: f64 = 60.0;
/// How alike words are, at least, of which one may be meant by the other.
const ALIKE: f64 = 0.75;

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// An object of a kind.
    Object(ObjectKind),
    /// A feature of a view that is no label view.
    Feature,
    /// A label of a label view.
    Label,
}

/// An object or a feature in which a text is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<'a> {
    /// The object, or the view that has the feature.
    pub object: &'a Known,
    /// The name of the feature, if it is one.
    pub feature: Option<&'a str>,
    /// What it is.
    pub description: &'a str,
    /// All of its labels.
    pub all_tags: &'a Tags,
    /// Those in which the text is.
    pub tags: Vec<(&'a str, &'a str)>,
    /// How good the hit is, up to 100; `None` when there was no text.
    pub score: Option<f64>,
}

impl<'a> Found<'a> {
    /// What is found.
    pub fn sought(&self) -> Sought {
        match self.feature {
            None => Sought::Object(self.object.id.kind),
            Some(_) if self.object.is(ObjectKind::LabelView) => Sought::Label,
            Some(_) => Sought::Feature,
        }
    }

    /// The name of what is found.
    pub fn name(&self) -> &'a str {
        self.feature.unwrap_or(&self.object.id.name)
    }
}

/// Where a text is found: objects by kind, features after their views' kinds, each kind in the order of `known`. A
/// text of several words is found where each word is; an empty one everywhere.
///
/// A word that is part of a name counts 100, of a description 80, of a label or an owner 60; where it is nowhere, a
/// word of a name or of a label that is much like it counts as much as it is like it.
pub fn search<'a>(known: &'a [Known], text: &str) -> Vec<Found<'a>> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let objects = ORDER.into_iter().flat_map(|kind| {
        known.iter().filter(move |known| known.is(kind) && known.id.name != DUMMY_ENTITY).map(|object| Hay {
            object,
            feature: None,
            description: &object.card.description,
            owner: &object.card.owner,
            tags: &object.card.tags,
        })
    });
    let features = features(known).map(|feature| Hay {
        object: feature.view,
        feature: Some(&feature.field.name),
        description: &feature.field.description,
        owner: "",
        tags: &feature.field.tags,
    });
    objects.chain(features).filter_map(|hay| hay.find(&words)).collect()
}

/// The kinds in the order of hits that are equally good.
const ORDER: [ObjectKind; 11] = [
    ObjectKind::Entity,
    ObjectKind::DataSource,
    ObjectKind::FeatureView,
    ObjectKind::StreamFeatureView,
    ObjectKind::OnDemandFeatureView,
    ObjectKind::LabelView,
    ObjectKind::FeatureService,
    ObjectKind::SavedDataset,
    ObjectKind::ValidationReference,
    ObjectKind::Permission,
    ObjectKind::Project,
];

/// Where to look.
struct Hay<'a> {
    object: &'a Known,
    feature: Option<&'a str>,
    description: &'a str,
    owner: &'a str,
    tags: &'a Tags,
}

impl<'a> Hay<'a> {
    fn find(self, words: &[&str]) -> Option<Found<'a>> {
        let name = self.feature.unwrap_or(&self.object.id.name).to_lowercase();
        let description = self.description.to_lowercase();
        let owner = self.owner.to_lowercase();
        let tags: Vec<(String, &'a str, &'a str)> = self
            .tags
            .iter()
            .map(|(key, value)| (format!("{key}={value}").to_lowercase(), key.as_str(), value.as_str()))
            .collect();
        let score_of = |word: &str| {
            if name.contains(word) {
                return Some(NAME);
            }
            if description.contains(word) {
                return Some(DESCRIPTION);
            }
            if owner.contains(word) || tags.iter().any(|(tag, ..)| tag.contains(word)) {
                return Some(TAG);
            }
            let texts = std::iter::once(&name).chain(tags.iter().map(|(tag, ..)| tag));
            let alike = texts.map(|text| likeness(word, text)).fold(0.0, f64::max);
            (alike >= ALIKE).then_some(alike * NAME)
        };
        let mut score: Option<f64> = None;
        for word in words {
            let of_word = score_of(word)?;
            score = Some(score.map_or(of_word, |score| score.min(of_word)));
        }
        let is_hit = |tag: &str| words.iter().all(|word| tag.contains(word) || likeness(word, tag) >= ALIKE);
        let tags = tags.iter().filter(|(tag, ..)| is_hit(tag)).map(|(_, key, value)| (*key, *value)).collect();
        let Self { object, feature, description, tags: all_tags, .. } = self;
        Some(Found { object, feature, description, all_tags, tags, score })
    }
}

/// How alike a word and a text, or one of the text's words, are: 1 if they are the same, 0 if they cannot be alike.
fn likeness(word: &str, text: &str) -> f64 {
    let words = text.split(|part: char| !part.is_alphanumeric()).filter(|part| !part.is_empty());
    words.chain([text]).filter(|other| may_be_alike(word, other)).map(|other| alike(word, other)).fold(0.0, f64::max)
}

fn alike(word: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(word, other)
}

/// Whether two words may be alike as far as their lengths tell, of which each letter more is a difference.
fn may_be_alike(word: &str, other: &str) -> bool {
    let [one, two] = [word, other].map(|word| word.chars().count());
    one.abs_diff(two) as f64 <= (1.0 - ALIKE) * one.max(two) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_whose_lengths_differ_much_are_not_alike() {
        for (word, other) in
            [("abc", "abcd"), ("abcd", "abc"), ("ab", "abcd"), ("ä", "ä"), ("", "a"), ("trips", "tripe")]
        {
            assert!(may_be_alike(word, other) || alike(word, other) < ALIKE, "{word} {other}");
        }
        assert!(!may_be_alike("trip", "trips_of_drivers"));
        assert_eq!(likeness("abc", "x abcd"), 0.75);
    }
}
