//! Recorded rows through the model and back: what feastr can manage is written as Feast wrote it,
//! and the rest is left alone.

use feastr::{
    feast::registry::messages::{
        DataSource, FeatureView as FeatureViewMessage, MaterializationInterval, StreamFeatureView, ValidationReference,
        decode,
    },
    model::{FeatureView, LabelView, Object, ObjectId, ObjectKind, SourceKind, Use, ViewVersion},
    registry::{Row, Snapshot, read_objects},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::recording::{NOW, Recording, TABLES, id, message, recordings, recordings_of};

#[test]
fn only_what_definitions_cannot_express_is_foreign() {
    for recording in recordings().iter().map(|name| Recording::read(name)).chain([Recording::kinds()]) {
        let foreign = recording.state().foreign;
        let foreign: Vec<String> =
            foreign.iter().map(|foreign| format!("{}: {}", foreign.id, foreign.reason)).collect();
        assert_eq!(foreign, inexpressible(&recording.tables), "{}", recording.name);
    }
    let foreign = inexpressible(&Recording::kinds().tables);
    assert_eq!(foreign.len(), 4, "of every kind that there is: {foreign:?}");
}

/// The objects that definitions cannot express, by what Feast says of them, each with the reason.
fn inexpressible(tables: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, table, name, proto) in TABLES {
        for row in tables[table].as_array().into_iter().flatten() {
            let (name, message) = (row[name].as_str().unwrap(), &row[proto]["json"]);
            let spec = message.get("spec").unwrap_or(message);
            let function =
                ["user_defined_function", "feature_transformation"].iter().any(|how| spec.get(how).is_some());
            let reason = if function {
                Some("its transformation is a Python function".to_owned())
            } else if message["timestamp_field_type"] == "DATE" {
                let kind = message["type"].as_str().unwrap().trim_start_matches("BATCH_").to_lowercase();
                Some(format!("definitions cannot express this source, of type {kind}"))
            } else {
                None
            };
            found.extend(reason.map(|reason| (ObjectId::new(kind, name), reason)));
        }
    }
    let views: Vec<String> = found.iter().filter(|(id, _)| id.kind.is_view()).map(|(id, _)| id.name.clone()).collect();
    for row in tables["feature_services"].as_array().into_iter().flatten() {
        let spec = &row["feature_service_proto"]["json"]["spec"];
        let selected = spec["features"].as_array().into_iter().flatten().map(|member| &member["feature_view_name"]);
        if let Some(view) = selected.filter_map(Value::as_str).find(|view| views.iter().any(|other| other == view)) {
            let id = ObjectId::new(ObjectKind::FeatureService, spec["name"].as_str().unwrap());
            found.push((id, format!("it selects from `{view}`, which feastr does not manage")));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.into_iter().map(|(id, reason)| format!("{id}: {reason}")).collect()
}

#[test]
fn foreign_objects_tell_what_they_use() {
    let foreign = Recording::kinds().state().foreign;
    let uses = |name: &str| &foreign.iter().find(|foreign| foreign.id.name == name).unwrap().uses;
    let features = |view: &str, features: &[&str]| Use::Features {
        view: view.to_owned(),
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
    };
    assert_eq!(*uses("tips"), [features("rider_rides", &["distance", "rides"]), Use::DataSource("request".to_owned())]);
    let sources = ["rides_file", "rides_kafka"].map(|source| Use::DataSource(source.to_owned()));
    assert_eq!(*uses("udf_stream"), [&[Use::Entity("rider".to_owned())][..], &sources].concat());
    assert_eq!(
        *uses("everything"),
        [
            features("rider_rides", &["distance"]),
            features("rider_pushed", &["distance", "rides"]),
            features("tips", &["tip_per_km"]),
            features("ride_labels", &["is_fraud", "labeler"]),
            features("rider_stream", &["distance", "rides"]),
        ]
    );
    assert_eq!(foreign.iter().find(|foreign| foreign.id.name == "everything").unwrap().owner, "us@example.com");
}

#[test]
fn managed_objects_are_written_as_feast_wrote_them() {
    let of_postgres = recordings_of("postgres").into_iter().map(|name| Recording::of_database(&name, "postgres"));
    let of_sqlite = recordings().into_iter().map(|name| Recording::read(&name));
    for recording in of_sqlite.chain(of_postgres) {
        let mut objects = recording.objects();
        assert!(!objects.is_empty());
        // Creating one takes Python.
        objects.retain(|id, _| id.kind != ObjectKind::ValidationReference);
        let managed = objects.len();
        recording.apply(objects.into_values()).unwrap();
        let written = recording.stored();
        assert_eq!(written.rows.len(), managed + 1, "{}: the objects and the dummy entity", recording.name);
        for row in &written.rows {
            let recorded = recording.rows.iter().find(|recorded| id(recorded) == id(row)).unwrap();
            assert_eq!(message(row), message(recorded), "{}: {}", recording.name, id(row));
        }
        history_is_as_recorded(&recording);
    }
}

/// The history has the bytes of each view's row, under Feast's word for its kind.
fn history_is_as_recorded(recording: &Recording) {
    let database = Connection::open(recording.folder.path().join("registry.db")).unwrap();
    let mut statement = database
        .prepare("SELECT feature_view_name, feature_view_type, version_number, feature_view_proto FROM feature_view_version_history")
        .unwrap();
    let written = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, Vec<u8>>(3)?))
    });
    let stored = recording.stored();
    let mut compared = 0;
    for (view, kind, number, proto) in written.unwrap().map(Result::unwrap) {
        let recorded = recording.tables["feature_view_version_history"].as_array().unwrap();
        let recorded = recorded.iter().find(|row| row["feature_view_name"] == view.as_str()).unwrap();
        assert_eq!((json!(kind), json!(number)), (recorded["feature_view_type"].clone(), json!(0)), "{view}");
        let row = stored.rows.iter().find(|row| row.kind.is_view() && row.name == view).unwrap();
        assert_eq!(proto, row.proto, "{view}");
        compared += 1;
    }
    assert_eq!(compared, stored.rows.iter().filter(|row| row.kind.is_view()).count());
}

