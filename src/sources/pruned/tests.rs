//! Reading with keys of interest gives all rows with them, whatever is left out.

use std::{collections::BTreeSet, fs::File, path::Path, sync::Arc};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array,
        Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array,
        UInt64Array,
    },
    compute::cast,
    datatypes::{DataType as ArrowType, Int64Type},
};
use parquet::{
    arrow::ArrowWriter,
    file::properties::{EnabledStatistics, WriterProperties},
};
use proptest::prelude::*;

use crate::{
    model::DataType,
    sources::{Format, OpenSource, Role, Wanted},
};

/// How a file is written.
#[derive(Debug, Clone)]
struct Written {
    group: usize,
    statistics: EnabledStatistics,
    cut_off: Option<usize>,
    filters: bool,
}

fn write(path: &Path, keys: &ArrayRef, written: &Written) {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..keys.len() as i64));
    let rows = RecordBatch::try_from_iter_with_nullable([("k", Arc::clone(keys), true), ("n", numbers, true)]).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(written.group))
        .set_statistics_enabled(written.statistics)
        .set_statistics_truncate_length(written.cut_off)
        .set_bloom_filter_enabled(written.filters)
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
}

/// The rows that are read, each as its key in text and its number, and how many row groups they are from; with values only
/// those rows are of interest.
fn read(path: &Path, declared: &DataType, values: Option<&ArrayRef>) -> Vec<(Option<String>, i64)> {
    let source = OpenSource::file(path, Format::Parquet, "rows").unwrap();
    let wanted = [("k", Role::Key(declared.clone())), ("n", Role::AsIs)];
    let wanted = wanted.map(|(column, role)| Wanted { column: column.to_owned(), role, null_if_unfit: false });
    let mut scan = source.scan(wanted.to_vec()).unwrap();
    if let Some(values) = values {
        scan = scan.among(0, values);
    }
    let run = Arc::new(scan).run();
    let mut found = Vec::new();
    while let Some(mut part) = run.part().unwrap() {
        while let Some(rows) = run.batch(&mut part).unwrap() {
            let keys = cast(&rows.columns[0], &ArrowType::Utf8).unwrap();
            let keys = keys.as_string::<i32>().iter().map(|key| key.map(str::to_owned));
            let numbers = rows.columns[1].as_primitive::<Int64Type>().values().iter().copied();
            found.extend(keys.zip(numbers));
        }
    }
    found
}

/// Columns of keys of all kinds with the same numbers, and as what they are read.
fn columns(numbers: &[Option<i64>]) -> Vec<(ArrayRef, DataType)> {
    let whole = || numbers.iter().copied();
    let small = || whole().map(|number| number.map(|number| number.rem_euclid(100)));
    let text = |number: Option<i64>| {
        number.map(|number| ["ä", "a", ""][number.rem_euclid(3) as usize].repeat(9) + &number.to_string())
    };
    let decimals = |factor: i128, precision, scale| {
        let decimals: Decimal128Array =
            small().map(|number| number.map(|number| i128::from(number) * factor)).collect();
        Arc::new(decimals.with_precision_and_scale(precision, scale).unwrap()) as ArrayRef
    };
    vec![
        (Arc::new(whole().collect::<Int64Array>()), DataType::Int64),
        (
            Arc::new(small().map(|number| number.map(|number| number as i32 - 50)).collect::<Int32Array>()),
            DataType::Int64,
        ),
        (
            Arc::new(small().map(|number| number.map(|number| number as i16 - 50)).collect::<Int16Array>()),
            DataType::Int32,
        ),
        (
            Arc::new(
                small().map(|number| number.map(|number| u32::MAX - 100 + number as u32)).collect::<UInt32Array>(),
            ),
            DataType::Int64,
        ),
        (
            Arc::new(small().map(|number| number.map(|number| number as u64 + (1 << 62))).collect::<UInt64Array>()),
            DataType::Int64,
        ),
        // What pandas writes for missing whole numbers.
        (
            Arc::new(
                small().map(|number| Some(number.map_or(f64::NAN, |number| number as f64))).collect::<Float64Array>(),
            ),
            DataType::Int64,
        ),
        (
            Arc::new(small().map(|number| number.map(|number| -(number as f32))).collect::<Float32Array>()),
            DataType::Int32,
        ),
        (decimals(1, 20, 0), DataType::Int64),
        (decimals(-100, 10, 2), DataType::Int64),
        (decimals(10, 38, 1), DataType::Int64),
        (Arc::new(whole().map(text).collect::<StringArray>()), DataType::String),
        (Arc::new(whole().map(text).collect::<LargeStringArray>()), DataType::String),
        (
            Arc::new(
                small().map(|number| number.map(|number| (number - 50) * 700)).collect::<TimestampMillisecondArray>(),
            ),
            DataType::UnixTimestamp,
        ),
        (
            Arc::new(small().map(|number| number.map(|number| number as i32 - 50)).collect::<Date32Array>()),
            DataType::UnixTimestamp,
        ),
    ]
}

