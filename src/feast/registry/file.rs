//! The bytes of a file registry: one `feast.core.Registry` with the objects of all projects.
//!
//! The message is taken apart and put together without being decoded, so that everything a change is
//! not about stays byte for byte. Objects come out as the SQL registry stores them, without the name
//! of their project, and go in with it.

use std::collections::BTreeMap;

use prost::Message as _;

use super::{
    convert::name_of_source,
    fields::in_registry,
    messages::{FeatureViewVersionRecord, InfraObject, ProjectMetadata, Timestamp, decode},
    project_field::{identity, with_project, without_project},
};
use crate::{
    feast::wire::{Field, length_delimited, split},
    model::ObjectKind,
};

/// `registry_schema_version` in every version of Feast so far.
const SCHEMA_VERSION: &str = "1";

// Fields of the Registry message beside those of objects.
const REGISTRY_SCHEMA_VERSION: u32 = 3;
const VERSION_ID: u32 = 4;
const LAST_UPDATED: u32 = 5;
const INFRA: u32 = 10;
const PROJECT_METADATA: u32 = 15;
const VERSION_HISTORY: u32 = 18;
/// Notes of feastr, of which Feast keeps the bytes as those of a field it does not know.
const NOTES: u32 = 52_525;

/// The field of a whole registry that lists the objects of a kind.
pub const fn field_in_registry(kind: ObjectKind) -> u32 {
    in_registry(kind)
}

/// A note about a project: what the SQL registry keeps in `feast_metadata`.
#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(string, tag = "1")]
    project: String,
    #[prost(string, tag = "2")]
    key: String,
    #[prost(string, tag = "3")]
    value: String,
}

/// A note of the SQL registry that the whole file has in `last_updated`.
const LAST_UPDATED_NOTE: &str = "last_updated_timestamp";

/// Bytes that are not a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFileError {
    /// There are no bytes.
    #[error("it is empty")]
    Empty,
    /// The bytes are those of an SQL registry in SQLite.
    #[error("it is an SQLite database")]
    Sqlite,
    /// The bytes do not decode as `feast.core.Registry`.
    #[error("its bytes are not a registry of Feast, or end too early")]
    Damaged,
    /// `registry_schema_version` is not the one that Feast has written so far.
    #[error("it has schema version {0}, which only a newer Feast understands")]
    Newer(String),
}

/// One object of a file registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileObject {
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// The project it belongs to.
    pub project: String,
    /// Unique among the objects of its kind in the project.
    pub name: String,
    /// The message, with its project.
    content: Vec<u8>,
}

impl FileObject {
    /// The object of a message; `None` if the bytes are not one of this kind.
    pub fn read(kind: ObjectKind, content: &[u8]) -> Option<Self> {
        let (name, project) = identity(kind, content)?;
        Some(Self { kind, project, name, content: content.to_vec() })
    }

    /// The message without the project.
    pub fn message(&self) -> Vec<u8> {
        without_project(self.kind, &self.content)
    }
}

/// A version of a view that is kept in a file registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The name of the view.
    pub view: String,
    /// Feast's word for the kind of view, such as `feature_view`.
    pub view_type: String,
    /// From 0.
    pub number: i32,
    /// The message of the view at that time, without the project.
    pub proto: Vec<u8>,
    /// Unix seconds.
    pub created: i64,
    /// Random.
    pub id: String,
}

/// A message with its bytes, which may hold more than it knows.
#[derive(Debug, Clone, PartialEq)]
struct Stored<M> {
    message: M,
    bytes: Vec<u8>,
}

impl<M: prost::Message + Default> Stored<M> {
    fn read(bytes: &[u8]) -> Option<Self> {
        M::decode(bytes).ok().map(|message| Self { message, bytes: bytes.to_vec() })
    }

    fn new(message: M) -> Self {
        let bytes = message.encode_to_vec();
        Self { message, bytes }
    }
}

/// A file registry taken apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RegistryFile {
    objects: Vec<FileObject>,
    versions: Vec<Stored<FeatureViewVersionRecord>>,
    /// Each object of infrastructure as it is stored.
    infra: Vec<Vec<u8>>,
    /// Which Feast 0.67 no longer writes, but reads.
    project_metadata: Vec<Stored<ProjectMetadata>>,
    notes: Vec<Stored<Note>>,
    last_updated: Timestamp,
    /// Everything else, key and all.
    rest: BTreeMap<u32, Vec<Vec<u8>>>,
}

impl RegistryFile {
    /// Takes the bytes of a file apart.
    ///
    /// # Errors
    /// When they are not a registry.
    pub fn parse(bytes: &[u8]) -> Result<Self, RegistryFileError> {
        if bytes.is_empty() {
            return Err(RegistryFileError::Empty);
        }
        if bytes.starts_with(b"SQLite format 3\0") {
            return Err(RegistryFileError::Sqlite);
        }
        let fields = split(bytes).ok_or(RegistryFileError::Damaged)?;
        let mut file = Self::default();
        let mut version = None;
        for field in fields {
            if field.number == REGISTRY_SCHEMA_VERSION {
                version = field.content.map(|text| String::from_utf8_lossy(text).into_owned());
            }
            file.take(&field).ok_or(RegistryFileError::Damaged)?;
        }
        file.name_sources();
        match version {
            Some(version) if version == SCHEMA_VERSION => Ok(file),
            Some(version) => Err(RegistryFileError::Newer(version)),
            // Every Feast has written it since there are file registries.
            None => Err(RegistryFileError::Damaged),
        }
    }

