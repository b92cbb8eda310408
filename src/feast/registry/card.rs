//! What a stored object says of itself to those who look around: its words, its columns, and what it is made of.

use super::{
    convert::name_of_source,
    layout::features,
    messages::{self as wire, DecodeError, decode},
};
use crate::model::{Field, ObjectKind, Tags};

/// A stored object as it is found, also one that definitions cannot declare.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Card {
    /// What it is.
    pub description: String,
    /// Who is responsible; empty where nobody is named.
    pub owner: String,
    /// Its labels.
    pub tags: Tags,
    /// The features of a view, in its order.
    pub features: Vec<Field>,
    /// What it is made of, in the order of the message.
    pub links: Vec<Link>,
    /// Where the rows of a source or of a saved dataset are: paths and tables.
    pub places: Vec<String>,
}

/// Something that an object is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// An entity, also the one that stands for none.
    Entity(String),
    /// A data source.
    Source {
        /// Its name.
        name: String,
        /// What it gives.
        part: SourcePart,
    },
    /// Features of a view of any kind.
    View {
        /// Its name.
        name: String,
        /// The features; empty where the view is named as a whole.
        features: Vec<String>,
    },
    /// A feature service.
    FeatureService(String),
    /// A saved dataset.
    SavedDataset(String),
}

/// What a data source gives to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourcePart {
    /// Rows of the past.
    Rows,
    /// Rows as they come.
    Stream,
    /// Values of requests.
    Request,
    /// Rows of the past behind another source that the object names.
    Behind,
}

impl Card {
    /// Reads a stored message.
    ///
    /// # Errors
    /// When the bytes are not a message of this kind.
    pub fn read(kind: ObjectKind, proto: &[u8]) -> Result<Self, DecodeError> {
        let mut card = match kind {
            ObjectKind::Project => {
                let spec = decode::<wire::Project>(proto)?.spec.unwrap_or_default();
                Self::of(spec.description, spec.owner, &spec.tags)
            }
            ObjectKind::Entity => {
                let spec = decode::<wire::Entity>(proto)?.spec.unwrap_or_default();
                Self::of(spec.description, spec.owner, &spec.tags)
            }
            ObjectKind::DataSource => {
                let source: wire::DataSource = decode(proto)?;
                let links = source.batch_source.as_deref().map(|batch| self::source(batch, SourcePart::Rows));
                let (links, places) = (links.into_iter().collect(), places_of_source(&source));
                Self { links, places, ..Self::of(source.description, source.owner, &source.tags) }
            }
            ObjectKind::FeatureView => {
                let spec = decode::<wire::FeatureView>(proto)?.spec.unwrap_or_default();
                let views = spec.source_views.iter().map(|view| self::view(&view.name, &view.features));
                let links =
                    entities(&spec.entities).chain(sources(&spec.batch_source, &spec.stream_source)).chain(views);
                Self { links: links.collect(), ..Self::of(spec.description, spec.owner, &spec.tags) }
            }
            ObjectKind::StreamFeatureView => {
                let spec = decode::<wire::StreamFeatureView>(proto)?.spec.unwrap_or_default();
                let links = entities(&spec.entities).chain(sources(&spec.batch_source, &spec.stream_source));
                Self { links: links.collect(), ..Self::of(spec.description, spec.owner, &spec.tags) }
            }
            ObjectKind::OnDemandFeatureView => {
                let spec = decode::<wire::OnDemandFeatureView>(proto)?.spec.unwrap_or_default();
                let links = entities(&spec.entities).chain(spec.sources.iter().filter_map(on_demand_source));
                Self { links: links.collect(), ..Self::of(spec.description, spec.owner, &spec.tags) }
            }
            ObjectKind::LabelView => {
                let spec = decode::<wire::LabelView>(proto)?.spec.unwrap_or_default();
                let behind = spec.source.as_ref().and_then(|source| source.batch_source.as_deref());
                let reference = Some(&spec.reference_feature_view).filter(|view| !view.is_empty());
                let links = entities(&spec.entities)
                    .chain(spec.source.iter().map(|source| self::source(source, SourcePart::Rows)))
                    .chain(behind.map(|batch| self::source(batch, SourcePart::Behind)))
                    .chain(reference.map(|view| self::view(view, &[])));
                Self { links: links.collect(), ..Self::of(spec.description, spec.owner, &spec.tags) }
            }
            ObjectKind::FeatureService => {
                let spec = decode::<wire::FeatureService>(proto)?.spec.unwrap_or_default();
                let links = spec.features.iter().map(projection).collect();
                Self { links, ..Self::of(spec.description, spec.owner, &spec.tags) }
            }
            ObjectKind::Permission => {
                let spec = decode::<wire::Permission>(proto)?.spec.unwrap_or_default();
                Self::of(String::new(), String::new(), &spec.tags)
            }
            ObjectKind::SavedDataset => {
                let spec = decode::<wire::SavedDataset>(proto)?.spec.unwrap_or_default();
                let mut links = references(&spec.features);
                if !spec.feature_service_name.is_empty() {
                    links.push(Link::FeatureService(spec.feature_service_name));
                }
                let places = spec.storage.map(|storage| places_of_dataset(&storage)).unwrap_or_default();
                Self { links, places, ..Self::of(spec.description, String::new(), &spec.tags) }
            }
            ObjectKind::ValidationReference => {
                let reference: wire::ValidationReference = decode(proto)?;
                let links = vec![Link::SavedDataset(reference.reference_dataset_name)];
                Self { links, ..Self::of(reference.description, String::new(), &reference.tags) }
            }
        };
        card.features = features(kind, proto)?;
        Ok(card)
    }

