use std::collections::{BTreeMap, BTreeSet};

use super::known::Known;
use crate::{
    feast::registry::{Link, SourcePart},
    model::ObjectKind,
};

/// What relationships of Feast's registry server are between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A data source.
    DataSource,
    /// An entity.
    Entity,
    /// A view that is no label view.
    FeatureView,
    /// A label view.
    LabelView,
    /// A feature service.
    FeatureService,
    /// A feature or label of some view.
    Feature,
    /// A saved dataset.
    SavedDataset,
}

impl Thing {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::DataSource,
        Self::Entity,
        Self::FeatureView,
        Self::LabelView,
        Self::FeatureService,
        Self::Feature,
        Self::SavedDataset,
    ];

    /// Feast's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DataSource => "dataSource",
            Self::Entity => "entity",
            Self::FeatureView => "featureView",
            Self::LabelView => "labelView",
            Self::FeatureService => "featureService",
            Self::Feature => "feature",
            Self::SavedDataset => "savedDataset",
        }
    }

    /// What Feast's word stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|thing| thing.as_str() == word)
    }
}

/// Something that is related to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference<'a> {
    /// What it is.
    pub thing: Thing,
    /// Its name; that of a feature without its view, as in Feast.
    pub name: &'a str,
}

/// That one thing goes into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation<'a> {
    /// What goes into the target.
    pub source: Reference<'a>,
    /// What is made of the source.
    pub target: Reference<'a>,
}

impl Relation<'_> {
    /// Whether it is between this and something else.
    pub fn is_of(&self, reference: Reference<'_>) -> bool {
        self.source == reference || self.target == reference
    }
}

/// The relationships of a project as Feast's registry server tells them, in its order. Other than Feast's, they know
/// the entities and features of stream views, the labels of label views, and the views behind batch views.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lineage<'a> {
    /// Between two objects of which one names the other.
    pub direct: Vec<Relation<'a>>,
    /// Through a view: what goes into it with the services that select from it, and its entities with its sources.
    pub indirect: Vec<Relation<'a>>,
}

impl<'a> Lineage<'a> {
    /// The relationships between these objects.
    pub fn of(known: &'a [Known]) -> Self {
        let labels = known.iter().filter(|known| known.is(ObjectKind::LabelView)).map(|known| known.id.name.as_str());
        let project = Project { known, labels: labels.collect() };
        let direct = project.direct();
        let indirect = project.indirect(&direct);
        Self { direct, indirect }
    }

    /// Those of each thing, the direct ones first.
    pub fn by_reference(&self) -> BTreeMap<Reference<'a>, Vec<Relation<'a>>> {
        let mut found: BTreeMap<Reference<'a>, Vec<Relation<'a>>> = BTreeMap::new();
        for relation in self.direct.iter().chain(&self.indirect) {
            for end in [relation.source, relation.target] {
                found.entry(end).or_default().push(*relation);
            }
        }
        found
    }

    /// Those of one thing.
    pub fn around(&self, reference: Reference<'_>) -> Self {
        let some = |relations: &[Relation<'a>]| relations.iter().filter(|one| one.is_of(reference)).copied().collect();
        Self { direct: some(&self.direct), indirect: some(&self.indirect) }
    }
}

struct Project<'a> {
    known: &'a [Known],
    /// Names of label views.
    labels: BTreeSet<&'a str>,
}

impl<'a> Project<'a> {
    fn all(&self, kind: ObjectKind) -> impl Iterator<Item = &'a Known> + use<'a> {
        self.known.iter().filter(move |known| known.is(kind))
    }

    fn view(&self, name: &'a str) -> Reference<'a> {
        let thing = if self.labels.contains(name) { Thing::LabelView } else { Thing::FeatureView };
        Reference { thing, name }
    }

    fn direct(&self) -> Vec<Relation<'a>> {
        let mut direct = Vec::new();
        for service in self.all(ObjectKind::FeatureService) {
            let target = Reference { thing: Thing::FeatureService, name: &service.id.name };
            direct.extend(self.views_of(service).map(|source| Relation { source, target }));
        }
        for view in self.all(ObjectKind::FeatureView) {
            self.columns(view, &mut direct);
            self.sources(view, &[SourcePart::Rows], &mut direct);
        }
        for view in self.all(ObjectKind::OnDemandFeatureView) {
            self.columns(view, &mut direct);
        }
        for view in self.all(ObjectKind::OnDemandFeatureView) {
            self.inputs(view, &mut direct);
        }
        for view in self.all(ObjectKind::StreamFeatureView) {
            self.sources(view, &[SourcePart::Stream], &mut direct);
            self.sources(view, &[SourcePart::Rows], &mut direct);
            self.columns(view, &mut direct);
        }
        for view in self.all(ObjectKind::LabelView) {
            self.entities(view, &mut direct);
            self.sources(view, &[SourcePart::Rows, SourcePart::Behind], &mut direct);
            self.features(view, &mut direct);
        }
        for view in self.all(ObjectKind::FeatureView) {
            let target = self.view(&view.id.name);
            direct.extend(self.views_of(view).map(|source| Relation { source, target }));
        }
        self.datasets(&mut direct);
        direct
    }