    /// Names the data sources that a Feast before 0.21 stored without names, each differently.
    fn name_sources(&mut self) {
        for index in 0..self.objects.len() {
            let object = &self.objects[index];
            if object.kind != ObjectKind::DataSource || !object.name.is_empty() {
                continue;
            }
            let place = decode(&object.content).map(|source| name_of_source(&source)).unwrap_or_default();
            let is_free = |name: &String| {
                !self
                    .objects
                    .iter()
                    .any(|other| other.kind == object.kind && other.project == object.project && other.name == *name)
            };
            let numbered = (2..).map(|number| format!("{place} ({number})"));
            let name = std::iter::once(place.clone()).chain(numbered).find(is_free);
            self.objects[index].name = name.filter(|_| !place.is_empty()).unwrap_or_default();
        }
    }

    fn take(&mut self, field: &Field<'_>) -> Option<()> {
        if let Some(kind) = ObjectKind::ALL.into_iter().find(|kind| in_registry(*kind) == field.number) {
            let content = field.content?;
            self.objects.push(FileObject::read(kind, content)?);
            return Some(());
        }
        match field.number {
            REGISTRY_SCHEMA_VERSION | VERSION_ID => {}
            LAST_UPDATED => self.last_updated = Timestamp::decode(field.content?).ok()?,
            VERSION_HISTORY => {
                for record in split(field.content?)? {
                    self.versions.push(Stored::read(record.content?)?);
                }
            }
            INFRA => {
                for object in split(field.content?)? {
                    self.infra.push(object.content?.to_vec());
                }
            }
            PROJECT_METADATA => self.project_metadata.push(Stored::read(field.content?)?),
            NOTES => self.notes.push(Stored::read(field.content?)?),
            number => self.rest.entry(number).or_default().push(field.bytes.to_vec()),
        }
        Some(())
    }

    /// Notes the time of a change, in Unix seconds.
    pub fn touch(&mut self, seconds: i64) {
        if seconds > self.last_updated.seconds {
            self.last_updated = Timestamp { seconds, nanos: 0 };
        }
    }

    /// The bytes of the file, with a new random `version_id`.
    pub fn encode(&self, version_id: &str) -> Vec<u8> {
        let mut fields = self.rest.clone();
        let mut add = |number: u32, content: &[u8]| {
            fields.entry(number).or_default().push(length_delimited(number, content));
        };
        add(REGISTRY_SCHEMA_VERSION, SCHEMA_VERSION.as_bytes());
        add(VERSION_ID, version_id.as_bytes());
        add(LAST_UPDATED, &self.last_updated.encode_to_vec());
        for object in &self.objects {
            add(in_registry(object.kind), &object.content);
        }
        if !self.infra.is_empty() {
            let objects: Vec<u8> = self.infra.iter().flat_map(|object| length_delimited(1, object)).collect();
            add(INFRA, &objects);
        }
        for metadata in &self.project_metadata {
            add(PROJECT_METADATA, &metadata.bytes);
        }
        if !self.versions.is_empty() {
            let records: Vec<u8> = self.versions.iter().flat_map(|record| length_delimited(1, &record.bytes)).collect();
            add(VERSION_HISTORY, &records);
        }
        for note in &self.notes {
            add(NOTES, &note.bytes);
        }
        // As in Feast's own files, by number.
        fields.into_values().flatten().flatten().collect()
    }

