//! What Feast materialized into SQLite: the same sources give the same keys, values and texts.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    path::{Path, PathBuf},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::{cast, concat_batches},
    datatypes::{DataType as ArrowType, Int64Type, TimeUnit, TimestampMicrosecondType},
};
use feastr::{
    feast::values::{
        encode::{ColumnEncoder, KeyColumn},
        entity_key::{EntityKeyEncoder, KeyPart},
        value::{Int64List, Kind, Map, MapList, StringList, Value},
    },
    model::{DUMMY_JOIN_KEY, DataType, FeatureView, SourceKind, Timestamp},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prost::Message;
use serde_json::Value as Json;

use super::{
    registry_rows::{files, golden_root, read_json},
    repos::RecordedRepo,
    vectors::{array, from_hex, served, text},
};

/// The rows of a view's source, and which of them is the newest one of each entity in a window.
pub struct Materialized {
    view: FeatureView,
    rows: RecordBatch,
    newest: HashMap<Vec<u8>, usize>,
}

impl Materialized {
    /// `start` and `end`, which belong to the window, are in microseconds.
    pub fn new(repo: &RecordedRepo, view: &FeatureView, start: i64, end: i64) -> Self {
        let source = view.source.as_ref().unwrap();
        let SourceKind::File(file) = &source.kind else { panic!("{}: {source:?}", view.name) };
        let rows = read_parquet(&repo.input().join(&file.path));
        let column = |name: &str| rows.column_by_name(name).unwrap_or_else(|| panic!("{}: {name}", view.name));
        let micros = |name: &str| {
            let zone = ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            cast(column(name), &zone).unwrap().as_primitive::<TimestampMicrosecondType>().clone()
        };
        let event = micros(source.event_column());
        let created = Some(source.created_column()).filter(|name| !name.is_empty()).map(micros);
        let join_keys = view.join_keys();
        let bind = |key: &feastr::model::Field| KeyColumn::bind(&key.dtype, column(source.unmapped(&key.name)));
        let keys: Vec<KeyColumn> = join_keys.iter().map(|key| bind(key).unwrap()).collect();
        let (names, dummy) = match join_keys {
            [] => (vec![DUMMY_JOIN_KEY], Some(KeyPart::String(""))),
            keys => (keys.iter().map(|key| key.name.as_str()).collect(), None),
        };
        let encoder = EntityKeyEncoder::new(&names).unwrap();
        let age = |row: usize| {
            (event.value(row), created.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row)))
        };
        let mut newest = HashMap::new();
        for row in (0..rows.num_rows()).filter(|row| (start..=end).contains(&event.value(*row))) {
            let parts: Option<Vec<_>> = keys.iter().map(|key| key.part(row).unwrap()).collect();
            let Some(parts) = parts else { continue };
            let parts: Vec<KeyPart> = parts.into_iter().chain(dummy).collect();
            let mut key = Vec::new();
            encoder.encode(&parts, &mut key).unwrap();
            let kept = newest.entry(key).or_insert(row);
            if age(row) > age(*kept) {
                *kept = row;
            }
        }
        Self { view: view.clone(), rows, newest }
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Vec<u8>> {
        self.newest.keys()
    }

    fn column(&self, feature: &str) -> (&DataType, &ArrayRef) {
        let source = self.view.source.as_ref().unwrap();
        let field = self.view.features.iter().find(|field| field.name == feature).unwrap();
        (&field.dtype, self.rows.column_by_name(source.unmapped(feature)).unwrap())
    }

    /// The value of an entity as feastr encodes it.
    fn encoded(&self, feature: &str, key: &[u8]) -> Vec<u8> {
        let (dtype, column) = self.column(feature);
        let encoder = ColumnEncoder::new(dtype, column.data_type()).unwrap();
        let mut bytes = Vec::new();
        encoder.bind(column).unwrap().encode(self.newest[key], &mut bytes).unwrap();
        bytes
    }

    /// The bytes that belong where Feast wrote `theirs`, read from the source without feastr. They are the same, but
    /// for what Feast changed on the way: integers of a column with a null went through floating point (inside structs
    /// they stayed there), and the elements of a set have the order of a Python set.
    pub fn right(&self, feature: &str, key: &[u8], theirs: &[u8]) -> Vec<u8> {
        let (dtype, column) = self.column(feature);
        let row = self.newest[key];
        let has_null = |column: &ArrayRef| self.newest.values().any(|row| column.is_null(*row));
        let integer = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().map(|column| column.value(row));
        let mut value = Value::decode(theirs).unwrap();
        match (dtype, &mut value.kind) {
            (DataType::Int64, Some(Kind::Int64(stored))) if has_null(column) => {
                *stored = integer(column).filter(|exact| *exact as f64 as i64 == *stored).unwrap_or(*stored);
            }
            (DataType::Struct(_), Some(Kind::Struct(members))) => {
                for member in &mut members.val {
                    let inner = column.as_struct().column_by_name(&member.key).unwrap();
                    let (Some(Kind::Double(stored)), Some(exact)) = (&member.value.kind, integer(inner)) else {
                        continue;
                    };
                    if exact as f64 == *stored && has_null(inner) {
                        member.value = Kind::Int64(exact).into();
                    }
                }
            }
            (DataType::Set(_), Some(Kind::Int64Set(Int64List { val }))) => {
                let elements = column.as_list::<i32>().value(row);
                put_in_order(val, elements.as_primitive::<Int64Type>().values().to_vec());
            }
            (DataType::Set(_), Some(Kind::StringSet(StringList { val }))) => {
                let elements = column.as_list::<i32>().value(row);
                put_in_order(val, elements.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect());
            }
            _ => {}
        }
        value.encode_to_vec()
    }
}