    fn views_of(&self, object: &'a Known) -> impl Iterator<Item = Reference<'a>> {
        object.card.links.iter().filter_map(|link| match link {
            Link::View { name, .. } => Some(self.view(name)),
            _ => None,
        })
    }

    /// What a view is over, and what it has.
    fn columns(&self, view: &'a Known, direct: &mut Vec<Relation<'a>>) {
        self.entities(view, direct);
        self.features(view, direct);
    }

    fn entities(&self, view: &'a Known, direct: &mut Vec<Relation<'a>>) {
        let target = self.view(&view.id.name);
        direct.extend(view.card.links.iter().filter_map(|link| match link {
            Link::Entity(name) => Some(Relation { source: Reference { thing: Thing::Entity, name }, target }),
            _ => None,
        }));
    }

    fn features(&self, view: &'a Known, direct: &mut Vec<Relation<'a>>) {
        let target = self.view(&view.id.name);
        let features = view.card.features.iter().map(|field| field.name.as_str());
        direct.extend(features.map(|name| Relation { source: Reference { thing: Thing::Feature, name }, target }));
    }

    fn sources(&self, view: &'a Known, parts: &[SourcePart], direct: &mut Vec<Relation<'a>>) {
        let target = self.view(&view.id.name);
        direct.extend(view.card.links.iter().filter_map(|link| match link {
            Link::Source { name, part } if parts.contains(part) => {
                Some(Relation { source: Reference { thing: Thing::DataSource, name }, target })
            }
            _ => None,
        }));
    }

    /// What an on-demand view is computed of.
    fn inputs(&self, view: &'a Known, direct: &mut Vec<Relation<'a>>) {
        let target = self.view(&view.id.name);
        direct.extend(view.card.links.iter().filter_map(|link| match link {
            Link::Source { name, .. } => {
                Some(Relation { source: Reference { thing: Thing::DataSource, name }, target })
            }
            Link::View { name, .. } => Some(Relation { source: self.view(name), target }),
            _ => None,
        }));
    }

    /// What saved datasets were made of, and the sources that read their files.
    fn datasets(&self, direct: &mut Vec<Relation<'a>>) {
        let sources = self.all(ObjectKind::DataSource);
        let places = sources.flat_map(|source| source.card.places.iter().map(|place| (place, source.id.name.as_str())));
        let places: BTreeMap<&String, &str> = places.collect();
        for dataset in self.all(ObjectKind::SavedDataset) {
            let target = Reference { thing: Thing::SavedDataset, name: &dataset.id.name };
            let services = dataset.card.links.iter().filter_map(|link| match link {
                Link::FeatureService(name) => Some(Reference { thing: Thing::FeatureService, name }),
                _ => None,
            });
            let sources: BTreeSet<&str> =
                dataset.card.places.iter().filter_map(|place| places.get(place).copied()).collect();
            let sources = sources.into_iter().map(|name| Reference { thing: Thing::DataSource, name });
            let all = services.chain(self.views_of(dataset)).chain(sources);
            direct.extend(all.map(|source| Relation { source, target }));
        }
    }

    fn indirect(&self, direct: &[Relation<'a>]) -> Vec<Relation<'a>> {
        let mut into: BTreeMap<Reference<'a>, Vec<Reference<'a>>> = BTreeMap::new();
        for relation in direct {
            into.entry(relation.target).or_default().push(relation.source);
        }
        let into = |view: Reference<'a>| into.get(&view).map(Vec::as_slice).unwrap_or_default();
        let mut indirect = Vec::new();
        for service in self.all(ObjectKind::FeatureService) {
            let target = Reference { thing: Thing::FeatureService, name: &service.id.name };
            for view in self.views_of(service) {
                indirect.extend(into(view).iter().map(|source| Relation { source: *source, target }));
            }
        }
        let is_view = |thing| matches!(thing, Thing::FeatureView | Thing::LabelView);
        for Relation { source, target } in direct {
            if source.thing == Thing::Entity && is_view(target.thing) {
                let sources = into(*target).iter().filter(|reference| reference.thing == Thing::DataSource);
                indirect.extend(sources.map(|target| Relation { source: *source, target: *target }));
            }
        }
        indirect
    }
}
