//! Types of parquet files: all files count, and what plan takes is read.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{
        ArrayRef, AsArray, Date32Array, Decimal128Array, Float32Array, Int32Array, Int64Builder, ListArray, MapBuilder,
        NullArray, RecordBatch, StringBuilder, StructArray, TimestampNanosecondArray, UInt64Array, new_null_array,
    },
    datatypes::{DataType as ArrowType, Field, Float64Type, Int64Type, Schema, TimeUnit},
};
use parquet::{
    data_type::{FixedLenByteArray, FixedLenByteArrayType, Int64Type as ParquetInt64},
    file::writer::SerializedFileWriter,
    schema::parser::parse_message_type,
};
use serde_json::{Value as Json, json};

use super::{
    DAY, days, define, floats, historical, ints, materialize, online, online_of, refusal, repo, texts, times,
    write_parquet,
};
use crate::support::Project;

fn decimals(value: i128, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(precision, scale).unwrap())
}

fn object(members: &[(&str, ArrayRef)]) -> ArrayRef {
    let field = |(name, array): &(&str, ArrayRef)| Arc::new(Field::new(*name, array.data_type().clone(), true));
    Arc::new(StructArray::from(members.iter().map(|member| (field(member), member.1.clone())).collect::<Vec<_>>()))
}

fn list_of_ints(values: &[i64]) -> ArrayRef {
    let elements = values.iter().copied().map(Some);
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(elements.collect::<Vec<_>>())]))
}

fn list_of_floats(values: &[f64]) -> ArrayRef {
    let elements = values.iter().copied().map(Some);
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>([Some(elements.collect::<Vec<_>>())]))
}

/// Files 1, 2 and so on with these values of `p`, each of the id that is its number.
fn write_files(project: &Project, columns: &[ArrayRef]) {
    for (number, column) in (1..).zip(columns) {
        let rows = column.len();
        let ids = ints(std::iter::repeat_n(number, rows));
        write_parquet(
            project,
            &format!("data/s/{number}.parquet"),
            vec![("id", ids), ("ts", days(rows)), ("p", column.clone())],
        );
    }
}

/// The online values of files with a row each, in both orders of the files.
#[track_caller]
fn values(dtype: &str, one: ArrayRef, other: ArrayRef) -> (Json, Json) {
    let project = repo("data/s", &[("p", dtype)]);
    write_files(&project, &[other.clone(), one.clone()]);
    materialize(&project);
    let turned = (online(&project, 2), online(&project, 1));
    let project = repo("data/s", &[("p", dtype)]);
    write_files(&project, &[one, other]);
    materialize(&project);
    let values = (online(&project, 1), online(&project, 2));
    assert_eq!([&values.0, &values.1].map(parsed), [&turned.0, &turned.1].map(parsed), "the order of the files counts");
    values
}

