//! Generated retrievals, which Python Feast's DuckDB store and feastr answer alike: every selection of features over every
//! file of entity rows.

use std::{fs::File, sync::Arc};

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};

use crate::{
    interop::feast,
    support::{Project, settings},
};

const DEFINITIONS: &str = "
entities:
  - {name: customer, join_keys: [customer_id], value_type: INT64}
  - {name: city, join_keys: [city_name], value_type: STRING}
  - {name: shop, join_keys: [shop_no], value_type: INT32}
data_sources:
  - {name: orders, type: file, path: data/orders.parquet, timestamp_field: at, created_timestamp_column: written}
  - {name: visits, type: file, path: data/visits.parquet, timestamp_field: seen, field_mapping: {pages: page_count}}
  - {name: weather, type: file, path: data/weather.parquet, timestamp_field: at}
  - {name: stock, type: file, path: data/stock.parquet, timestamp_field: at, created_timestamp_column: written}
  - {name: rates, type: file, path: data/rates.parquet, timestamp_field: at}
feature_views:
  - name: orders
    entities: [customer]
    ttl: 2d
    source: orders
    schema: [{name: total, dtype: Float64}, {name: items, dtype: Int64}, {name: paid, dtype: Bool}]
  - name: visits
    entities: [customer]
    ttl: 0
    source: visits
    schema: [{name: page_count, dtype: Int64}, {name: device, dtype: String}]
  - name: weather
    entities: [city]
    ttl: 6h
    source: weather
    schema: [{name: temperature, dtype: Float64}, {name: total, dtype: Float64}]
  - name: stock
    entities: [shop, city]
    ttl: 1d
    source: stock
    schema: [{name: pieces, dtype: Int32}]
  - name: rates
    entities: []
    ttl: 0
    source: rates
    schema: [{name: rate, dtype: Float64}]
feature_services:
  - {name: all, features: [orders: [items], visits, weather: [temperature], stock, rates]}
  - {name: renamed, features: [{view: orders, name_alias: spending, features: [total]}, {view: weather, features: [total]}]}
";

/// Which features, and whether their names begin with the view's.
pub const SELECTIONS: [(&str, &[&str], bool); 9] = [
    ("features", &["orders:total", "orders:paid"], false),
    ("features", &["orders:items", "visits:page_count"], false),
    ("features", &["visits:device", "weather:temperature"], true),
    ("features", &["stock:pieces"], false),
    ("features", &["stock:pieces", "orders:total", "weather:total"], true),
    ("features", &["rates:rate", "orders:items"], false),
    ("features", &["weather:temperature", "visits:page_count", "stock:pieces", "orders:paid", "rates:rate"], true),
    ("service", &["all"], false),
    ("service", &["renamed"], true),
];

/// The files of entity rows: how many, how many of them without one of the keys, and for which hours.
pub const ENTITIES: [(usize, u64, std::ops::Range<u64>); 3] = [(40, 0, 0..240), (60, 5, 100..140), (25, 3, 239..400)];

/// Columns of these files.
const ENTITY_COLUMNS: usize = 5;

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// None once in so many times, if that is ever.
    fn missing(&mut self, every: u64) -> bool {
        every > 0 && self.below(every) == 0
    }
}

const CITIES: [&str; 4] = ["Rome", "Oslo", "", "Åbo"];
const HOUR: i64 = 3_600_000_000;
/// 2026-01-01.
const START: i64 = 1_767_225_600_000_000;

