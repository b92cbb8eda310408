//! Computing ten expressions for one row and for a hundred, over an evaluator that is held.
//!
//! `cargo bench --bench on_demand`; what is printed are medians in microseconds. `scripts/bench on_demand` puts
//! Python Feast beside it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use arrow::{
    array::{ArrayRef, Float64Array},
    datatypes::DataType as ArrowType,
};
use feastr::{
    model::{
        DataSource, DataType, Expression, Field, OnDemandFeatureView, OnDemandSource, Projection, RequestSource,
        SourceKind, Tags, ViewVersion,
    },
    transform::{Engine, Evaluator},
};

const INPUTS: usize = 10;
const ROUNDS: usize = 3_000;

/// Ten outputs, each of an input and a field of the request.
fn view() -> OnDemandFeatureView {
    let inputs: Vec<Field> = (0..INPUTS).map(|index| Field::new(format!("f{index}"), DataType::Float64)).collect();
    let request = RequestSource { schema: vec![Field::new("tip", DataType::Float64)] };
    OnDemandFeatureView {
        name: "computed".to_owned(),
        entities: Vec::new(),
        entity_columns: Vec::new(),
        sources: vec![
            OnDemandSource::View(Projection {
                view: "stored".to_owned(),
                features: inputs,
                name_alias: None,
                join_key_map: BTreeMap::new(),
                source: None,
                labels: false,
            }),
            OnDemandSource::Request(DataSource::new("request", SourceKind::Request(request))),
        ],
        features: (0..INPUTS).map(|index| Field::new(format!("o{index}"), DataType::Float64)).collect(),
        expressions: (0..INPUTS)
            .map(|index| Expression { name: format!("o{index}"), sql: format!("f{index} * 2 + tip") })
            .collect(),
        write_to_online_store: false,
        enabled: true,
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    }
}

/// The median of many rounds.
fn median(evaluator: &Evaluator, rows: usize) -> Duration {
    let input: ArrayRef = Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64)));
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            let computed = evaluator.compute(rows, |_| Some(&input)).unwrap();
            assert!(computed.failed.is_empty());
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[ROUNDS / 2]
}

fn main() {
    let began = Instant::now();
    let evaluator = Evaluator::new(&Arc::<Engine>::default(), &view(), |_| ArrowType::Float64).unwrap();
    println!("prepared in {} us", began.elapsed().as_micros());
    for rows in [1, 100] {
        println!("{rows} rows: {} us", median(&evaluator, rows).as_micros());
    }
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| median(&evaluator, 1));
        }
    });
    println!("1 row, two threads: {} us each", began.elapsed().as_micros() / ROUNDS as u128);
}
