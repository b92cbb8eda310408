use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::feast::registry::messages::{
    DataSource, Duration, FeatureSpecV2, FeatureView, FeatureViewMeta, FeatureViewSpec, FileOptions, MapEntry,
    MaterializationInterval, Timestamp, decode,
};

/// What a newer Feast might add, as bytes to append to any message: text in field 77.
fn addition(text: &str) -> Vec<u8> {
    length_delimited(77, text.as_bytes())
}

/// The text of [`addition`] at the end of a path of field numbers.
fn added(bytes: &[u8], path: &[u32]) -> Option<String> {
    let fields = split(bytes).unwrap();
    match path {
        [] => content(&fields, 77).map(|text| String::from_utf8(text.to_vec()).unwrap()),
        [number, rest @ ..] => added(content(&fields, *number)?, rest),
    }
}

fn feature(name: &str, description: &str) -> FeatureSpecV2 {
    FeatureSpecV2 { name: name.into(), description: description.into(), ..FeatureSpecV2::default() }
}

fn source(name: &str, uri: &str) -> DataSource {
    DataSource {
        r#type: 1,
        file_options: Some(FileOptions { uri: uri.into(), ..FileOptions::default() }),
        name: name.into(),
        ..DataSource::default()
    }
}

fn view() -> FeatureView {
    FeatureView {
        spec: Some(FeatureViewSpec {
            name: "stats".into(),
            features: vec![feature("a", ""), feature("b", "")],
            ttl: Some(Duration::default()),
            batch_source: Some(source("stats_source", "stats.parquet")),
            ..FeatureViewSpec::default()
        }),
        meta: Some(FeatureViewMeta {
            created_timestamp: Some(Timestamp { seconds: 1, nanos: 0 }),
            ..FeatureViewMeta::default()
        }),
    }
}

/// `view()` with an addition in the view, its spec, source, file options and meta, and one in
/// each feature.
fn stored() -> Vec<u8> {
    let spec = view().spec.unwrap();
    let file_options = [spec.batch_source.clone().unwrap().file_options.unwrap().encode_to_vec(), addition("options")];
    let batch_source = [
        DataSource { file_options: None, ..spec.batch_source.clone().unwrap() }.encode_to_vec(),
        length_delimited(11, &file_options.concat()),
        addition("source"),
    ];
    let element = |feature: &FeatureSpecV2| {
        length_delimited(4, &[feature.encode_to_vec(), addition(&format!("feature {}", feature.name))].concat())
    };
    let features: Vec<u8> = spec.features.iter().flat_map(element).collect();
    let spec = [
        addition("spec"),
        FeatureViewSpec { features: vec![], batch_source: None, ..spec }.encode_to_vec(),
        features,
        length_delimited(7, &batch_source.concat()),
    ];
    let meta = [view().meta.unwrap().encode_to_vec(), addition("meta")];
    [length_delimited(1, &spec.concat()), length_delimited(2, &meta.concat()), addition("view")].concat()
}

/// What is stored after a change of what we know of the stored view.
fn change(change: impl FnOnce(&mut FeatureView)) -> Result<Vec<u8>, UnknownFieldsLost> {
    let original = stored();
    let mut message: FeatureView = decode(&original).unwrap();
    let reencoded = message.encode_to_vec();
    assert!(reencoded.len() < original.len());
    change(&mut message);
    let result = keep_unknown(&original, &reencoded, message.encode_to_vec())?;
    assert_eq!(decode::<FeatureView>(&result).unwrap(), message, "what we know is as changed");
    Ok(result)
}

fn spec(view: &mut FeatureView) -> &mut FeatureViewSpec {
    view.spec.as_mut().unwrap()
}

