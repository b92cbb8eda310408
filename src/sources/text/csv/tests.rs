use std::io::Cursor;

use arrow::array::{Array, AsArray};
use proptest::prelude::*;

use super::*;
use crate::{
    model::DataType,
    sources::text::{
        Chunks, FirstRows, RowProblem, Rows, TextColumn, TextRules,
        batch::{Batch, Limits, Wanted},
        csv::heading::Dialect,
    },
};

fn read(text: impl AsRef<[u8]>, delimiter: Option<u8>, size: usize) -> Result<(Heading, Chunks), RowProblem> {
    Heading::read(Box::new(Cursor::new(text.as_ref().to_vec())), delimiter, size)
}

fn wanted(name: &str, declared: &str, null_if_unfit: bool) -> Wanted {
    let declared: DataType = declared.parse().unwrap();
    Wanted::new(name, TextColumn::value(&declared, &TextRules::default()).unwrap(), null_if_unfit)
}

/// All batches of a file.
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

/// All fields of a file as they are.
fn texts(text: impl AsRef<[u8]>, delimiter: Option<u8>, size: usize) -> Result<Vec<Vec<String>>, RowProblem> {
    let (heading, mut chunks) = read(text, delimiter, size)?;
    let mut all = vec![heading.names.clone()];
    for batch in batches(&mut chunks, &mut Rows::of_csv_as_is(&heading))? {
        for row in 0..batch.lines.len() {
            all.push(batch.columns.iter().map(|column| column.as_string::<i32>().value(row).to_owned()).collect());
        }
    }
    Ok(all)
}

/// What is wrong with a file whose columns `a` and `b` are an Int64 and a String.
fn problem(text: impl AsRef<[u8]>) -> String {
    let read = || {
        let (heading, mut chunks) = read(text, None, 16)?;
        let columns = vec![wanted("a", "Int64", false), wanted("b", "String", false)];
        batches(&mut chunks, &mut Rows::of_csv(&heading, columns)?)
    };
    read().unwrap_err().to_string()
}

#[test]
fn headings_tell_the_delimiter() {
    for (text, delimiter, names) in [
        ("a,b\n", b',', &["a", "b"][..]),
        ("a;b,c;d\n1,2", b';', &["a", "b,c", "d"]),
        ("a\tb", b'\t', &["a", "b"]),
        ("a|b\r\n", b'|', &["a", "b"]),
        ("a,b;c\n", b',', &["a", "b;c"]),
        ("alone\n1;2;3\n", b',', &["alone"]),
        ("\"a;b;c\",d\n", b',', &["a;b;c", "d"]),
        ("\u{feff}\n\r\n\"a\" , b \n", b',', &[]),
        ("\u{feff}\n\r\n\"a\", b \n", b',', &["a", "b"]),
        ("\"a \"\"x\"\"\",\"b\nc\"\n", b',', &["a \"x\"", "b\nc"]),
        (",a\n", b',', &["", "a"]),
    ] {
        for size in [1, 7, 100] {
            match read(text, None, size) {
                Ok((heading, _)) => {
                    assert_eq!(heading.names, names, "{text}");
                    assert_eq!(heading.dialect, Dialect { delimiter }, "{text}");
                }
                Err(problem) => assert!(names.is_empty(), "{problem}"),
            }
        }
    }
    let (heading, _) = read("a;b,c;d\n", Some(b','), 1).unwrap();
    assert_eq!(heading.names, ["a;b", "c;d"]);
}

#[test]
fn records_are_rows() {
    let text = "a,b\n1,x\r\n\n\r\n2,\"y,\n\"\"z\"\"\"\n3,\n,\"\"";
    for size in 1..40 {
        let rows = texts(text, None, size).unwrap();
        assert_eq!(rows, [["a", "b"], ["1", "x"], ["2", "y,\n\"z\""], ["3", ""], ["", ""]], "{size}");
    }
    assert_eq!(texts("a,b", None, 4).unwrap().len(), 1);
    // Elsewhere than at its beginning a quote is part of the field.
    for size in 1..20 {
        let rows = texts("a,b\n5\",x\n\"y\",\"1\"\n", None, size).unwrap();
        assert_eq!(rows, [["a", "b"], ["5\"", "x"], ["y", "1"]], "{size}");
    }
}

