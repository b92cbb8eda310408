//! Join keys: in which types they may come, and what is wrong with them.

use arrow::datatypes::{DataType as ArrowType, Field as ArrowField};
use parquet::arrow::ArrowWriter;

use super::*;

#[test]
fn keys_are_found_in_whatever_type_they_come() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    put(&store, &drivers, KeyPart::Int64(7), [number(1), number(0)], at(1));
    let columns: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![7])),
        Arc::new(Int32Array::from(vec![7])),
        Arc::new(StringArray::from(vec!["7"])),
    ];
    for column in columns {
        let answer = answer(&store, &[&drivers], &rows(vec![("k", column)])).unwrap();
        assert_eq!(statuses(&answer.columns[1]), [Status::Present]);
        assert_eq!(answer.columns[0].value(0).unwrap(), number(7));
    }
}

#[test]
fn keys_of_every_type_are_found_as_they_are_stored() {
    for (dtype, text, key) in [
        (DataType::Int32, "-7", KeyPart::Int32(-7)),
        (DataType::Int64, "9223372036854775807", KeyPart::Int64(i64::MAX)),
        (DataType::String, " 7 ", KeyPart::String(" 7 ")),
        (DataType::Bytes, "base64:/w==", KeyPart::Bytes(b"\xff")),
        (DataType::Bytes, "ab", KeyPart::Bytes(b"ab")),
        (DataType::UnixTimestamp, "1970-01-01T00:01:00Z", KeyPart::UnixTimestamp(60)),
    ] {
        let store = MemoryOnlineStore::default();
        let things = view("things", Some(dtype));
        put(&store, &things, key, [number(1), number(0)], at(1));
        let answer = answer(&store, &[&things], &keys(&[text])).unwrap();
        assert_eq!(statuses(&answer.columns[1]), [Status::Present], "{text}");
    }
}

#[test]
fn keys_that_are_null_or_missing_are_refused_with_their_place() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    let problem = |entities: &Entities| answer(&store, &[&drivers], entities).unwrap_err();
    let null = rows(vec![("k", Arc::new(Int64Array::from(vec![Some(1), None])))]);
    assert_eq!(problem(&null).message, "the join key `k` of entity 2 is null");
    let missing = problem(&Entities::of_batches(Arc::new(Schema::empty()), Vec::new()));
    assert_eq!(missing.message, "the join key `k` is missing");
    assert_eq!(missing.advice, Some(problem::Advice::GiveJoinKey("k".to_owned())));
}

#[test]
fn a_key_that_nobody_asks_about_is_a_slip_of_who_writes_rows_by_hand() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    let texts = Entities::of_texts(&[vec![("kk".to_owned(), "1".to_owned())]]).unwrap();
    let problem = answer(&store, &[&drivers], &texts).unwrap_err();
    assert_eq!(problem.message, "no requested feature has the join key `kk`");
    assert_eq!(problem.help().as_deref(), Some("did you mean `k`?"));
    // In a file it is a column of training data.
    let file = Entities::of_stream(&mut &b"kk,k\n1,1\n"[..], "rows.csv").unwrap();
    assert_eq!(names(&answer(&store, &[&drivers], &file).unwrap()), ["k", "drivers__f"]);
}

#[test]
fn what_is_wrong_with_a_key_has_its_place() {
    let drivers = view("drivers", Some(DataType::Int64));
    let problem = |entities: &Entities| answer(&MemoryOnlineStore::default(), &[&drivers], entities).unwrap_err();
    for (text, expected) in [
        ("k\n1001\nseven\n", "`seven`, the join key `k` of row 2 of rows, is not an Int64"),
        ("{\"k\": 1001}\n{\"k\": null}\n", "the join key `k` of row 2 of rows is null"),
        ("{\"k\": 1001.5}\n", "`1001.5`, the join key `k` of row 1 of rows, is not an Int64"),
    ] {
        assert_eq!(problem(&Entities::of_stream(&mut text.as_bytes(), "rows").unwrap()).message, expected);
    }
    for (key, expected) in [
        ("", "``, the join key `k` of entity 1, is not an Int64"),
        ("1.5", "`1.5`, the join key `k` of entity 1, is not an Int64"),
        ("9223372036854775808", "`9223372036854775808`, the join key `k` of entity 1, is not an Int64"),
    ] {
        assert_eq!(problem(&keys(&[key])).message, expected);
    }
    let bytes = view("bytes", Some(DataType::Bytes));
    let wrong = answer(&MemoryOnlineStore::default(), &[&bytes], &keys(&["base64:/wB"])).unwrap_err();
    assert_eq!(wrong.message, "`base64:/wB`, the join key `k` of entity 1, is not base64");
}

#[test]
fn a_file_without_rows_has_no_entities() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    let folder = tempfile::tempdir().unwrap();
    let problem = |name: &str| {
        let file = Entities::of_file(&folder.path().join(name), name).unwrap();
        answer(&store, &[&drivers], &file).unwrap_err()
    };
    std::fs::write(folder.path().join("none.csv"), "k\n").unwrap();
    std::fs::write(folder.path().join("none.jsonl"), "").unwrap();
    let schema = Arc::new(Schema::new(vec![ArrowField::new("k", ArrowType::Int64, true)]));
    let parquet = std::fs::File::create(folder.path().join("none.parquet")).unwrap();
    ArrowWriter::try_new(parquet, schema, None).unwrap().close().unwrap();
    for name in ["none.csv", "none.jsonl", "none.parquet"] {
        assert_eq!(problem(name).message, format!("there are no entities in {name}"));
    }
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    assert_eq!(problem("empty.csv").message, "empty.csv is empty; its first line must name the columns");
}