fn write(project: &Project, path: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(project.path(path)).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Rows of hours, each hour at most once for each of `keys`; with a time of writing that decides where hours repeat.
fn moments(numbers: &mut Numbers, keys: u64, rows: usize) -> Vec<(u64, i64, i64)> {
    let mut moments: Vec<(u64, i64, i64)> = Vec::new();
    while moments.len() < rows {
        let moment = (numbers.below(keys), START + numbers.below(240) as i64 * HOUR, 0);
        let again = moments.iter().filter(|known| (known.0, known.1) == (moment.0, moment.1)).count();
        moments.push((moment.0, moment.1, moment.1 + (again as i64 + 1) * HOUR));
    }
    moments
}

/// The same with no hour twice, for sources that do not say when rows were written.
fn once(numbers: &mut Numbers, keys: u64, rows: usize) -> Vec<(u64, i64)> {
    let mut moments: Vec<(u64, i64)> = moments(numbers, keys, rows).into_iter().map(|(key, at, _)| (key, at)).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(values.collect::<Vec<_>>().into_iter().map(Some).collect::<TimestampMicrosecondArray>())
}

fn write_sources(project: &Project) {
    let mut numbers = Numbers(7);
    let orders = moments(&mut numbers, 6, 300);
    write(
        project,
        "data/orders.parquet",
        vec![
            ("customer_id", Arc::new(orders.iter().map(|row| Some(row.0 as i64)).collect::<Int64Array>())),
            ("at", times(orders.iter().map(|row| row.1))),
            ("written", times(orders.iter().map(|row| row.2))),
            (
                "total",
                Arc::new(orders.iter().map(|_| Some(numbers.below(1000) as f64 / 8.0)).collect::<Float64Array>()),
            ),
            ("items", Arc::new(orders.iter().map(|_| (!numbers.missing(9)).then_some(7)).collect::<Int64Array>())),
            ("paid", Arc::new(orders.iter().map(|row| Some(row.1 % 2 == 0)).collect::<BooleanArray>())),
        ],
    );
    let visits = once(&mut numbers, 6, 200);
    write(
        project,
        "data/visits.parquet",
        vec![
            ("customer_id", Arc::new(visits.iter().map(|row| Some(row.0 as i64)).collect::<Int64Array>())),
            ("seen", Arc::new(visits.iter().map(|row| Some(row.1 * 1000)).collect::<TimestampNanosecondArray>())),
            ("pages", Arc::new(visits.iter().map(|_| Some(numbers.below(50) as i64)).collect::<Int64Array>())),
            ("device", Arc::new(visits.iter().map(|row| Some(format!("d{}", row.0))).collect::<StringArray>())),
        ],
    );
    let weather = once(&mut numbers, 4, 150);
    write(
        project,
        "data/weather.parquet",
        vec![
            ("city_name", Arc::new(weather.iter().map(|row| Some(CITIES[row.0 as usize])).collect::<StringArray>())),
            ("at", times(weather.iter().map(|row| row.1))),
            (
                "temperature",
                Arc::new(weather.iter().map(|_| Some(numbers.below(300) as f64)).collect::<Float64Array>()),
            ),
            ("total", Arc::new(weather.iter().map(|_| Some(numbers.below(9) as f64)).collect::<Float64Array>())),
        ],
    );
    let stock = moments(&mut numbers, 8, 300);
    write(
        project,
        "data/stock.parquet",
        vec![
            ("shop_no", Arc::new(stock.iter().map(|row| Some((row.0 / 4) as i32)).collect::<Int32Array>())),
            (
                "city_name",
                Arc::new(stock.iter().map(|row| Some(CITIES[(row.0 % 4) as usize])).collect::<StringArray>()),
            ),
            ("at", times(stock.iter().map(|row| row.1))),
            ("written", times(stock.iter().map(|row| row.2))),
            ("pieces", Arc::new(stock.iter().map(|_| Some(numbers.below(90) as i32)).collect::<Int32Array>())),
        ],
    );
    let rates = once(&mut numbers, 1, 60);
    write(
        project,
        "data/rates.parquet",
        vec![
            ("at", times(rates.iter().map(|row| row.1))),
            ("rate", Arc::new(rates.iter().map(|_| Some(numbers.below(100) as f64 / 4.0)).collect::<Float64Array>())),
        ],
    );
}

/// Writes a file of entity rows, and says where it is.
pub fn write_entities(project: &Project, number: usize) -> String {
    let (rows, missing, hours) = ENTITIES[number].clone();
    let mut numbers = Numbers(number as u64 + 99);
    let path = format!("data/entities_{number}.parquet");
    let mut key =
        |end: u64| (0..rows).map(|_| (!numbers.missing(missing)).then(|| numbers.below(end))).collect::<Vec<_>>();
    let [customers, cities, shops] = [key(8), key(4), key(3)];
    let mut numbers = Numbers(number as u64);
    let times: TimestampMicrosecondArray =
        (0..rows).map(|_| Some(START + (hours.start + numbers.below(hours.end - hours.start)) as i64 * HOUR)).collect();
    write(
        project,
        &path,
        vec![
            ("row", Arc::new((0..rows as i64).map(Some).collect::<Int64Array>())),
            ("customer_id", Arc::new(customers.iter().map(|key| key.map(|key| key as i64)).collect::<Int64Array>())),
            (
                "city_name",
                Arc::new(cities.iter().map(|key| key.map(|key| CITIES[key as usize])).collect::<StringArray>()),
            ),
            ("shop_no", Arc::new(shops.iter().map(|key| key.map(|key| key as i32)).collect::<Int32Array>())),
            ("event_timestamp", Arc::new(times.with_timezone("UTC"))),
        ],
    );
    path
}

/// An applied repo with the sources of all selections.
pub fn generated() -> Project {
    let project = Project::new(&[("feature_store.yaml", &settings("demo"))]);
    project.write("definitions.yaml", DEFINITIONS);
    std::fs::create_dir(project.path("data")).unwrap();
    write_sources(&project);
    project.feastr(&["apply"]).ok();
    project
}

/// The arguments that write a selection for entity rows to a file.
pub fn arguments<'a>(
    (kind, names, full_names): (&str, &[&'a str], bool),
    entities: &'a str,
    output: &'a str,
) -> Vec<&'a str> {
    let flag = if kind == "service" { "--feature-service" } else { "--features" };
    let mut args = vec!["get-historical", "--entities", entities, "-o", output, flag];
    args.extend(names);
    args.extend(full_names.then_some("--full-feature-names"));
    args
}

#[test]
fn generated_retrievals_are_those_of_feast() {
    let project = generated();
    let (mut steps, mut asked): (Vec<Json>, Vec<String>) = (Vec::new(), Vec::new());
    for number in 0..ENTITIES.len() {
        let entities = write_entities(&project, number);
        for (kind, names, full_names) in SELECTIONS {
            let output = format!("data/joined_{}.parquet", asked.len());
            project.feastr(&arguments((kind, names, full_names), &entities, &output)).ok();
            let wanted = if kind == "service" { json!(names[0]) } else { json!(names) };
            let arguments = json!({ "entities": entities, "full_feature_names": full_names, kind: wanted });
            steps.extend([json!({ "historical": arguments }), json!({ "read": { "path": output } })]);
            asked.push(format!("{names:?} of {entities}"));
        }
    }
    assert!(asked.len() >= 25);
    let answers = feast(&project, &steps);
    let mut values = 0;
    for (asked, answers) in asked.iter().zip(answers.chunks(2)) {
        // Entity rows come through pandas, which makes int64 of int32 that may be null.
        let types = |answer: &Json| answer["types"].as_array().unwrap()[ENTITY_COLUMNS..].to_vec();
        let said = |answer: &Json| (answer["names"].clone(), types(answer), answer["rows"].clone());
        assert_eq!(said(&answers[1]), said(&answers[0]), "{asked}");
        let rows = answers[0]["rows"].as_array().unwrap();
        values += rows
            .iter()
            .flat_map(|row| row.as_array().unwrap().iter().skip(ENTITY_COLUMNS))
            .filter(|cell| !cell.is_null())
            .count();
    }
    assert!(values > 500, "{values} values: hardly anything was joined");
}