/// What a text of JSON says.
fn parsed(value: &Json) -> Json {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

#[test]
fn later_files_keep_their_values() {
    assert_eq!(values("Float64", ints([10]), floats([10.75])), (json!(10.0), json!(10.75)));
    let single: ArrayRef = Arc::new(Float32Array::from(vec![0.5]));
    assert_eq!(values("Float64", single, floats([0.1])), (json!(0.5), json!(0.1)));
    let lists = values("Array(Float64)", list_of_ints(&[1, 2]), list_of_floats(&[1.5, 2.5]));
    assert_eq!(lists, (json!([1.0, 2.0]), json!([1.5, 2.5])));
    let scales = |dtype| values(dtype, decimals(125, 10, 2), decimals(12_567, 10, 4));
    assert_eq!(scales("Float64"), (json!(1.25), json!(1.2567)));
    assert_eq!(scales("Decimal"), (json!("1.25"), json!("1.2567")));
    let flag: ArrayRef = Arc::new(arrow::array::BooleanArray::from(vec![true]));
    assert_eq!(values("Int64", flag, ints([5])), (json!(1), json!(5)));
    let date: ArrayRef = Arc::new(Date32Array::from(vec![20_454]));
    let moment = times(["2026-01-01T13:30:00Z"]);
    assert_eq!(values("UnixTimestamp", date, moment), (json!(1_767_225_600), json!(1_767_274_200)));
    let small: ArrayRef = Arc::new(Int32Array::from(vec![7]));
    assert_eq!(values("Int64", small, ints([1 << 40])), (json!(7), json!(1_i64 << 40)));
    let nothing: ArrayRef = Arc::new(NullArray::new(1));
    assert_eq!(values("String", nothing.clone(), texts(["x"])), (Json::Null, json!("x")));
    assert_eq!(values("Array(Int64)", nothing, list_of_ints(&[1])), (Json::Null, json!([1])));
}

#[test]
fn structs_may_have_other_members() {
    let one = object(&[("a", ints([1]))]);
    let both = object(&[("b", ints([3])), ("a", ints([2]))]);
    let (first, second) = values("Json", one.clone(), both.clone());
    assert_eq!((parsed(&first)["a"].clone(), parsed(&second)), (json!(1), json!({"a": 2, "b": 3})));
    let declared = values("Struct(a: Int64, b: Int64)", one.clone(), both);
    assert_eq!(declared, (json!({"a": 1, "b": null}), json!({"a": 2, "b": 3})));
    // One that no file has is null, too.
    let project = repo("data/s", &[("p", "Struct(a: Int64, b: Int64)")]);
    write_files(&project, &[one]);
    materialize(&project);
    assert_eq!(online(&project, 1), json!({"a": 1, "b": null}));
}

#[test]
fn event_times_may_be_dates_in_one_file() {
    let project = repo("data/s", &[("p", "Int64")]);
    let date: ArrayRef = Arc::new(Date32Array::from(vec![20_454]));
    write_parquet(&project, "data/s/1.parquet", vec![("id", ints([1])), ("ts", date), ("p", ints([1]))]);
    let moment = times(["2026-01-01T13:30:00Z"]);
    write_parquet(&project, "data/s/2.parquet", vec![("id", ints([1])), ("ts", moment), ("p", ints([2]))]);
    project.feastr(&["apply"]).ok();
    project.write("e.csv", "id,event_timestamp\n1,2026-01-01T12:00:00Z\n1,2026-01-01T14:00:00Z\n");
    assert_eq!(historical(&project, "e.csv"), ["1,2026-01-01T12:00:00Z,1", "1,2026-01-01T14:00:00Z,2"]);
}

#[test]
fn texts_may_be_event_times_in_parquet() {
    let project = repo("data/s.parquet", &[("p", "Int64")]);
    let moments = texts(["2026-01-01T13:30:00+02:00", "2026-01-01"]);
    write_parquet(&project, "data/s.parquet", vec![("id", ints([1, 1])), ("ts", moments), ("p", ints([1, 2]))]);
    materialize(&project);
    assert_eq!(online(&project, 1), 1);
    let moments = texts(["2026-01-01", "01/02/2026"]);
    write_parquet(&project, "data/s.parquet", vec![("id", ints([1, 1])), ("ts", moments), ("p", ints([1, 2]))]);
    let error = project.feastr(&["materialize", super::EARLIER, super::LATER]).failed().stderr;
    assert!(error.contains("row 2 of data/s.parquet, column `ts`: `01/02/2026` is not a time"), "{error}");
}

/// The Arrow type of a feature in training data.
fn historical_type(project: &Project) -> ArrowType {
    project.write("e.csv", "id,event_timestamp\n1,2026-02-01\n");
    project.feastr(&["get-historical", "--entities", "e.csv", "--features", "v:p", "--output", "joined.parquet"]).ok();
    let file = File::open(project.path("joined.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.schema().field_with_name("p").unwrap().data_type().clone()
}

/// A file whose type is not the declared one makes no other training data than one that has it.
#[test]
fn training_data_have_the_declared_types() {
    use ArrowType::{Float32, Float64, Int32, Int64, Timestamp};
    let utc = Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let date: ArrayRef = Arc::new(Date32Array::from(vec![20_454]));
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1_767_225_600_000_000_000]));
    let small: ArrayRef = Arc::new(Int32Array::from(vec![7]));
    for (column, dtype, expected) in [
        (small.clone(), "Int64", Int64),
        (ints([7]), "Int32", Int32),
        (floats([0.1]), "Float32", Float32),
        (ints([7]), "Float64", Float64),
        (small, "Float32", Float32),
        (date, "UnixTimestamp", utc.clone()),
        (nanos, "UnixTimestamp", utc.clone()),
        (ints([1_767_225_600]), "UnixTimestamp", utc),
        (decimals(700, 10, 2), "Int64", Int64),
        (decimals(725, 10, 2), "Decimal", ArrowType::Decimal128(10, 2)),
    ] {
        let project = repo("data/s", &[("p", dtype)]);
        write_files(&project, std::slice::from_ref(&column));
        project.feastr(&["apply"]).ok();
        assert_eq!(historical_type(&project), expected, "{} as {dtype}", column.data_type());
    }
    let project = repo("data/s", &[("p", "Decimal")]);
    write_files(&project, &[decimals(725, 10, 2), decimals(7_250, 10, 3)]);
    project.feastr(&["apply"]).ok();
    assert_eq!(historical_type(&project), ArrowType::Utf8);
}

