//! Rows in every format, and what becomes of the file when something breaks.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{
        Array as _, ArrayRef, ArrowPrimitiveType, BooleanArray, DictionaryArray, FixedSizeListArray, Float16Array,
        Float32Array, Float64Array, Float64Builder, Int64Array, LargeListArray, ListArray, MapBuilder, RecordBatch,
        StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
    },
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, Float16Type, Float64Type, Int32Type, Schema, SchemaRef},
    ipc::reader::StreamReader,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use super::*;
use crate::offline::BatchSink as _;

const PARQUET: Format = Format::Parquet(ParquetOptions { compression: Compression::Snappy, row_group_size: None });
const ALL: [Format; 4] = [PARQUET, Format::Csv, Format::Jsonl, Format::Arrow];

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Names of the files in a folder, hidden ones too.
fn files(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sink(format: Format, path: &Path) -> RowSink {
    RowSink::file(format, Target::file(path).unwrap())
}

/// Writes batches with these columns, and tells how many rows there were.
fn write(format: Format, path: &Path, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<usize, SinkError> {
    let mut sink = sink(format, path);
    let _ = sink.start(schema).is_continue() && batches.iter().all(|batch| sink.batch(batch).is_continue());
    sink.finish()
}

/// What is in the file that a batch makes.
fn text(format: Format, batch: &RecordBatch) -> String {
    let folder = folder();
    let path = folder.path().join("rows");
    assert_eq!(write(format, &path, &batch.schema(), std::slice::from_ref(batch)).unwrap(), batch.num_rows());
    fs::read_to_string(path).unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn numbers(numbers: &[i64]) -> RecordBatch {
    batch(vec![("n", Arc::new(Int64Array::from(numbers.to_vec())))])
}

/// The rows of a file that is not a text.
fn read(format: Format, path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    match format {
        Format::Parquet(_) => {
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
        }
        Format::Arrow => StreamReader::try_new(file, None).unwrap().map(Result::unwrap).collect(),
        Format::Csv | Format::Jsonl => panic!("{format:?}"),
    }
}

#[test]
fn csv_quotes_what_would_be_taken_for_something_else() {
    let texts = ["plain", "a,b", "say \"x\"", "two\nlines", "cr\rhere", " spaces ", "'", "ü"];
    let numbers: Vec<i64> = (1..=8).collect();
    let rows =
        batch(vec![("te,xt", Arc::new(StringArray::from(texts.to_vec()))), ("n", Arc::new(Int64Array::from(numbers)))]);
    let expected = "\"te,xt\",n\nplain,1\n\"a,b\",2\n\"say \"\"x\"\"\",3\n\"two\nlines\",4\n\"cr\rhere\",5\n spaces ,6\n',7\nü,8\n";
    assert_eq!(text(Format::Csv, &rows), expected);
}

#[test]
fn csv_has_nothing_where_a_value_is_null() {
    let rows = batch(vec![
        ("n", Arc::new(Int64Array::from(vec![None, Some(1)]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("t", Arc::new(TimestampMicrosecondArray::from(vec![None, Some(1_500_000)]).with_timezone("UTC"))),
    ]);
    assert_eq!(text(Format::Csv, &rows), "n,b,t\n,true,\n1,,1970-01-01T00:00:01.500Z\n");
}

#[test]
fn csv_has_words_for_floats_that_are_not_numbers() {
    let floats = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, -0.0, 1e300];
    let text = text(Format::Csv, &batch(vec![("d", Arc::new(Float64Array::from(floats)))]));
    assert_eq!(text.lines().collect::<Vec<_>>(), ["d", "NaN", "inf", "-inf", "0.1", "-0.0", "1e300"]);
}

#[test]
fn json_has_words_for_floats_that_are_not_numbers() {
    let doubles = Float64Array::from(vec![Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(f64::NAN), None]);
    let floats = Float32Array::from(vec![Some(f32::NAN), Some(0.1), None, Some(f32::INFINITY)]);
    let list = [Some(vec![Some(1.5), Some(f64::NEG_INFINITY), None]), None, Some(vec![]), Some(vec![Some(2.0)])];
    let list = ListArray::from_iter_primitive::<Float64Type, _, _>(list);
    let member: (_, ArrayRef) = (Arc::new(Field::new("m", floats.data_type().clone(), true)), Arc::new(floats.clone()));
    let rows = batch(vec![
        ("d", Arc::new(doubles)),
        ("f", Arc::new(floats)),
        ("l", Arc::new(list)),
        ("s", Arc::new(StructArray::from(vec![member]))),
    ]);
    assert_eq!(
        text(Format::Jsonl, &rows).lines().collect::<Vec<_>>(),
        [
            r#"{"d":"Infinity","f":"NaN","l":[1.5,"-Infinity",null],"s":{"m":"NaN"}}"#,
            r#"{"d":"-Infinity","f":0.1,"l":null,"s":{"m":0.1}}"#,
            r#"{"d":"NaN","f":null,"l":[],"s":{"m":null}}"#,
            r#"{"d":null,"f":"Infinity","l":[2.0],"s":{"m":"Infinity"}}"#,
        ]
    );
}

/// Whatever the floats are in.
#[test]
fn json_has_words_for_floats_in_maps_dictionaries_and_lists_of_every_kind() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(f64::NAN);
    map.append(true).unwrap();
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![f64::INFINITY]));
    let coded = DictionaryArray::<Int32Type>::new(vec![0].into(), Arc::clone(&doubles));
    let item = Arc::new(Field::new_list_field(DataType::Float64, true));
    let fixed = FixedSizeListArray::new(Arc::clone(&item), 1, Arc::clone(&doubles), None);
    let large = LargeListArray::new(item, OffsetBuffer::from_lengths([1]), doubles, None);
    let half = Float16Array::from(vec![<Float16Type as ArrowPrimitiveType>::Native::from_f32(f32::NEG_INFINITY)]);
    let rows = batch(vec![
        ("m", Arc::new(map.finish())),
        ("d", Arc::new(coded)),
        ("f", Arc::new(fixed)),
        ("l", Arc::new(large)),
        ("h", Arc::new(half)),
    ]);
    let expected = r#"{"m":{"k":"NaN"},"d":"Infinity","f":["Infinity"],"l":["Infinity"],"h":"-Infinity"}"#;
    assert_eq!(text(Format::Jsonl, &rows).trim_end(), expected);
}

#[test]
fn json_says_null_and_escapes_texts() {
    let rows = batch(vec![
        ("n", Arc::new(Int64Array::from(vec![None, Some(i64::MAX)]))),
        ("te\"xt", Arc::new(StringArray::from(vec![Some("two\nlines, \"x\""), None]))),
    ]);
    let expected =
        "{\"n\":null,\"te\\\"xt\":\"two\\nlines, \\\"x\\\"\"}\n{\"n\":9223372036854775807,\"te\\\"xt\":null}\n";
    assert_eq!(text(Format::Jsonl, &rows), expected);
}

#[test]
fn parquet_and_arrow_keep_values_and_types() {
    let (folder, floats) = (folder(), [f64::NAN, f64::INFINITY]);
    let rows = batch(vec![
        ("d", Arc::new(Float64Array::from(floats.to_vec()))),
        ("s", Arc::new(StringArray::from(vec![None, Some("")]))),
        ("t", Arc::new(TimestampMicrosecondArray::from(vec![-1, 1]).with_timezone("UTC"))),
    ]);
    for format in [PARQUET, Format::Arrow] {
        let path = folder.path().join("rows");
        write(format, &path, &rows.schema(), std::slice::from_ref(&rows)).unwrap();
        let found = read(format, &path);
        assert_eq!(format!("{found:?}"), format!("{:?}", [&rows]));
        assert_eq!(found[0].schema(), rows.schema());
    }
}

#[test]
fn batches_follow_each_other_under_one_heading() {
    let folder = folder();
    let path = folder.path().join("rows.csv");
    let batches = [numbers(&[1, 2]), numbers(&[]), numbers(&[3])];
    assert_eq!(write(Format::Csv, &path, &batches[0].schema(), &batches).unwrap(), 3);
    assert_eq!(fs::read_to_string(path).unwrap(), "n\n1\n2\n3\n");
}

#[test]
fn a_result_without_rows_is_a_whole_file() {
    let (folder, schema) = (folder(), numbers(&[]).schema());
    let path = folder.path().join("rows");
    for (format, expected) in [(Format::Csv, "n\n"), (Format::Jsonl, "")] {
        assert_eq!(write(format, &path, &schema, &[]).unwrap(), 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }
    for format in [PARQUET, Format::Arrow] {
        assert_eq!(write(format, &path, &schema, &[]).unwrap(), 0);
        assert_eq!(read(format, &path), []);
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new({
        write(PARQUET, &path, &schema, &[]).unwrap();
        File::open(&path).unwrap()
    });
    assert_eq!(builder.unwrap().schema().field(0).name(), "n");
}

#[test]
fn csv_refuses_lists_and_structs_and_leaves_no_file() {
    let folder = folder();
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    for nested in [DataType::List(Arc::clone(&item)), DataType::Struct(vec![item].into())] {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("l", nested, true)]));
        let refused = write(Format::Csv, &folder.path().join("rows.csv"), &schema, &[]).unwrap_err();
        assert_eq!(refused.to_string(), "column `l` holds lists or structs, which CSV cannot");
    }
    assert_eq!(files(&folder).len(), 0);
}

#[test]
fn a_file_has_its_name_when_it_is_complete() {
    let folder = folder();
    for format in ALL {
        let path = folder.path().join(format!("{format:?}"));
        let mut sink = sink(format, &path);
        assert!(sink.start(&numbers(&[]).schema()).is_continue() && sink.batch(&numbers(&[1])).is_continue());
        assert!(!path.exists());
        sink.finish().unwrap();
        assert!(path.exists());
    }
    assert_eq!(files(&folder).len(), ALL.len());
}

#[test]
fn what_is_given_up_leaves_nothing_and_what_was_there_stays() {
    let folder = folder();
    let path = folder.path().join("rows.csv");
    fs::write(&path, "old").unwrap();
    let mut given_up = sink(Format::Csv, &path);
    assert!(given_up.start(&numbers(&[]).schema()).is_continue() && given_up.batch(&numbers(&[1])).is_continue());
    drop(given_up);
    assert_eq!((files(&folder), fs::read_to_string(&path).unwrap()), (vec!["rows.csv".to_owned()], "old".to_owned()));
    write(Format::Csv, &path, &numbers(&[]).schema(), &[numbers(&[1])]).unwrap();
    assert_eq!((files(&folder).len(), fs::read_to_string(&path).unwrap()), (1, "n\n1\n".to_owned()));
}

/// Writes one batch and no more.
struct OneBatch(Target, bool);

impl FormatWriter for OneBatch {
    fn write(&mut self, _: &RecordBatch) -> Result<(), SinkError> {
        use std::io::Write as _;
        if std::mem::replace(&mut self.1, true) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        Ok(self.0.write_all(b"half")?)
    }

    fn finish(self: Box<Self>) -> Result<Target, SinkError> {
        Ok(self.0)
    }
}

#[test]
fn a_writer_that_breaks_half_way_ends_the_query_and_leaves_no_file() {
    let folder = folder();
    let target = Target::file(&folder.path().join("rows")).unwrap();
    let mut sink = RowSink::written_by(Box::new(|target, _| Ok(Box::new(OneBatch(target, false)))), target);
    assert!(sink.start(&numbers(&[]).schema()).is_continue() && sink.batch(&numbers(&[1])).is_continue());
    assert!(!sink.failed());
    assert!(sink.batch(&numbers(&[2])).is_break() && sink.failed());
    let failure = sink.finish().unwrap_err();
    assert!(matches!(&failure, SinkError::Io(error) if error.kind() == io::ErrorKind::StorageFull), "{failure:?}");
    assert_eq!(files(&folder).len(), 0);
}

/// Every format passes on what the target said, whatever it makes of it on the way.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_told_as_such_in_every_format() {
    let many = numbers(&(0..100_000).collect::<Vec<_>>());
    for format in ALL {
        let failure = write(format, Path::new("/dev/full"), &many.schema(), &[many.clone(), many.clone()]).unwrap_err();
        assert!(
            matches!(&failure, SinkError::Io(error) if error.kind() == io::ErrorKind::StorageFull),
            "{format:?} {failure:?}"
        );
    }
    // Also if it shows with the last bytes.
    let failure = write(Format::Csv, Path::new("/dev/full"), &numbers(&[]).schema(), &[]).unwrap_err();
    assert!(matches!(failure, SinkError::Io(_)), "{failure:?}");
}