#[test]
fn a_change_keeps_everything_else_in_a_row() {
    for recording in recordings().iter().map(|name| Recording::read(name)) {
        recording.restore();
        let objects: Vec<Object> = recording.objects().into_values().map(tagged).collect();
        let changed = objects.len();
        assert_eq!(recording.apply(objects).unwrap().changes.len(), changed);
        let foreign = recording.state().foreign;
        for row in &recording.stored().rows {
            let recorded = recording.rows.iter().find(|recorded| id(recorded) == id(row)).unwrap();
            if foreign.iter().any(|foreign| foreign.id == id(row)) || row.name == "__dummy" {
                assert_eq!(row.proto, recorded.proto, "{}: {}", recording.name, id(row));
                continue;
            }
            let (mut now, before) = (message(row), message(recorded));
            untag(&mut now);
            assert_eq!(now, before, "{}: {}", recording.name, id(row));
        }
    }
}

/// The object with one more tag.
fn tagged(mut object: Object) -> Object {
    let tags = match &mut object {
        Object::Project(project) => &mut project.tags,
        Object::DataSource(source) => &mut source.tags,
        Object::Entity(entity) => &mut entity.tags,
        Object::FeatureView(view) => &mut view.tags,
        Object::OnDemandFeatureView(view) => &mut view.tags,
        Object::StreamFeatureView(view) => &mut view.tags,
        Object::LabelView(view) => &mut view.tags,
        Object::FeatureService(service) => &mut service.tags,
        Object::Permission(permission) => &mut permission.tags,
        Object::SavedDataset(dataset) => &mut dataset.tags,
        Object::ValidationReference(reference) => &mut reference.tags,
    };
    tags.insert("added".to_owned(), "here".to_owned());
    object
}

/// Removes the tag from a message, which must have it.
fn untag(message: &mut Value) {
    let is_spec = message.get("spec").is_some();
    let holder = if is_spec { &mut message["spec"] } else { message };
    let tags = holder["tags"].as_object_mut().unwrap();
    assert_eq!(tags.remove("added"), Some(json!("here")));
    if tags.is_empty() {
        holder.as_object_mut().unwrap().remove("tags");
    }
}