#[test]
fn problems_have_their_line_and_column() {
    for (text, message) in [
        ("", "is empty; its first line must name the columns"),
        ("\n\n", "is empty; its first line must name the columns"),
        ("a\n1\n", "has no column `b`"),
        ("a,b,a\n", "has two columns `a`"),
        ("a,\"b\n1,2\n", "line 1 has a quote that is never closed"),
        ("\n\"a\"x,b\n", "line 2 has text behind the closing quote of a field"),
        ("a,b\r1,2\r", "line 1 ends with CR alone; write LF or CRLF"),
        ("a,b\n1,2\n\n1.5,2\n", "line 4, column `a`: `1.5` is not an Int64"),
        ("a,b\n1,\"2\n\n\"\n\"1.5\n\",2\n", "line 5, column `a`: `1.5\\n` is not an Int64"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 fields where the heading has 2"),
        ("a,b\n1,2\nx\n", "line 3 has 1 field where the heading has 2"),
        ("a,b\n1,2\n1,\"2\n3,4\n5,6\n7,8", "line 3 has a quote that is never closed"),
        (
            "a,b\n1,2\n1,\"2\"x\n",
            "line 3 has text behind the closing quote of field 2; a quote inside of quotes is written twice",
        ),
    ] {
        assert_eq!(problem(text), message, "{text:?}");
    }
    assert_eq!(problem(b"a,b,c\n1,x,\xff\n1,\xff,x\n"), "line 3, column `b`: the value is not UTF-8 text");
    assert_eq!(problem(b"a,\xff\n"), "line 1 has a name that is not UTF-8 text");
    assert_eq!(problem(b"\xff\xfea\0"), "is UTF-16 text; write it as UTF-8");
    assert!(read("a", Some(b'"'), 8).is_err());
}

#[test]
fn wanted_columns_come_as_asked_for() {
    let text = "a,b,c\n1,x,?\n2,y,?\n";
    let (heading, mut chunks) = read(text, None, 100).unwrap();
    let columns = vec![wanted("b", "String", false), wanted("a", "Int64", false), wanted("a", "Float64", false)];
    let batches_read = batches(&mut chunks, &mut Rows::of_csv(&heading, columns).unwrap()).unwrap();
    assert_eq!(batches_read.len(), 1);
    assert_eq!(
        batches_read[0].columns.iter().map(|column| column.data_type().to_string()).collect::<Vec<_>>(),
        ["Utf8", "Int64", "Float64"]
    );
    // Rows are counted also without columns.
    let (heading, mut chunks) = read(text, None, 100).unwrap();
    let counted = batches(&mut chunks, &mut Rows::of_csv(&heading, Vec::new()).unwrap()).unwrap();
    assert_eq!(counted.iter().map(|batch| batch.lines.len()).collect::<Vec<_>>(), [2]);
}

#[test]
fn values_that_do_not_fit_may_be_null() {
    let (heading, mut chunks) = read("a,b\n1,x\nx,1\n,2\ny,3\n", None, 4).unwrap();
    let columns = vec![wanted("a", "Int64", true), wanted("b", "String", false)];
    let mut rows = Rows::of_csv(&heading, columns).unwrap();
    let read = batches(&mut chunks, &mut rows).unwrap();
    let nulls: usize = read.iter().map(|batch| batch.columns[0].null_count()).sum();
    let counts: Vec<_> = rows.wanted().iter().map(|wanted| (wanted.name(), wanted.unfit())).collect();
    assert_eq!((nulls, counts), (3, vec![("a", 2), ("b", 0)]));
}

#[test]
fn batches_are_limited() {
    let text = format!("a\n{}", "12345\n".repeat(10_000));
    let sizes = |limits| {
        let (heading, mut chunks) = read(&text, None, 1 << 20).unwrap();
        let rows = Rows::of_csv(&heading, vec![wanted("a", "Int64", false)]).unwrap();
        let mut rows = match limits {
            Some((rows_limit, bytes)) => rows.with_limits(Limits { rows: rows_limit, bytes }),
            None => rows,
        };
        let sizes: Vec<_> = batches(&mut chunks, &mut rows).unwrap().iter().map(|batch| batch.lines.len()).collect();
        sizes
    };
    assert_eq!(sizes(None), [8_192, 1_808]);
    assert_eq!(sizes(Some((5_000, usize::MAX))), [5_000, 5_000]);
    assert_eq!(sizes(Some((usize::MAX, 30_000))), [5_000, 5_000]);
    // A row comes also if it alone is beyond the limit.
    assert_eq!(sizes(Some((usize::MAX, 1))).len(), 10_000);
}

#[test]
fn after_a_problem_the_next_chunk_can_be_read() {
    let (heading, mut chunks) = read("a,b\n1,x\n2\n3,z\n", None, 100).unwrap();
    let mut rows = Rows::of_csv(&heading, vec![wanted("a", "Int64", false), wanted("b", "String", false)]).unwrap();
    let chunk = chunks.next_chunk().unwrap().unwrap();
    rows.start(chunk.clone());
    assert!(rows.next_batch().is_err());
    assert!(rows.next_batch().unwrap().is_none());
    rows.start(crate::sources::text::Chunk { bytes: b"4,x\n".to_vec(), ..chunk });
    assert_eq!(rows.next_batch().unwrap().unwrap().columns[1].len(), 1);
}

#[test]
fn the_first_rows_as_they_are() {
    let text = "a,b\n1,NA\n2,\n\n3,\"x\ny\"\n4,z\n5\n";
    for size in [1, 6, 100] {
        let (heading, mut chunks) = read(text, None, size).unwrap();
        let first = FirstRows::of_csv(&heading, &mut chunks, 4).unwrap();
        assert_eq!(first.names, ["a", "b"]);
        let rows = [["1", "NA"], ["2", ""], ["3", "x\ny"], ["4", "z"]];
        assert_eq!(first.rows, rows.map(|row| row.map(|text| Some(text.to_owned())).to_vec()));
    }
    let (heading, mut chunks) = read(text, None, 6).unwrap();
    assert!(FirstRows::of_csv(&heading, &mut chunks, 5).is_err());
}

/// A field as a careful program writes it.
fn quoted(field: &str, delimiter: char, always: bool) -> String {
    let needed = field.contains([delimiter, '"', '\n', '\r']);
    if always || needed { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// A field, whether it is in quotes even without need.
fn any_field() -> impl Strategy<Value = (String, bool)> {
    let part =
        prop::sample::select(vec!["a", "\"", "\n", "\r\n", ",", ";", " ", "é", "longer than eight", "1", "\"\""]);
    (prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat()), any::<bool>())
}

proptest! {
    #[test]
    fn records_read_back_from_chunks_of_any_size(
        rows in prop::collection::vec((prop::collection::vec(any_field(), 3), any::<bool>()), 0..8),
        semicolon: bool,
        size in 1_usize..60,
        ends: bool,
    ) {
        let delimiter = if semicolon { ';' } else { ',' };
        let mut text = ["x", "y", "z"].join(&delimiter.to_string());
        let mut expected = vec![vec!["x".to_owned(), "y".to_owned(), "z".to_owned()]];
        for (row, carriage_return) in &rows {
            text.push('\n');
            let fields: Vec<_> = row.iter().map(|(field, always)| quoted(field, delimiter, *always)).collect();
            text.push_str(&fields.join(&delimiter.to_string()));
            text.push_str(if *carriage_return { "\r" } else { "" });
            expected.push(row.iter().map(|(field, _)| field.clone()).collect());
        }
        text.push_str(if ends { "\n" } else { "" });
        prop_assert_eq!(&texts(&text, None, size).unwrap(), &expected);
        prop_assert_eq!(&texts(&text, Some(delimiter as u8), size).unwrap(), &expected);
        prop_assert_eq!(&reference(&text, delimiter as u8), &expected);
    }

    #[test]
    fn lines_are_right_in_chunks_of_any_size(
        rows in prop::collection::vec(any_field(), 0..20),
        size in 1_usize..60,
    ) {
        let mut text = "a,b\r\n".to_owned();
        for (field, always) in &rows {
            text.push_str(&format!("{},1\n", quoted(field, ',', *always)));
        }
        let line = text.matches('\n').count() + 1;
        text.push_str("x,y\n");
        let (heading, mut chunks) = read(&text, None, size).unwrap();
        let mut rows = Rows::of_csv(&heading, vec![wanted("b", "Int64", false)]).unwrap();
        let problem = batches(&mut chunks, &mut rows).unwrap_err();
        prop_assert_eq!(problem.line, Some(line as u64));
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in prop::collection::vec(prop::sample::select(b"a,;\"\"\n\r\xff1".to_vec()), 0..60),
        size in 1_usize..20,
    ) {
        // Where chunks end makes no difference.
        let whole = texts(&bytes, Some(b','), 1_000).ok();
        prop_assert_eq!(texts(&bytes, Some(b','), size).ok(), whole);
    }
}

/// The records that another parser sees.
fn reference(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let (mut input, mut records, mut record) = (text.as_bytes(), Vec::new(), Vec::new());
    let (mut field, mut length) = (vec![0; text.len() + 1], 0);
    loop {
        let (result, read, written) = parser.read_field(input, &mut field[length..]);
        input = &input[read..];
        length += written;
        match result {
            csv_core::ReadFieldResult::InputEmpty => {}
            csv_core::ReadFieldResult::OutputFull => unreachable!(),
            csv_core::ReadFieldResult::Field { record_end } => {
                record.push(String::from_utf8(field[..length].to_vec()).unwrap());
                length = 0;
                if record_end {
                    records.push(std::mem::take(&mut record));
                }
            }
            csv_core::ReadFieldResult::End => return records,
        }
    }
}

#[test]
fn rows_tell_the_line_on_which_they_begin() {
    let text = "a,b\n1,\"x\ny\"\n\n\r\n2,z\n3,w";
    for size in [1, 7, 100] {
        let (heading, mut chunks) = read(text, None, size).unwrap();
        let read = batches(&mut chunks, &mut Rows::of_csv(&heading, Vec::new()).unwrap()).unwrap();
        assert_eq!(read.into_iter().flat_map(|batch| batch.lines).collect::<Vec<_>>(), [2, 6, 7], "{size}");
    }
}
