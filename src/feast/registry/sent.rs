//! Objects as clients of a registry's server send them: whole messages, whatever definitions can declare. What is stored of one
//! is what was sent, with what the registry itself knows: times, what was materialized, and which version it is.

use std::collections::BTreeMap;

use prost::Message as _;

use super::{
    convert::RowVersion,
    fields::{Part, SPEC, message},
    json::to_json,
    messages::{self, DecodeError},
    project_field::{with_project, without_project},
    stored_version::essence,
};
use crate::{
    feast::wire::{Field, length_delimited, split, varint_field},
    model::{ObjectKind, Timestamp},
};

/// What the registry adds to what was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The project of the object.
    pub project: &'a str,
    /// When it is stored.
    pub now: Timestamp,
    /// Which version a view becomes; other objects have none.
    pub version: RowVersion,
}

/// The fields of what is noted about an object.
struct Meta {
    /// The field of the object's message.
    number: u32,
    created: u32,
    last_updated: u32,
    /// The number of the active version.
    version: Option<u32>,
}

const fn usual(version: Option<u32>) -> Option<Meta> {
    Some(Meta { number: 2, created: 1, last_updated: 2, version })
}

const fn meta(kind: ObjectKind) -> Option<Meta> {
    match kind {
        ObjectKind::ValidationReference => None,
        ObjectKind::DataSource => Some(Meta { number: 50, created: 3, last_updated: 4, version: None }),
        ObjectKind::FeatureView | ObjectKind::StreamFeatureView => usual(Some(4)),
        ObjectKind::OnDemandFeatureView => usual(Some(3)),
        ObjectKind::Project
        | ObjectKind::Entity
        | ObjectKind::LabelView
        | ObjectKind::FeatureService
        | ObjectKind::Permission
        | ObjectKind::SavedDataset => usual(None),
    }
}

/// Whether two messages say the same of an object, apart from what the registry adds, and from the bytes of functions whose text
/// is the same.
///
/// # Errors
/// When one of them is no message of this kind.
pub fn is_same_object(kind: ObjectKind, stored: &[u8], sent: &[u8]) -> Result<bool, DecodeError> {
    Ok(essence(kind, stored)? == essence(kind, sent)?)
}

/// The message that is stored of one that was sent; `stored` is the one until now.
///
/// # Errors
/// When one of them is no message of this kind.
pub fn stored_of_sent(
    kind: ObjectKind,
    sent: &[u8],
    stored: Option<&[u8]>,
    sending: Sending<'_>,
) -> Result<Vec<u8>, DecodeError> {
    let Sending { project, now, version } = sending;
    to_json(kind, sent)?;
    // As Feast, which writes the project of a view together with its version.
    let keeps_project = stored.is_some_and(|stored| has_project(kind, stored));
    let content = match kind.is_view() && (version != RowVersion::Same || keeps_project) {
        true => with_project(kind, sent, project),
        false => without_project(kind, sent),
    };
    let Some(meta) = meta(kind) else { return Ok(content) };
    let before = stored.and_then(|stored| field(stored, meta.number));
    let noted = noted(&meta, field(&content, meta.number), before, version, now);
    let mut output = Vec::with_capacity(content.len() + noted.len());
    let fields = split(&content).unwrap_or_default();
    let (front, back): (Vec<&Field<'_>>, Vec<&Field<'_>>) =
        fields.iter().filter(|field| field.number != meta.number).partition(|field| field.number < meta.number);
    front.iter().for_each(|field| output.extend(field.bytes));
    output.extend(length_delimited(meta.number, &noted));
    back.iter().for_each(|field| output.extend(field.bytes));
    Ok(output)
}

/// When a stored object was changed last, if its message says it.
pub fn last_updated(kind: ObjectKind, proto: &[u8]) -> Option<Timestamp> {
    let meta = meta(kind)?;
    let time = field(field(proto, meta.number)?, meta.last_updated)?;
    messages::Timestamp::decode(time).ok().map(Into::into)
}

/// What is noted about an object: what was sent, what is known besides, and the times.
fn noted(meta: &Meta, sent: Option<&[u8]>, stored: Option<&[u8]>, version: RowVersion, now: Timestamp) -> Vec<u8> {
    let (sent, stored) = (by_number(sent), by_number(stored));
    let mut fields = stored.clone();
    fields.extend(sent);
    let now = messages::Timestamp::from(now).encode_to_vec();
    let created = stored.get(&meta.created).cloned().unwrap_or_else(|| length_delimited(meta.created, &now));
    fields.insert(meta.created, created);
    fields.insert(meta.last_updated, length_delimited(meta.last_updated, &now));
    if let Some(number) = meta.version {
        fields.remove(&number);
        match version {
            RowVersion::Same => fields.extend(stored.get(&number).map(|field| (number, field.clone()))),
            // A number that is 0 is not written.
            RowVersion::Number(version) if version > 0 => {
                fields.insert(number, varint_field(number, u64::from(version.unsigned_abs())));
            }
            RowVersion::Number(_) => {}
        }
    }
    fields.into_values().flatten().collect()
}