#[test]
fn a_changed_source_changes_every_copy_of_it() {
    let recording = Recording::kinds();
    recording.restore();
    let moved = |source: &mut feastr::model::DataSource| move_history(source);
    let mut objects = recording.objects();
    for object in objects.values_mut() {
        match object {
            Object::DataSource(source) => moved(source),
            Object::FeatureView(view) => view.source.iter_mut().chain(&mut view.stream_source).for_each(moved),
            Object::StreamFeatureView(view) => view.source.iter_mut().chain(&mut view.stream_source).for_each(moved),
            Object::LabelView(view) => view.source.iter_mut().for_each(moved),
            Object::FeatureService(service) => {
                service.features.iter_mut().filter_map(|member| member.source.as_mut()).for_each(moved);
            }
            _ => {}
        }
    }
    recording.apply(objects.into_values()).unwrap();
    let stored = recording.stored();
    let foreign = recording.state().foreign;
    for row in stored.rows.iter().filter(|row| !foreign.iter().any(|foreign| foreign.id == id(row))) {
        assert!(!message(row).to_string().contains("data/rides.parquet"), "{}", id(row));
    }
    // A push source and a stream view hold the source's row with its times.
    let source: DataSource = decode(stored.proto(ObjectKind::DataSource, "rides_file").unwrap()).unwrap();
    assert_eq!(source.file_options.as_ref().unwrap().uri, "elsewhere.parquet");
    let push: DataSource = decode(stored.proto(ObjectKind::DataSource, "rides_push").unwrap()).unwrap();
    assert_eq!(*push.batch_source.unwrap(), source);
    let view: StreamFeatureView =
        decode(stored.proto(ObjectKind::StreamFeatureView, "pushed_stream").unwrap()).unwrap();
    assert_eq!(*view.spec.unwrap().stream_source.unwrap().batch_source.unwrap(), source);
}

fn move_history(source: &mut feastr::model::DataSource) {
    match &mut source.kind {
        SourceKind::File(file) if source.name == "rides_file" => file.path = "elsewhere.parquet".to_owned(),
        SourceKind::Push(push) => push.batch_source.iter_mut().for_each(|source| move_history(source)),
        SourceKind::Kafka(kafka) => kafka.batch_source.iter_mut().for_each(|source| move_history(source)),
        SourceKind::Kinesis(kinesis) => kinesis.batch_source.iter_mut().for_each(|source| move_history(source)),
        _ => {}
    }
}

#[test]
fn a_view_becomes_one_of_another_kind_in_one_apply() {
    let recording = Recording::kinds();
    recording.restore();
    let mut objects = recording.objects();
    // Services select from it, and it is an ordinary view for them again.
    objects.retain(|id, _| id.kind != ObjectKind::FeatureService);
    let Some(Object::LabelView(labels)) = objects.remove(&ObjectId::new(ObjectKind::LabelView, "ride_labels")) else {
        panic!("the label view is gone");
    };
    let Some(Object::FeatureView(pushed)) =
        objects.get(&ObjectId::new(ObjectKind::FeatureView, "rider_pushed")).cloned()
    else {
        panic!("the view is gone");
    };
    let Some(Object::FeatureView(live)) = objects.remove(&ObjectId::new(ObjectKind::FeatureView, "rider_live")) else {
        panic!("the view is gone");
    };
    let became_plain = FeatureView { name: labels.name.clone(), ..pushed };
    let became_labels = LabelView { name: live.name.clone(), source: live.stream_source, ..labels };
    let changed = [Object::FeatureView(became_plain), Object::LabelView(became_labels)];
    recording.apply(objects.into_values().chain(changed)).unwrap();
    let stored = recording.stored();
    for (gone, kind, name) in [
        (ObjectKind::LabelView, ObjectKind::FeatureView, "ride_labels"),
        (ObjectKind::FeatureView, ObjectKind::LabelView, "rider_live"),
    ] {
        assert_eq!(stored.proto(gone, name), None);
        assert!(stored.proto(kind, name).is_some());
        assert_eq!(stored.versions[name], 0, "the history starts again");
    }
    let database = Connection::open(recording.folder.path().join("registry.db")).unwrap();
    let types = database
        .prepare("SELECT feature_view_type FROM feature_view_version_history WHERE feature_view_name IN ('ride_labels', 'rider_live') ORDER BY feature_view_name")
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    assert_eq!(types, ["feature_view", "label_view"]);
}