fn written() -> impl Strategy<Value = Written> {
    use EnabledStatistics::{Chunk, None, Page};
    (1_usize..8, prop::sample::select(vec![Chunk, Page, None]), prop::option::of(1_usize..6), any::<bool>())
        .prop_map(|(group, statistics, cut_off, filters)| Written { group, statistics, cut_off, filters })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_row_with_a_key_of_interest_is_left_out(
        numbers in prop::collection::vec(prop::option::weighted(0.8, prop_oneof![-20_i64..20, any::<i64>()]), 1..40),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        other in any::<i64>(),
        is_sorted in any::<bool>(),
        written in written(),
    ) {
        let mut numbers = numbers;
        if is_sorted {
            numbers.sort();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        for (keys, declared) in columns(&numbers) {
            write(&path, &keys, &written);
            let all = read(&path, &declared, None);
            let mut wanted: BTreeSet<String> = picks.iter().filter_map(|pick| all[pick.index(all.len())].0.clone()).collect();
            wanted.insert(if declared == DataType::Int32 { (other as i32).to_string() } else { other.to_string() });
            let texts: ArrayRef = Arc::new(wanted.iter().collect::<Vec<_>>().into_iter().map(|key| Some(key.as_str())).collect::<StringArray>());
            let kind = match declared {
                DataType::String => ArrowType::Utf8,
                DataType::Int32 => ArrowType::Int32,
                _ => ArrowType::Int64,
            };
            let few = read(&path, &declared, Some(&cast(&texts, &kind).unwrap()));
            let of_interest = |rows: &[(Option<String>, i64)]| -> Vec<_> {
                rows.iter().filter(|(key, _)| key.as_ref().is_some_and(|key| wanted.contains(key))).cloned().collect()
            };
            prop_assert_eq!(of_interest(&few), of_interest(&all), "{} {:?}", keys.data_type(), wanted);
            prop_assert!(few.len() <= all.len());
        }
    }
}

/// The numbers of rows that are read of a column for one of its values.
fn read_for(keys: &ArrayRef, declared: &DataType, value: ArrayRef, written: &Written) -> Vec<i64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    write(&path, keys, written);
    read(&path, declared, Some(&value)).into_iter().map(|(_, number)| number).collect()
}

const PLAIN: Written = Written { group: 5, statistics: EnabledStatistics::Chunk, cut_off: Some(4), filters: false };

#[test]
fn row_groups_of_other_keys_are_left_out() {
    let numbers: Vec<Option<i64>> = (0..100).map(Some).collect();
    for (keys, declared) in columns(&numbers).into_iter().filter(|(_, declared)| *declared != DataType::String) {
        let all = super::super::key_values(&keys, &declared).unwrap().unwrap().array;
        let read = read_for(&keys, &declared, all.slice(42, 1), &PLAIN);
        // Rounded to seconds, times of two row groups may be the same.
        let most = if declared == DataType::UnixTimestamp { 10 } else { 5 };
        assert!(read.len() <= most && read.contains(&42), "{} {read:?}", keys.data_type());
    }
    let texts: ArrayRef = Arc::new((0..100).map(|number| Some(format!("k{number:03}"))).collect::<StringArray>());
    let one = |key: &str| Arc::new(StringArray::from(vec![key])) as ArrayRef;
    assert_eq!(read_for(&texts, &DataType::String, one("k042"), &PLAIN), [40, 41, 42, 43, 44]);
    // Of bounds that are cut off at three letters more is left over.
    let cut = Written { cut_off: Some(3), ..PLAIN };
    assert_eq!(read_for(&texts, &DataType::String, one("k042"), &cut), (40..50).collect::<Vec<_>>());
    let nulls: ArrayRef = Arc::new(Int64Array::from(vec![None; 10]));
    assert!(read_for(&nulls, &DataType::Int64, Arc::new(Int64Array::from(vec![0])), &PLAIN).is_empty());
}

#[test]
fn filters_leave_out_what_bounds_do_not() {
    // Each row group has values from both ends.
    let scattered = |number: i64| (number * 7_919) % 20_000;
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..20_000).map(scattered)));
    let value = || Arc::new(Int64Array::from(vec![scattered(4_321)])) as ArrayRef;
    let bounds = Written { group: 2_000, ..PLAIN };
    assert_eq!(read_for(&keys, &DataType::Int64, value(), &bounds).len(), 20_000);
    let filters = Written { filters: true, ..bounds };
    let read = read_for(&keys, &DataType::Int64, value(), &filters);
    assert!(read.len() < 6_000 && read.contains(&4_321), "{}", read.len());
}