    /// The names of the projects.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().filter(|object| object.kind == ObjectKind::Project).map(|object| object.name.as_str())
    }

    /// The objects of a project.
    pub fn objects<'a>(&'a self, project: &'a str) -> impl Iterator<Item = &'a FileObject> {
        self.objects.iter().filter(move |object| object.project == project)
    }

    /// Inserts or replaces an object. `message` need not name the project.
    pub fn put(&mut self, project: &str, kind: ObjectKind, name: &str, message: &[u8]) {
        let content = with_project(kind, message, project);
        let is_it = |object: &&mut FileObject| object.kind == kind && object.project == project && object.name == name;
        match self.objects.iter_mut().find(is_it) {
            Some(object) => object.content = content,
            None => {
                let object = FileObject { kind, project: project.to_owned(), name: name.to_owned(), content };
                self.objects.push(object);
            }
        }
    }

    /// Removes an object; for a view also its versions.
    pub fn delete(&mut self, project: &str, kind: ObjectKind, name: &str) {
        self.objects.retain(|object| object.kind != kind || object.project != project || object.name != name);
        if kind.is_view() {
            let other =
                |record: &FeatureViewVersionRecord| record.project_id != project || record.feature_view_name != name;
            self.versions.retain(|record| other(&record.message));
        }
    }

    /// The history of a project's views; the views in it do not name the project.
    pub fn history(&self, project: &str) -> impl Iterator<Item = FileVersion> {
        self.records(project).cloned().map(|record| {
            let proto = match ObjectKind::of_view_type(&record.feature_view_type) {
                Some(kind) => without_project(kind, &record.feature_view_proto),
                None => record.feature_view_proto,
            };
            FileVersion {
                view: record.feature_view_name,
                view_type: record.feature_view_type,
                number: record.version_number,
                proto,
                created: record.created_timestamp.map_or(0, |created| created.seconds),
                id: record.version_id,
            }
        })
    }

    fn records(&self, project: &str) -> impl Iterator<Item = &FeatureViewVersionRecord> {
        self.versions.iter().map(|record| &record.message).filter(move |record| record.project_id == project)
    }

    /// The highest version of each view of a project.
    pub fn versions(&self, project: &str) -> BTreeMap<String, i32> {
        let mut highest = BTreeMap::new();
        for record in self.records(project) {
            let number = highest.entry(record.feature_view_name.clone()).or_insert(record.version_number);
            *number = record.version_number.max(*number);
        }
        highest
    }

    /// Adds a version of a view. The view in it need not name its project.
    pub fn add_version(&mut self, project: &str, version: FileVersion) {
        let proto = match ObjectKind::of_view_type(&version.view_type) {
            Some(kind) => with_project(kind, &version.proto, project),
            None => version.proto,
        };
        self.versions.push(Stored::new(FeatureViewVersionRecord {
            feature_view_name: version.view,
            project_id: project.to_owned(),
            version_number: version.number,
            feature_view_type: version.view_type,
            feature_view_proto: proto,
            created_timestamp: Some(Timestamp { seconds: version.created, nanos: 0 }),
            description: String::new(),
            version_id: version.id,
        }));
    }

    /// The infrastructure of a project as a message of its own, or `None` when there is none.
    pub fn infra(&self, project: &str) -> Option<Vec<u8>> {
        let ours: Vec<u8> = self
            .infra
            .iter()
            .filter(|object| self.owner(object, project).as_deref() == Some(project))
            .flat_map(|object| length_delimited(1, object))
            .collect();
        (!ours.is_empty()).then_some(ours)
    }

    /// Replaces the infrastructure of a project.
    pub fn put_infra(&mut self, project: &str, infra: &[u8]) {
        let others: Vec<bool> =
            self.infra.iter().map(|object| self.owner(object, project).as_deref() != Some(project)).collect();
        let mut others = others.into_iter();
        self.infra.retain(|_| others.next().unwrap_or(true));
        let objects = split(infra).unwrap_or_default();
        self.infra.extend(objects.iter().filter_map(|object| object.content.map(<[u8]>::to_vec)));
    }

    /// Whose table an object of infrastructure is. The file does not say, but tables of SQLite are
    /// called `PROJECT_VIEW`: the project that has the view, else the longest name that fits.
    fn owner(&self, object: &[u8], asking: &str) -> Option<String> {
        let object = InfraObject::decode(object).ok()?;
        let table = object.sqlite_table?.name;
        let view_of = |project: &str| table.strip_prefix(project)?.strip_prefix('_').map(str::to_owned);
        let candidates: Vec<&str> =
            self.projects().chain([asking]).filter(|project| view_of(project).is_some()).collect();
        let has_view = |project: &&&str| {
            let name = view_of(project);
            self.objects.iter().any(|object| {
                object.kind.is_view() && object.project == ***project && Some(&object.name) == name.as_ref()
            })
        };
        let owner = candidates.iter().find(has_view).or_else(|| candidates.iter().max_by_key(|name| name.len()));
        owner.map(|name| (*name).to_owned())
    }

    /// The notes about a project, under the keys of the SQL registry.
    pub fn notes(&self, project: &str) -> BTreeMap<String, String> {
        let ours = self.notes.iter().map(|note| &note.message).filter(|note| note.project == project);
        ours.map(|note| (note.key.clone(), note.value.clone())).collect()
    }

    /// Removes a note about a project, if there is one.
    pub fn remove_note(&mut self, project: &str, key: &str) {
        self.notes.retain(|note| note.message.project != project || note.message.key != key);
    }

    /// Sets a note about a project.
    pub fn put_note(&mut self, project: &str, key: &str, value: &str) {
        if key != LAST_UPDATED_NOTE {
            self.remove_note(project, key);
            let note = Note { project: project.to_owned(), key: key.to_owned(), value: value.to_owned() };
            self.notes.push(Stored::new(note));
        }
    }

    /// Removes everything of a project.
    pub fn delete_project(&mut self, project: &str) {
        self.put_infra(project, &[]);
        self.objects.retain(|object| object.project != project);
        self.versions.retain(|record| record.message.project_id != project);
        self.project_metadata.retain(|metadata| metadata.message.project != project);
        self.notes.retain(|note| note.message.project != project);
    }
}