#[test]
fn validation_references_are_changed_but_not_created() {
    let recording = Recording::kinds();
    let id = ObjectId::new(ObjectKind::ValidationReference, "sane");
    let error = recording.apply(recording.objects().into_values()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "validation reference sane cannot be created: it needs a profiler, and a profiler is a Python function"
    );
    assert!(recording.stored().rows.is_empty());

    recording.restore();
    let mut objects = recording.objects();
    let Some(Object::ValidationReference(reference)) = objects.get_mut(&id) else { panic!("it is gone") };
    reference.description = "as in June".to_owned();
    recording.apply(objects.into_values()).unwrap();
    let stored = recording.stored();
    let before = recording.rows.iter().find(|row| row.kind == ObjectKind::ValidationReference).unwrap();
    let before: ValidationReference = decode(&before.proto).unwrap();
    let after: ValidationReference = decode(stored.proto(id.kind, &id.name).unwrap()).unwrap();
    assert_eq!(after, ValidationReference { description: "as in June".to_owned(), ..before });
}

#[test]
fn the_revision_follows_what_plans_are_made_from() {
    let recording = Recording::kinds();
    let revision = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = recording.rows.clone();
        change(&mut rows);
        read_objects(&Snapshot { rows, ..Snapshot::default() }).revision
    };
    let same = revision(&|_| {});
    let materialized = revision(&|rows| {
        for row in rows.iter_mut().filter(|row| row.kind == ObjectKind::FeatureView) {
            let mut view: FeatureViewMessage = decode(&row.proto).unwrap();
            let meta = view.meta.as_mut().unwrap();
            meta.materialization_intervals.push(MaterializationInterval::default());
            meta.last_updated_timestamp = Some(NOW.into());
            row.proto = prost::Message::encode_to_vec(&view);
        }
    });
    assert_eq!(materialized, same);
    let without_label_view = revision(&|rows| rows.retain(|row| row.kind != ObjectKind::LabelView));
    assert_ne!(without_label_view, same);
    let other_function = revision(&|rows| {
        let row = rows.iter_mut().find(|row| row.kind == ObjectKind::OnDemandFeatureView).unwrap();
        row.proto.push(0);
    });
    assert_ne!(other_function, same);
}

#[test]
fn a_pin_makes_a_version_the_active_one() {
    let recording = Recording::kinds();
    recording.restore();
    let id = ObjectId::new(ObjectKind::FeatureView, "rider_rides");
    let Some(Object::FeatureView(first)) = recording.objects().remove(&id) else { panic!("the view is gone") };
    let mut second = first.clone();
    second.features.truncate(1);
    let mut third = first.clone();
    third.features[1].description = "so far".to_owned();
    let pinned = |view: &FeatureView, number| FeatureView { version: ViewVersion::Pinned(number), ..view.clone() };
    // Services hold copies of the view's columns; they do not matter here.
    let others: Vec<Object> = {
        let mut objects = recording.objects();
        objects.retain(|other, _| *other != id && other.kind != ObjectKind::FeatureService);
        objects.into_values().collect()
    };
    let active = |view: &FeatureView| {
        let objects = others.iter().cloned().chain([Object::FeatureView(view.clone())]);
        recording.apply(objects).map(|_| {
            let stored = recording.stored();
            let message: FeatureViewMessage = decode(stored.proto(id.kind, &id.name).unwrap()).unwrap();
            let (spec, meta) = (message.spec.unwrap(), message.meta.unwrap());
            (spec.version, meta.current_version_number, spec.features.len(), stored.versions[&id.name])
        })
    };
    let is = |version: &str, number, features, last| (version.to_owned(), number, features, last);
    assert_eq!(active(&second).unwrap(), is("latest", 1, 1, 1));
    assert_eq!(active(&pinned(&first, 0)).unwrap(), is("v0", 0, 2, 1), "back to the first one");
    assert_eq!(active(&pinned(&second, 1)).unwrap(), is("v1", 1, 1, 1), "and forth");
    let tagged = FeatureView { description: "new".to_owned(), ..pinned(&second, 1) };
    assert_eq!(active(&tagged).unwrap(), is("v1", 1, 1, 1), "a description is of no version");
    let conflict = active(&pinned(&third, 0)).unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "feature view rider_rides is pinned to version v0, and that version is another one than what is declared"
    );
    assert_eq!(active(&pinned(&third, 7)).unwrap(), is("v7", 7, 2, 7), "a number that is not taken is a new version");
    assert_eq!(active(&third).unwrap(), is("latest", 7, 2, 7));
    assert_eq!(active(&first).unwrap(), is("latest", 8, 2, 8));
}