#[test]
fn unknown_fields_survive_changes_at_every_level() {
    let result = change(|view| {
        spec(view).ttl = Some(Duration { seconds: 60, nanos: 0 });
        spec(view).tags.push(MapEntry::new("team", "x"));
        spec(view).batch_source.as_mut().unwrap().description = "rows".into();
        let file_options = spec(view).batch_source.as_mut().unwrap().file_options.as_mut().unwrap();
        file_options.uri = "other.parquet".into();
        view.meta.as_mut().unwrap().state = 4;
    })
    .unwrap();
    for (path, text) in [
        (&[][..], "view"),
        (&[1], "spec"),
        (&[1, 7], "source"),
        (&[1, 7, 11], "options"),
        (&[2], "meta"),
        (&[1, 4], "feature a"),
    ] {
        assert_eq!(added(&result, path).as_deref(), Some(text), "{path:?}");
    }
}

#[test]
fn nothing_is_added_twice() {
    let once = change(|view| spec(view).owner = "x".into()).unwrap();
    let message: FeatureView = decode(&once).unwrap();
    let twice = keep_unknown(&once, &message.encode_to_vec(), message.encode_to_vec()).unwrap();
    assert_eq!(once.len(), twice.len());
    assert_eq!(split(&twice).unwrap().iter().filter(|field| field.number == 77).count(), 1);
}

#[test]
fn what_is_dropped_takes_its_unknown_fields_along() {
    let result = change(|view| spec(view).batch_source = None).unwrap();
    assert_eq!(added(&result, &[1, 7]), None);
    let result = change(|view| view.meta = None).unwrap();
    assert_eq!(added(&result, &[1]).as_deref(), Some("spec"));
}

fn feature_additions(result: &[u8]) -> Vec<Option<String>> {
    let spec = split(content(&split(result).unwrap(), 1).unwrap()).unwrap();
    spec.iter().filter(|field| field.number == 4).map(|field| added(field.content.unwrap(), &[])).collect()
}

#[test]
fn elements_of_lists_keep_theirs_while_others_come_and_go() {
    let [a, b] = [Some("feature a".to_owned()), Some("feature b".to_owned())];
    let result = change(|view| spec(view).features.push(feature("c", ""))).unwrap();
    assert_eq!(feature_additions(&result), [a.clone(), b.clone(), None]);
    let result = change(|view| spec(view).features.reverse()).unwrap();
    assert_eq!(feature_additions(&result), [b.clone(), a.clone()]);
    let result = change(|view| drop(spec(view).features.remove(0))).unwrap();
    assert_eq!(feature_additions(&result), [b]);
    let result = change(|view| spec(view).features.clear()).unwrap();
    assert_eq!(feature_additions(&result), []);
}

#[test]
fn changed_elements_of_lists_are_refused() {
    let error = change(|view| spec(view).features[1].description = "new".into()).unwrap_err();
    assert_eq!(error.path(), [1, 4]);
    assert_eq!(
        error.to_string(),
        "field 1.4 of the stored object holds settings of a newer Feast version, which this change would lose"
    );
    let error = change(|view| spec(view).features = vec![feature("c", ""), feature("a", "")]).unwrap_err();
    assert_eq!(error.path(), [1, 4]);
}

#[test]
fn another_object_does_not_inherit() {
    let error = change(|view| spec(view).batch_source = Some(source("other", "stats.parquet"))).unwrap_err();
    assert_eq!(error.path(), [1, 7]);
    let meta = |start: i64| FeatureViewMeta {
        materialization_intervals: vec![MaterializationInterval {
            start_time: Some(Timestamp { seconds: start, nanos: 0 }),
            end_time: None,
        }],
        ..FeatureViewMeta::default()
    };
    let interval = [meta(1).materialization_intervals[0].encode_to_vec(), addition("interval")].concat();
    let original = length_delimited(3, &interval);
    let error = keep_unknown(&original, &meta(1).encode_to_vec(), meta(2).encode_to_vec()).unwrap_err();
    assert_eq!(error.path(), [3]);
    let same = keep_unknown(&original, &meta(1).encode_to_vec(), meta(1).encode_to_vec()).unwrap();
    assert_eq!(same, original);
}