/// Gives a set the order of its source, if it has the same elements.
fn put_in_order<T: Ord + Clone>(set: &mut Vec<T>, source: Vec<T>) {
    let mut ordered: Vec<T> = Vec::new();
    for element in source {
        if !ordered.contains(&element) {
            ordered.push(element);
        }
    }
    if ordered.iter().collect::<BTreeSet<_>>() == set.iter().collect() && ordered.len() == set.len() {
        *set = ordered;
    }
}

fn read_parquet(path: &Path) -> RecordBatch {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// Asserts that two values have the same bytes, whatever the order of their maps: in protobuf it is arbitrary.
#[track_caller]
pub fn assert_same_value(ours: &[u8], theirs: &[u8], about: &Json) {
    if ours != theirs {
        assert_eq!(hex(&sorted(ours)), hex(&sorted(theirs)), "{about}");
    }
}

fn sorted(bytes: &[u8]) -> Vec<u8> {
    let mut value = Value::decode(bytes).unwrap();
    if sort_maps(&mut value) { value.encode_to_vec() } else { bytes.to_vec() }
}

/// Whether the value has maps; their entries are in the order of their names then.
fn sort_maps(value: &mut Value) -> bool {
    let maps: Vec<&mut Map> = match &mut value.kind {
        Some(Kind::Map(map) | Kind::Struct(map)) => vec![map],
        Some(Kind::MapList(MapList { val }) | Kind::StructList(MapList { val })) => val.iter_mut().collect(),
        _ => return false,
    };
    for map in maps {
        map.val.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in &mut map.val {
            sort_maps(&mut entry.value);
        }
    }
    true
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A moment of the command line, in microseconds.
pub fn micros(moment: &Json) -> i64 {
    Timestamp::parse(text(moment), Timestamp::now()).unwrap().micros()
}

/// Online stores in SQLite, as they were after some command: file, name of the steps, state.
fn recorded_stores() -> Vec<(PathBuf, Json)> {
    let mut stores: Vec<(PathBuf, Json)> = files(&golden_root().join("online"), ".json")
        .into_iter()
        .map(|path| (path.clone(), read_json(&path)))
        .filter(|(_, json)| json.get("tables").is_some())
        .collect();
    stores.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!stores.is_empty());
    stores
}

/// The steps that led to a store, and how many of them: `x.json` has all of `x_steps.json`, `x_1_word.json` the first.
fn steps(path: &Path) -> (PathBuf, Option<usize>) {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let numbered = stem.rmatch_indices('_').find_map(|(at, _)| {
        let digits = stem[at + 1..].split('_').next().unwrap();
        digits.parse().ok().map(|number| (&stem[..at], number))
    });
    let (prefix, number) = numbered.map_or((stem, None), |(prefix, number)| (prefix, Some(number)));
    (path.with_file_name(format!("{prefix}_steps.json")), number)
}

/// Stores whose steps only added: those after an older window are another test's.
#[test]
fn every_value_of_every_type() {
    let (mut compared, mut stores) = (0, 0);
    for (path, recorded) in recorded_stores() {
        let (steps, number) = steps(&path);
        if number.is_none_or(|number| number == 1) {
            compared += check(&path, &recorded, array(&read_json(&steps)));
            stores += 1;
        }
    }
    assert!(stores > 0 && compared > 0);
}

/// The repo whose views have tables of these names, the project's and theirs.
pub fn repo_of_tables(recorded: &Json) -> RecordedRepo {
    let tables: Vec<&String> = recorded["tables"].as_object().unwrap().keys().collect();
    let has_all = |repo: &RecordedRepo| {
        let names: Vec<String> = repo.views().map(|view| format!("{}_{}", repo.project, view.name)).collect();
        tables.iter().all(|table| names.contains(table))
    };
    let project = RecordedRepo::all().into_iter().find(has_all).map(|repo| repo.project);
    RecordedRepo::of_project(&project.unwrap_or_else(|| panic!("no recorded repo has the tables {tables:?}")))
}

/// Compares every value of a store; gives their number.
fn check(path: &Path, recorded: &Json, steps: &[Json]) -> usize {
    let repo = repo_of_tables(recorded);
    let mut compared = 0;
    for (table, rows) in recorded["tables"].as_object().unwrap() {
        let view = repo.views().find(|view| format!("{}_{}", repo.project, view.name) == *table).unwrap();
        let about = |step: &&Json| {
            let mut views =
                array(&step["args"]).iter().map(text).skip(3).filter(|arg| !arg.starts_with('-')).peekable();
            views.peek().is_none() || views.any(|name| name == view.name)
        };
        let step = steps.iter().find(about).unwrap_or_else(|| panic!("{}: no step for {table}", path.display()));
        if step["exit_code"] != 0 {
            assert!(array(rows).is_empty(), "{table}: Feast failed to materialize it");
            continue;
        }
        let window = |place: usize| micros(&step["args"][place]);
        let source = Materialized::new(&repo, view, window(1), window(2));
        assert_eq!(array(rows).len(), source.keys().len() * view.features.len(), "{table}");
        for row in array(rows) {
            let (feature, key, stored) =
                (text(&row["feature_name"]), from_hex(&row["entity_key"]["hex"]), from_hex(&row["value"]["hex"]));
            assert_same_value(&source.encoded(feature, &key), &source.right(feature, &key, &stored), row);
            let value = Value::decode(&stored[..]).unwrap();
            assert_eq!(value.to_text().as_deref(), row["value_text"].as_str(), "{row}");
            assert_eq!(value.to_json(), served(&row["value"]["json"]), "{row}");
            compared += 1;
        }
    }
    compared
}