#[test]
fn a_target_is_neither_a_folder_nor_in_one_that_is_missing() {
    let folder = folder();
    let error = |path: &Path| Target::file(path).map(|_| ()).unwrap_err().kind();
    assert_eq!(error(folder.path()), io::ErrorKind::IsADirectory);
    assert_eq!(error(&folder.path().join("none/rows.csv")), io::ErrorKind::NotFound);
}

#[test]
fn a_file_may_have_the_longest_name_that_there_is() {
    let folder = folder();
    for name in ["x".repeat(255), "ü".repeat(127)] {
        write(Format::Csv, &folder.path().join(&name), &numbers(&[]).schema(), &[]).unwrap();
        assert!(files(&folder).contains(&name));
    }
}

#[cfg(unix)]
#[test]
fn links_lead_to_what_is_replaced_also_if_it_is_not_there() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("real")).unwrap();
    std::os::unix::fs::symlink("real/rows.csv", path("one")).unwrap();
    std::os::unix::fs::symlink("one", path("two")).unwrap();
    for number in 1..3 {
        write(Format::Csv, &path("two"), &numbers(&[]).schema(), &[numbers(&[number])]).unwrap();
        assert_eq!(fs::read_to_string(path("real/rows.csv")).unwrap(), format!("n\n{number}\n"));
    }
    assert!(fs::symlink_metadata(path("two")).unwrap().is_symlink());
    std::os::unix::fs::symlink("circle", path("circle")).unwrap();
    assert!(Target::file(&path("circle")).is_err());
}

