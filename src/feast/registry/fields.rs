//! The numbers of fields by which stored objects are changed without being decoded.
//!
//! Tests hold them to the description of its messages that Feast itself gives (`tests/it/golden`).

use crate::model::ObjectKind;

/// The field of an object's message that holds its `spec`, if it has one.
pub(super) const SPEC: u32 = 1;

/// Where messages say which object they are: 1 in most of them, 20 in data sources.
pub(super) const NAMES: [u32; 2] = [NAME, SOURCE_NAME];
const NAME: u32 = 1;
const SOURCE_NAME: u32 = 20;

/// What a field says about objects and projects; fields without an entry say nothing of it.
pub(super) enum Part {
    /// The name of the object.
    Name,
    /// The name of the project.
    Project,
    /// The labels of the object.
    Tags,
    /// What computes the rows of a feature view.
    Transformation,
    /// What was materialized of a view: its values are stored under the name of the project.
    Materialization,
    /// A message with such fields.
    In(&'static Message),
}

/// The fields of a message, by number.
pub(super) struct Message(&'static [(u32, Part)]);

impl Message {
    /// What a field says.
    pub(super) fn part(&self, number: u32) -> Option<&'static Part> {
        self.0.iter().find(|(known, _)| *known == number).map(|(_, part)| part)
    }

    /// The number of a field of the object itself.
    pub(super) fn number(&self, is_wanted: impl Fn(&Part) -> bool) -> Option<u32> {
        self.0.iter().find(|(_, part)| is_wanted(part)).map(|(number, _)| *number)
    }

    /// The message in `spec`, if the object has one.
    pub(super) fn spec(&self) -> Option<&'static Message> {
        match self.part(SPEC) {
            Some(Part::In(spec)) => Some(spec),
            _ => None,
        }
    }
}

static PROJECT: Message = Message(&[(SPEC, Part::In(&Message(&[(NAME, Part::Project), (3, Part::Tags)])))]);
static ENTITY: Message =
    Message(&[(SPEC, Part::In(&Message(&[(NAME, Part::Name), (8, Part::Tags), (9, Part::Project)])))]);
static DATA_SOURCE: Message =
    Message(&[(SOURCE_NAME, Part::Name), (21, Part::Project), (24, Part::Tags), (26, Part::In(&DATA_SOURCE))]);
static FEATURE_VIEW: Message = Message(&[(SPEC, Part::In(&FEATURE_VIEW_SPEC)), (2, Part::In(&FEATURE_VIEW_META))]);
/// Intervals and state, such as `AVAILABLE_ONLINE`.
static FEATURE_VIEW_META: Message = Message(&[(3, Part::Materialization), (6, Part::Materialization)]);
static FEATURE_VIEW_SPEC: Message = Message(&[
    (NAME, Part::Name),
    (2, Part::Project),
    (5, Part::Tags),
    (7, Part::In(&DATA_SOURCE)),
    (9, Part::In(&DATA_SOURCE)),
    (14, Part::In(&FEATURE_VIEW_SPEC)),
    (15, Part::Transformation),
]);
static STREAM_FEATURE_VIEW: Message = Message(&[
    (
        SPEC,
        Part::In(&Message(&[
            (NAME, Part::Name),
            (2, Part::Project),
            (7, Part::Tags),
            (10, Part::In(&DATA_SOURCE)),
            (11, Part::In(&DATA_SOURCE)),
        ])),
    ),
    (2, Part::In(&FEATURE_VIEW_META)),
]);
static ON_DEMAND_FEATURE_VIEW: Message = Message(&[(
    SPEC,
    Part::In(&Message(&[
        (NAME, Part::Name),
        (2, Part::Project),
        (4, Part::In(&Message(&[(2, Part::In(&ON_DEMAND_SOURCE))]))),
        (7, Part::Tags),
    ])),
)]);
static ON_DEMAND_SOURCE: Message =
    Message(&[(1, Part::In(&FEATURE_VIEW)), (2, Part::In(&DATA_SOURCE)), (3, Part::In(&PROJECTION))]);
static PROJECTION: Message = Message(&[(8, Part::In(&DATA_SOURCE)), (9, Part::In(&DATA_SOURCE))]);
static LABEL_VIEW: Message = Message(&[(
    SPEC,
    Part::In(&Message(&[(NAME, Part::Name), (2, Part::Project), (5, Part::Tags), (7, Part::In(&DATA_SOURCE))])),
)]);
static FEATURE_SERVICE: Message = Message(&[(
    SPEC,
    Part::In(&Message(&[(NAME, Part::Name), (2, Part::Project), (3, Part::In(&PROJECTION)), (4, Part::Tags)])),
)]);
static PERMISSION: Message = Message(&[(
    SPEC,
    Part::In(&Message(&[
        (NAME, Part::Name),
        (2, Part::Project),
        (7, Part::In(&Message(&[(2, Part::Project)]))),
        (8, Part::Tags),
    ])),
)]);
static SAVED_DATASET: Message =
    Message(&[(SPEC, Part::In(&Message(&[(NAME, Part::Name), (2, Part::Project), (7, Part::Tags)])))]);
static VALIDATION_REFERENCE: Message = Message(&[(NAME, Part::Name), (3, Part::Project), (5, Part::Tags)]);

/// The fields of an object's message.
pub(super) const fn message(kind: ObjectKind) -> &'static Message {
    match kind {
        ObjectKind::Project => &PROJECT,
        ObjectKind::Entity => &ENTITY,
        ObjectKind::DataSource => &DATA_SOURCE,
        ObjectKind::FeatureView => &FEATURE_VIEW,
        ObjectKind::OnDemandFeatureView => &ON_DEMAND_FEATURE_VIEW,
        ObjectKind::StreamFeatureView => &STREAM_FEATURE_VIEW,
        ObjectKind::LabelView => &LABEL_VIEW,
        ObjectKind::FeatureService => &FEATURE_SERVICE,
        ObjectKind::Permission => &PERMISSION,
        ObjectKind::SavedDataset => &SAVED_DATASET,
        ObjectKind::ValidationReference => &VALIDATION_REFERENCE,
    }
}

/// The field of a file registry that lists the objects of a kind.
pub(super) const fn in_registry(kind: ObjectKind) -> u32 {
    match kind {
        ObjectKind::Entity => 1,
        ObjectKind::FeatureView => 6,
        ObjectKind::FeatureService => 7,
        ObjectKind::OnDemandFeatureView => 8,
        ObjectKind::SavedDataset => 11,
        ObjectKind::DataSource => 12,
        ObjectKind::ValidationReference => 13,
        ObjectKind::StreamFeatureView => 14,
        ObjectKind::Permission => 16,
        ObjectKind::Project => 17,
        ObjectKind::LabelView => 19,
    }
}