    fn of(description: String, owner: String, tags: &[wire::MapEntry]) -> Self {
        Self { description, owner, tags: wire::to_map(tags), ..Self::default() }
    }
}

fn entities(names: &[String]) -> impl Iterator<Item = Link> {
    names.iter().cloned().map(Link::Entity)
}

fn source(source: &wire::DataSource, part: SourcePart) -> Link {
    Link::Source { name: name_of_source(source), part }
}

fn sources(batch: &Option<wire::DataSource>, stream: &Option<wire::DataSource>) -> impl Iterator<Item = Link> {
    let batch = batch.iter().map(|batch| source(batch, SourcePart::Rows));
    batch.chain(stream.iter().map(|stream| source(stream, SourcePart::Stream)))
}

fn view(name: &str, columns: &[wire::FeatureSpecV2]) -> Link {
    Link::View { name: name.to_owned(), features: columns.iter().map(|column| column.name.clone()).collect() }
}

fn projection(projection: &wire::FeatureViewProjection) -> Link {
    view(&projection.feature_view_name, &projection.feature_columns)
}

fn on_demand_source(entry: &wire::OnDemandSourceEntry) -> Option<Link> {
    let source = entry.value.as_ref()?;
    if let Some(selected) = &source.feature_view_projection {
        return Some(projection(selected));
    }
    if let Some(spec) = source.feature_view.as_ref().and_then(|view| view.spec.as_ref()) {
        return Some(view(&spec.name, &spec.features));
    }
    let request = source.request_data_source.as_ref()?;
    Some(Link::Source { name: request.name.clone(), part: SourcePart::Request })
}

/// References such as `view:feature`, together by view.
fn references(texts: &[String]) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for (view, feature) in texts.iter().filter_map(|text| text.split_once(':')) {
        let known = links.iter_mut().find_map(|known| match known {
            Link::View { name, features } if name == view => Some(features),
            _ => None,
        });
        match known {
            Some(features) => features.push(feature.to_owned()),
            None => links.push(Link::View { name: view.to_owned(), features: vec![feature.to_owned()] }),
        }
    }
    links
}

/// The path or the tables of a source, and of the one behind it.
fn places_of_source(source: &wire::DataSource) -> Vec<String> {
    let mut places = named([
        source.file_options.as_ref().map(|file| &file.uri),
        source.bigquery_options.as_ref().map(|options| &options.table),
        source.redshift_options.as_ref().map(|options| &options.table),
        source.snowflake_options.as_ref().map(|options| &options.table),
        source.spark_options.as_ref().map(|options| &options.path),
        source.spark_options.as_ref().map(|options| &options.table),
        source.trino_options.as_ref().map(|options| &options.table),
        source.athena_options.as_ref().map(|options| &options.table),
    ]);
    places.extend(source.batch_source.iter().flat_map(|batch| places_of_source(batch)));
    places
}

fn places_of_dataset(storage: &wire::SavedDatasetStorage) -> Vec<String> {
    named([
        storage.file_storage.as_ref().map(|file| &file.uri),
        storage.bigquery_storage.as_ref().map(|options| &options.table),
        storage.redshift_storage.as_ref().map(|options| &options.table),
        storage.snowflake_storage.as_ref().map(|options| &options.table),
        storage.spark_storage.as_ref().map(|options| &options.path),
        storage.spark_storage.as_ref().map(|options| &options.table),
        storage.trino_storage.as_ref().map(|options| &options.table),
        storage.athena_storage.as_ref().map(|options| &options.table),
    ])
}

fn named<const N: usize>(places: [Option<&String>; N]) -> Vec<String> {
    places.into_iter().flatten().filter(|place| !place.is_empty()).cloned().collect()
}