#[cfg(unix)]
#[test]
fn files_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.path().join("rows.csv");
    write(Format::Csv, &path, &numbers(&[]).schema(), &[]).unwrap();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn no_more_rows_are_taken_than_are_wanted() {
    let folder = folder();
    let path = folder.path().join("rows.csv");
    let rows = numbers(&[1, 2, 3]);
    for (limit, text, goes_on) in [
        (0, "n\n", [false, false]),
        (2, "n\n1\n2\n", [true, false]),
        (3, "n\n1\n2\n3\n", [true, false]),
        (4, "n\n1\n2\n3\n", [true, true]),
    ] {
        let mut sink = sink(Format::Csv, &path).limited_to(limit);
        let started = sink.start(&rows.schema()).is_continue();
        assert_eq!([started, started && sink.batch(&rows).is_continue()], goes_on, "{limit}");
        assert!(!sink.failed());
        assert_eq!(sink.finish().unwrap(), limit.min(3));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn parquet_has_the_compression_and_groups_that_are_wanted() {
    use Compression::{Brotli, Gzip, Lz4, None, Snappy, Zstd};
    let (folder, rows) = (folder(), numbers(&[7; 1000]));
    for (compression, name) in [
        (Zstd, "ZSTD"),
        (Snappy, "SNAPPY"),
        (Gzip, "GZIP"),
        (Lz4, "LZ4_RAW"),
        (Brotli, "BROTLI"),
        (None, "UNCOMPRESSED"),
    ] {
        let path = folder.path().join("rows.parquet");
        let format = Format::Parquet(ParquetOptions { compression, row_group_size: Some(400) });
        write(format, &path, &rows.schema(), std::slice::from_ref(&rows)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let groups = reader.metadata().row_groups();
        assert_eq!(groups.iter().map(|group| group.num_rows()).collect::<Vec<_>>(), [400, 400, 200]);
        assert!(
            groups[0].column(0).compression().to_string().starts_with(name),
            "{}",
            groups[0].column(0).compression()
        );
        assert_eq!(reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1000);
    }
}