#[test]
fn files_without_rows_say_nothing_about_types() {
    let project = repo("data/s", &[("p", "Int64")]);
    write_files(&project, &[ints([5]), new_null_array(&ArrowType::Utf8, 0), floats([])]);
    materialize(&project);
    assert_eq!(online(&project, 1), 5);
    // Event times and keys neither.
    let empty = |kind| new_null_array(&kind, 0);
    let columns =
        vec![("id", empty(ArrowType::Boolean)), ("ts", empty(ArrowType::Int64)), ("p", empty(ArrowType::Null))];
    write_parquet(&project, "data/s/4.parquet", columns);
    project.feastr(&["plan"]).ok();
    materialize(&project);
    assert_eq!(online(&project, 1), 5);
}

#[test]
fn types_that_do_not_go_together_are_refused_with_their_files() {
    for (other, dtype, name) in [
        (texts(["x"]), "Int64", "text"),
        (days(1), "Int64", "timestamp"),
        (list_of_ints(&[1]), "Int64", "list"),
        (object(&[("a", ints([1]))]), "Int64", "struct"),
    ] {
        let project = repo("data/s", &[("p", dtype)]);
        write_files(&project, &[ints([1]), other]);
        let error = refusal(&project);
        for part in ["definitions.yaml:", "`p`", "data/s/1.parquet", "data/s/2.parquet", "int64", name] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn values_that_do_not_fit_are_named_with_file_and_row() {
    let wide: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
    for (dtype, column, said) in [
        ("Int64", floats([1.0, 1.6]), "1.6 does not fit Int64"),
        ("Int64", wide, "18446744073709551615 does not fit Int64"),
        ("Int32", ints([1, 1 << 31]), "2147483648 does not fit Int32"),
        ("Bool", ints([1, 300]), "300 does not fit Bool"),
        ("Float64", ints([1, (1 << 53) + 1]), "9007199254740993 does not fit Float64"),
        ("Float32", floats([1.0, 1e39]), "1e+39 does not fit Float32"),
        ("Uuid", texts(["30313233-3435-3637-3839-616263646566", "no"]), "`no` is not a UUID"),
        ("Decimal", texts(["1.5", "x"]), "`x` is not a decimal number"),
        ("Map", texts(["{}", "[]"]), "`[]` is not JSON"),
        ("Json", texts(["{}", "{"]), "`{` is not JSON"),
    ] {
        // Alone and beside another file.
        for files in [vec![column.clone()], vec![column.slice(0, 1), column.clone()]] {
            let project = repo("data/s", &[("p", dtype)]);
            write_files(&project, &files);
            project.feastr(&["apply"]).ok();
            project.write("e.csv", "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n");
            for run in [
                &["materialize", super::EARLIER, super::LATER][..],
                &["get-historical", "--entities", "e.csv", "--features", "v:p"],
            ] {
                let error = project.feastr(run).failed().stderr;
                let place = format!("row 2 of data/s/{}.parquet, column `p`: {said}", files.len());
                assert!(error.contains(&place), "{place}: {error}");
            }
        }
    }
}

const UUID: &str = "30313233-3435-3637-3839-616263646566";
const UUID_BYTES: [u8; 16] = *b"0123456789abcdef";

/// A file as other programs write UUIDs.
fn write_uuids(project: &Project) {
    let schema = "message m { required int64 id; required int64 ts (TIMESTAMP(MICROS,true)); required \
                  fixed_len_byte_array(16) p (UUID); }";
    std::fs::create_dir_all(project.path("data")).unwrap();
    let file = File::create(project.path("data/s.parquet")).unwrap();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for number in [1, super::micros(DAY)] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ParquetInt64>().write_batch(&[number], None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    let bytes = FixedLenByteArray::from(UUID_BYTES.to_vec());
    column.typed::<FixedLenByteArrayType>().write_batch(&[bytes], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn uuids_may_be_bytes() {
    for features in [&[("p", "Uuid")][..], &[]] {
        let project = repo("data/s.parquet", features);
        write_uuids(&project);
        materialize(&project);
        assert_eq!(online(&project, 1), UUID, "{features:?}");
    }
    let bytes: ArrayRef =
        Arc::new(arrow::array::FixedSizeBinaryArray::try_from_iter([UUID_BYTES].into_iter()).unwrap());
    assert_eq!(values("Uuid", bytes, texts([UUID])), (json!(UUID), json!(UUID)));
}

#[test]
fn names_that_differ_in_case_are_different() {
    let project = repo("data/s.parquet", &[("FOO", "Int64")]);
    let columns = vec![("id", ints([1])), ("ts", days(1)), ("foo", ints([1])), ("FOO", ints([2])), ("ID", ints([9]))];
    write_parquet(&project, "data/s.parquet", columns);
    materialize(&project);
    assert_eq!(online_of(&project, "FOO", "1"), 2);
    define(&project, "data/s.parquet", "", "INT64", &[("foo", "Int64")]);
    materialize(&project);
    assert_eq!(online_of(&project, "foo", "1"), 1);
    define(&project, "data/s.parquet", "", "INT64", &[("Foo", "Int64")]);
    let error = refusal(&project);
    assert!(error.contains("has no column `Foo`"), "{error}");
    let members = object(&[("a", ints([1])), ("A", ints([2]))]);
    let project = repo("data/s", &[("p", "Struct(a: Int64, A: Int64)")]);
    write_files(&project, &[members]);
    materialize(&project);
    assert_eq!(online(&project, 1), json!({"a": 1, "A": 2}));
}

#[test]
fn maps_with_other_keys_than_texts_are_refused() {
    let mut maps = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
    maps.keys().append_value(1);
    maps.values().append_value("a");
    maps.append(true).unwrap();
    let maps: ArrayRef = Arc::new(maps.finish());
    for features in [&[][..], &[("p", "Map")], &[("p", "Json")]] {
        let project = repo("data/s", features);
        write_files(&project, std::slice::from_ref(&maps));
        let error = refusal(&project);
        assert!(error.contains("`p`"), "{features:?}: {error}");
    }
}

#[test]
fn numbers_of_any_width_are_decimals() {
    let wide: ArrayRef = Arc::new(UInt64Array::from(vec![(1 << 63) + 5]));
    let digits = decimals(125, 38, 2);
    assert_eq!(values("Decimal", wide, digits), (json!("9223372036854775813"), json!("1.25")));
    let project = repo("data/s", &[("p", "Decimal")]);
    let text = texts(["1234567890123456789012345678901234567890.125"]);
    let scaled = super::cast(&text, &ArrowType::Decimal256(50, 3));
    write_files(&project, &[Arc::new(UInt64Array::from(vec![u64::MAX])), scaled]);
    materialize(&project);
    assert_eq!(online(&project, 1), "18446744073709551615");
    assert_eq!(online(&project, 2), "1234567890123456789012345678901234567890.125");
}

#[test]
fn columns_stand_in_any_order_and_may_be_missing() {
    let project = repo("data/s", &[("p", "Int64"), ("q", "String")]);
    let columns = vec![("id", ints([1])), ("ts", days(1)), ("p", ints([1])), ("q", texts(["x"]))];
    write_parquet(&project, "data/s/1.parquet", columns);
    write_parquet(&project, "data/s/2.parquet", vec![("q", texts(["y"])), ("ts", days(1)), ("id", ints([2]))]);
    let columns = vec![("other", ints([0])), ("p", ints([3])), ("ts", days(1)), ("id", ints([3]))];
    write_parquet(&project, "data/s/3.parquet", columns);
    materialize(&project);
    let row = |id: &str| (online_of(&project, "p", id), online_of(&project, "q", id));
    assert_eq!(
        [row("1"), row("2"), row("3")],
        [(json!(1), json!("x")), (Json::Null, json!("y")), (json!(3), Json::Null)]
    );
}

/// Dictionaries, as pandas writes categories, are what they stand for.
#[test]
fn dictionaries_are_their_values() {
    let words: ArrayRef =
        Arc::new(["a", "b", "a"].into_iter().collect::<arrow::array::DictionaryArray<arrow::datatypes::Int32Type>>());
    let project = repo("data/s.parquet", &[("p", "String")]);
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", ArrowType::Int64, true),
        Field::new("ts", days(1).data_type().clone(), true),
        Field::new("p", words.data_type().clone(), true),
    ]));
    let rows = RecordBatch::try_new(schema, vec![ints([1, 2, 3]), days(3), words.clone()]).unwrap();
    super::write_batch(&project.path("data/s.parquet"), &rows, None);
    materialize(&project);
    let values: Vec<Json> = (1..=3).map(|id| online(&project, id)).collect();
    let plain = super::cast(&words, &ArrowType::Utf8);
    let expected: Vec<Json> = plain.as_string::<i32>().iter().map(|text| json!(text)).collect();
    assert_eq!(values, expected);
}
