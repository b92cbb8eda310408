//! Gives stored objects another project, in which no view has online values yet, and touches nothing
//! else: fields this version does not know stay.

use super::fields::{Message, Part, message};
use crate::{
    feast::wire::{length_delimited, split},
    model::ObjectKind,
};

/// Deepest nesting followed; the decoder of messages has the same limit.
const MAX_DEPTH: usize = 100;

/// The stored message with `to` wherever it names the project `from`, and as never materialized;
/// `None` when the bytes are not a message.
///
/// Where Feast left the project out it stays out.
pub fn rename_project(kind: ObjectKind, proto: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    rename(message(kind), proto, from.as_bytes(), to.as_bytes(), 0)
}

fn rename(message: &Message, bytes: &[u8], from: &[u8], to: &[u8], depth: usize) -> Option<Vec<u8>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut renamed = Vec::with_capacity(bytes.len() + to.len());
    for field in split(bytes)? {
        let part = message.part(field.number);
        match (part, field.content) {
            (Some(Part::Materialization), _) => {}
            (Some(Part::Project), Some(content)) if content == from => {
                renamed.extend(length_delimited(field.number, to))
            }
            (Some(Part::In(inner)), Some(content)) => {
                renamed.extend(length_delimited(field.number, &rename(inner, content, from, to, depth + 1)?));
            }
            _ => renamed.extend(field.bytes),
        }
    }
    Some(renamed)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::feast::registry::messages::{
        DataSource, FeatureService, FeatureServiceSpec, FeatureView, FeatureViewMeta, FeatureViewProjection,
        FeatureViewSpec, FeatureViewState, MaterializationInterval, OnDemandFeatureView, OnDemandFeatureViewSpec,
        OnDemandSource, OnDemandSourceEntry, StreamFeatureView, Timestamp, decode,
    };

    fn source(project: &str) -> DataSource {
        let batch = DataSource { name: "old".into(), project: project.into(), ..DataSource::default() };
        DataSource { project: project.into(), batch_source: Some(Box::new(batch)), ..DataSource::default() }
    }

    #[test]
    fn every_place_of_the_project_is_renamed_and_nothing_else() {
        let meta = |state, intervals| FeatureViewMeta {
            created_timestamp: Some(Timestamp { seconds: 7, nanos: 0 }),
            current_version_number: 3,
            materialization_intervals: intervals,
            state: state as i32,
            ..FeatureViewMeta::default()
        };
        let intervals = vec![MaterializationInterval::default(); 2];
        let view = |project: &str| FeatureView {
            spec: Some(FeatureViewSpec {
                // A view may be called like its project.
                name: "old".into(),
                project: project.into(),
                batch_source: Some(source(project)),
                stream_source: Some(source(project)),
                source_views: vec![FeatureViewSpec { project: project.into(), ..FeatureViewSpec::default() }],
                ..FeatureViewSpec::default()
            }),
            meta: Some(meta(FeatureViewState::Unspecified, Vec::new())),
        };
        let materialized = Some(meta(FeatureViewState::AvailableOnline, intervals));
        let mut stored = FeatureView { meta: materialized.clone(), ..view("old") }.encode_to_vec();
        // A field of a later Feast.
        stored.extend([0xba, 0x3e, 3, b'o', b'l', b'd']);
        let renamed = rename_project(ObjectKind::FeatureView, &stored, "old", "a much longer name").unwrap();
        assert_eq!(decode::<FeatureView>(&renamed).unwrap(), view("a much longer name"));
        assert!(renamed.ends_with(b"old"));
        let renamed = rename_project(ObjectKind::FeatureView, &stored, "other", "new").unwrap();
        assert_eq!(decode::<FeatureView>(&renamed).unwrap(), view("old"));
        let stored = StreamFeatureView { meta: materialized, ..StreamFeatureView::default() }.encode_to_vec();
        let renamed = rename_project(ObjectKind::StreamFeatureView, &stored, "old", "new").unwrap();
        assert_eq!(decode::<StreamFeatureView>(&renamed).unwrap().meta, view("").meta);
        assert_eq!(rename_project(ObjectKind::FeatureView, b"\x0a\xff", "old", "new"), None);
    }

    #[test]
    fn copies_inside_projections_are_renamed() {
        let projection = |project: &str| FeatureViewProjection {
            batch_source: Some(source(project)),
            ..FeatureViewProjection::default()
        };
        let service = |project: &str| FeatureService {
            spec: Some(FeatureServiceSpec { features: vec![projection(project)], ..FeatureServiceSpec::default() }),
            ..FeatureService::default()
        };
        let renamed = rename_project(ObjectKind::FeatureService, &service("a").encode_to_vec(), "a", "b").unwrap();
        assert_eq!(decode::<FeatureService>(&renamed).unwrap(), service("b"));
        let on_demand = |project: &str| OnDemandFeatureView {
            spec: Some(OnDemandFeatureViewSpec {
                project: project.into(),
                sources: vec![OnDemandSourceEntry {
                    key: Some("a".into()),
                    value: Some(OnDemandSource {
                        request_data_source: Some(source(project)),
                        feature_view_projection: Some(projection(project)),
                        ..OnDemandSource::default()
                    }),
                }],
                ..OnDemandFeatureViewSpec::default()
            }),
            ..OnDemandFeatureView::default()
        };
        let renamed =
            rename_project(ObjectKind::OnDemandFeatureView, &on_demand("a").encode_to_vec(), "a", "b").unwrap();
        assert_eq!(decode::<OnDemandFeatureView>(&renamed).unwrap(), on_demand("b"));
    }
}