/// The fields of a message, those of one number together.
fn by_number(content: Option<&[u8]>) -> BTreeMap<u32, Vec<u8>> {
    let mut fields: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for field in content.and_then(split).unwrap_or_default() {
        fields.entry(field.number).or_default().extend(field.bytes);
    }
    fields
}

/// The content of a field.
fn field(content: &[u8], number: u32) -> Option<&[u8]> {
    split(content)?.iter().rev().find(|field| field.number == number)?.content
}

fn has_project(kind: ObjectKind, stored: &[u8]) -> bool {
    let number = message(kind).spec().and_then(|spec| spec.number(|part| matches!(part, Part::Project)));
    let spec = field(stored, SPEC);
    number.zip(spec).is_some_and(|(number, spec)| field(spec, number).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feast::registry::messages::{FeatureView, FeatureViewMeta, FeatureViewSpec, MaterializationInterval};

    fn view(project: &str, tags: &[(&str, &str)], meta: Option<FeatureViewMeta>) -> Vec<u8> {
        let tags = tags.iter().map(|(key, value)| messages::MapEntry::new(*key, *value)).collect();
        let spec = FeatureViewSpec { name: "v".into(), project: project.into(), tags, ..FeatureViewSpec::default() };
        FeatureView { spec: Some(spec), meta }.encode_to_vec()
    }

    fn store(sent: &[u8], stored: Option<&[u8]>, version: RowVersion, seconds: i64) -> FeatureView {
        let sending = Sending { project: "p", now: Timestamp::from_micros(seconds * 1_000_000), version };
        let stored = stored_of_sent(ObjectKind::FeatureView, sent, stored, sending).unwrap();
        messages::decode(&stored).unwrap()
    }

    #[test]
    fn what_the_registry_knows_stays_whatever_is_sent() {
        let first = store(&view("other", &[], None), None, RowVersion::Number(0), 10);
        let meta = first.meta.clone().unwrap();
        let seconds = |time: &Option<messages::Timestamp>| time.as_ref().unwrap().seconds;
        assert_eq!(first.spec.as_ref().unwrap().project, "p");
        assert_eq!((seconds(&meta.created_timestamp), seconds(&meta.last_updated_timestamp)), (10, 10));
        let known = FeatureViewMeta {
            materialization_intervals: vec![MaterializationInterval::default()],
            current_version_number: 3,
            state: 4,
            ..meta
        };
        let stored = FeatureView { meta: Some(known.clone()), ..first }.encode_to_vec();
        // Clients who have no times send none, and those of others are not believed.
        let lies = FeatureViewMeta {
            created_timestamp: Some(messages::Timestamp { seconds: 1, nanos: 0 }),
            current_version_number: 9,
            ..FeatureViewMeta::default()
        };
        for sent in [view("", &[("a", "b")], None), view("", &[("a", "b")], Some(lies))] {
            let after = store(&sent, Some(&stored), RowVersion::Same, 20);
            let updated = Some(messages::Timestamp { seconds: 20, nanos: 0 });
            assert_eq!(after.meta, Some(FeatureViewMeta { last_updated_timestamp: updated, ..known.clone() }));
            assert_eq!(after.spec.unwrap().project, "p");
        }
        let newer = store(&view("", &[], None), Some(&stored), RowVersion::Number(4), 20);
        assert_eq!(newer.meta.unwrap().current_version_number, 4);
    }

    #[test]
    fn fields_of_a_newer_feast_are_stored() {
        let mut sent = view("", &[], None);
        sent.extend(length_delimited(77, b"later"));
        let sending = Sending { project: "p", now: Timestamp::from_micros(0), version: RowVersion::Number(0) };
        let stored = stored_of_sent(ObjectKind::FeatureView, &sent, None, sending).unwrap();
        assert_eq!(field(&stored, 77), Some(&b"later"[..]));
        assert!(stored_of_sent(ObjectKind::FeatureView, &[0x0a, 0x05], None, sending).is_err());
        assert!(!is_same_object(ObjectKind::FeatureView, &view("", &[], None), &sent).unwrap());
    }

    #[test]
    fn projects_times_and_the_order_of_labels_make_no_difference() {
        let is_same = |a: &[u8], b: &[u8]| is_same_object(ObjectKind::FeatureView, a, b).unwrap();
        let plain = view("", &[("a", "1"), ("b", "2")], None);
        assert!(is_same(&plain, &view("p", &[("b", "2"), ("a", "1")], Some(FeatureViewMeta::default()))));
        assert!(!is_same(&plain, &view("", &[("a", "1")], None)));
    }
}