#[test]
fn a_field_that_the_change_sets_is_not_unknown() {
    // Another encoder may write a default: `online`, field 8, set to false.
    let original = [&length_delimited(1, b"stats")[..], &[0x40, 0x00]].concat();
    let mut spec: FeatureViewSpec = decode(&original).unwrap();
    let reencoded = spec.encode_to_vec();
    assert_eq!(keep_unknown(&original, &reencoded, reencoded.clone()).unwrap(), original);
    spec.online = true;
    let changed = spec.encode_to_vec();
    assert_eq!(keep_unknown(&original, &reencoded, changed.clone()).unwrap(), changed);
}

#[test]
fn unknown_fields_of_every_wire_type_survive() {
    let name = length_delimited(1, b"stats");
    for unknown in [
        &[0xe8, 0x04, 0x07][..],
        &[0xe9, 0x04, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xed, 0x04, 1, 2, 3, 4],
        &[0xeb, 0x04, 0x08, 0x01, 0xec, 0x04],
        &[0xe8, 0x04, 0x01, 0xe8, 0x04, 0x02],
    ] {
        let original = [unknown, &name].concat();
        let changed = [&name[..], &[0x40, 0x01]].concat();
        assert_eq!(keep_unknown(&original, &name, changed.clone()).unwrap(), [&changed, unknown].concat());
    }
}

#[test]
fn hostile_nesting_is_refused() {
    let nest = |innermost: &[u8]| (0..500).fold(innermost.to_vec(), |inner, _| length_delimited(7, &inner));
    let error = keep_unknown(&nest(&addition("x")), &nest(&[]), nest(&[0x08, 0x01])).unwrap_err();
    assert_eq!(error.path().len(), MAX_DEPTH + 1);
    assert!(keep_unknown(&[0x0a], &[], vec![]).unwrap_err().path().is_empty());
}

fn text() -> impl Strategy<Value = String> {
    "[a-c]{0,2}"
}

prop_compose! {
    fn any_spec()(
        names in proptest::collection::vec((text(), text()), 0..4),
        tags in proptest::collection::vec((text(), text()), 0..3),
        ttl in proptest::option::of(0_i64..3),
        source_uri in proptest::option::of(text()),
        online: bool,
    ) -> FeatureViewSpec {
        FeatureViewSpec {
            name: "stats".into(),
            features: names.iter().map(|(name, description)| feature(name, description)).collect(),
            tags: tags.iter().map(|(key, value)| MapEntry::new(key, value)).collect(),
            ttl: ttl.map(|seconds| Duration { seconds, nanos: 0 }),
            batch_source: source_uri.map(|uri| source("s", &uri)),
            online,
            ..FeatureViewSpec::default()
        }
    }
}

/// The same message with its field numbers in descending order.
fn backwards(bytes: &[u8]) -> Vec<u8> {
    let fields = split(bytes).unwrap();
    by_number(&fields).values().rev().flatten().flat_map(|field| field.bytes).copied().collect()
}

proptest! {
    #[test]
    fn without_unknown_fields_nothing_happens(old in any_spec(), new in any_spec()) {
        let (old, new) = (old.encode_to_vec(), new.encode_to_vec());
        prop_assert_eq!(&keep_unknown(&old, &old, new.clone()).unwrap(), &new);
        prop_assert_eq!(&keep_unknown(&backwards(&old), &old, new.clone()).unwrap(), &new);
    }

    #[test]
    fn changes_take_effect_and_unknown_fields_stay(old in any_spec(), new in any_spec()) {
        let original = [old.encode_to_vec(), addition("spec")].concat();
        let result = keep_unknown(&original, &old.encode_to_vec(), new.encode_to_vec()).unwrap();
        prop_assert_eq!(decode::<FeatureViewSpec>(&result).unwrap(), new);
        prop_assert_eq!(added(&result, &[]), Some("spec".to_owned()));
    }

    #[test]
    fn any_bytes_give_a_result_or_an_error(
        original in proptest::collection::vec(any::<u8>(), 0..30),
        reencoded in proptest::collection::vec(any::<u8>(), 0..30),
        changed in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let _ = keep_unknown(&original, &reencoded, changed.clone());
        let wrap = |bytes: &[u8]| length_delimited(1, bytes);
        let _ = keep_unknown(&wrap(&original), &wrap(&reencoded), wrap(&changed));
    }
}
