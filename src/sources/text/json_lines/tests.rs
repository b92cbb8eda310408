use std::io::Cursor;

use arrow::{
    array::{Array, AsArray},
    datatypes::Int64Type,
};
use proptest::prelude::*;

use super::*;
use crate::sources::text::{
    FirstRows, Rows, TextColumn, TextRules,
    batch::{Batch, Wanted},
};

fn chunks(text: impl AsRef<[u8]>, size: usize) -> Chunks {
    open(Box::new(Cursor::new(text.as_ref().to_vec())), size).unwrap()
}

fn wanted(name: &str, declared: &str, null_if_unfit: bool) -> Wanted {
    let column = TextColumn::value(&declared.parse().unwrap(), &TextRules::default()).unwrap();
    Wanted::new(name, column, null_if_unfit)
}

fn batches(chunks: &mut Chunks, rows: &mut Rows) -> Result<Vec<Batch>, RowProblem> {
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next_chunk()? {
        rows.start(chunk);
        while let Some(batch) = rows.next_batch()? {
            all.push(batch);
        }
    }
    Ok(all)
}

fn integers(text: &str, size: usize) -> Result<Vec<Option<i64>>, RowProblem> {
    let mut rows = Rows::of_json_lines(vec![wanted("a", "Int64", false)]);
    let batches = batches(&mut chunks(text, size), &mut rows)?;
    Ok(batches
        .iter()
        .flat_map(|batch| batch.columns[0].as_primitive::<Int64Type>().iter().collect::<Vec<_>>())
        .collect())
}

#[test]
fn objects_are_rows() {
    let text = "\u{feff}{\"a\": 1, \"b\": [\"}\\n\"]}\n\n  \r\n{\"b\": {}, \"a\": 2}\r\n{\"c\": 1}\n{\"a\": 3, \"a\": 4}\n\
                {\"\\u0061\": 5}\n {\"a\": null} ";
    for size in 1..40 {
        assert_eq!(integers(text, size).unwrap(), [Some(1), Some(2), None, Some(4), Some(5), None], "{size}");
    }
    assert_eq!(integers("", 8).unwrap(), []);
}

#[test]
fn problems_have_their_line_and_column() {
    for (text, message) in [
        ("{\"a\": 1}\n\n{\"a\": \"1\"}\n", "line 3, column `a`: `\"1\"` is not an Int64"),
        ("{\"a\": 1}\n[1]", "line 2 is not a JSON object: invalid type: sequence, expected an object"),
        ("{\"a\": 1} {}", "line 1 is not a JSON object: trailing characters at byte 10"),
        ("{\"a\": NaN}", "line 1 is not a JSON object: expected value at byte 7"),
        ("{\n\"a\": 1}", "line 1 is not a JSON object: EOF while parsing an object at byte 1"),
    ] {
        assert_eq!(integers(text, 9).unwrap_err().to_string(), message, "{text}");
    }
    let mut rows = Rows::of_json_lines(Vec::new());
    let problem = batches(&mut chunks(b"{\"a\": \"x\"}\n{\"a\": \"\xff\"}", 100), &mut rows).unwrap_err();
    assert_eq!(problem.to_string(), "line 2 is not UTF-8 text");
}

#[test]
fn columns_may_share_a_member() {
    let columns = vec![wanted("t", "UnixTimestamp", true), Wanted::new("t", TextColumn::as_is(), false)];
    let mut rows = Rows::of_json_lines(columns);
    let text = "{\"t\": \"2026-01-01\"}\n{\"t\": \"soon\"}\n{}\n";
    let batches = batches(&mut chunks(text, 100), &mut rows).unwrap();
    assert_eq!(batches[0].columns[0].null_count(), 2);
    let texts: Vec<_> = batches[0].columns[1].as_string::<i32>().iter().collect();
    assert_eq!(texts, [Some("2026-01-01"), Some("soon"), None]);
    assert_eq!(rows.wanted().iter().map(Wanted::unfit).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn the_first_rows_as_they_are() {
    let text = "{\"a\": 1.10, \"b\": \"x\"}\n\n{\"c\": null, \"a\": {\"d\" : 1}}\n{\"e\": 1}\nno object\n";
    for size in [1, 20, 100] {
        let first = FirstRows::of_json_lines(&mut chunks(text, size), 2).unwrap();
        assert_eq!(first.names, ["a", "b", "c"]);
        let rows = [[Some("1.10"), Some("x"), None], [Some("{\"d\" : 1}"), None, None]];
        assert_eq!(first.rows, rows.map(|row| row.map(|text| text.map(str::to_owned)).to_vec()));
    }
    assert_eq!(FirstRows::of_json_lines(&mut chunks(text, 8), 4).unwrap_err().line, Some(5));
    assert_eq!(FirstRows::of_json_lines(&mut chunks("", 8), 4).unwrap().rows.len(), 0);
}

proptest! {
    #[test]
    fn rows_read_back_from_chunks_of_any_size(values: Vec<Option<i64>>, size in 1_usize..60, ends: bool) {
        let lines: Vec<_> = values.iter().map(|value| match value {
            Some(value) if value % 2 == 0 => format!("{{\"a\": {value}, \"b\": \"\\\"{{\"}}"),
            Some(value) => format!("{{\"b\": [{value}], \"a\":{value}}}\r"),
            None => "{}".to_owned(),
        }).collect();
        let text = lines.join("\n") + if ends { "\n" } else { "" };
        prop_assert_eq!(integers(&text, size).unwrap(), values);
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in prop::collection::vec(prop::sample::select(b"{}[]\"a:1,\n\\\xff".to_vec()), 0..40),
        size in 1_usize..20,
    ) {
        let mut rows = Rows::of_json_lines(vec![wanted("a", "Array(Int64)", true)]);
        let _ = batches(&mut chunks(&bytes, size), &mut rows);
        let _ = (FirstRows::of_json_lines(&mut chunks(&bytes, size), 9), observe(&mut chunks(&bytes, size)));
    }
}
