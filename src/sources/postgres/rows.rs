//! The rows of a table on their way: a binary `COPY`, cut into batches.

use arrow::array::ArrayRef;
use bytes::Buf as _;

use super::{
    column::TableColumn,
    decode::{Unreadable, Values},
    sent::SentRows,
    server::SourceServer,
};
use crate::{
    clients::{
        postgres::{COPY_END, COPY_FLAGS, COPY_SIGNATURE, CopyOut},
        runtime::wait,
    },
    problem::{Kind, Problem},
};

/// Rows and bytes of a batch, at most, but for its last row.
const ROWS: usize = 8192;
const BYTES: usize = 8 << 20;

/// Rows that are being read.
pub(in crate::sources) struct TableRows {
    /// None at the end, and after an error.
    copy: Option<CopyOut>,
    server: SourceServer,
    what: String,
    tuples: Tuples,
}

impl TableRows {
    /// Sends the statement that copies these columns, behind the rows that it needs; `what` begins messages.
    pub(super) fn begin(
        (server, what): (&SourceServer, &str),
        sent: Option<&SentRows>,
        statement: &str,
        columns: &[&TableColumn],
    ) -> Result<Self, Problem> {
        let copy = wait(async {
            let connection = match sent {
                None => server.connect(what).await?,
                Some(sent) => {
                    let sent = sent.send(server.connect_to_send(what).await?).await;
                    let mut connection = sent.map_err(|error| server.explain_sending(what, &error))?;
                    server.only_read(&mut connection, what).await?;
                    connection
                }
            };
            connection.copy_out(statement).await.map_err(|error| server.explain(what, &error))
        })?;
        let tuples = Tuples {
            names: columns.iter().map(|column| column.name.clone()).collect(),
            values: columns.iter().map(|column| Values::new(&column.wire)).collect(),
            ..Tuples::default()
        };
        Ok(Self { copy: Some(copy), server: server.clone(), what: what.to_owned(), tuples })
    }

    /// The next rows, as columns and their number; none at the end.
    pub(in crate::sources) fn next(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>, Problem> {
        let Some(mut copy) = self.copy.take() else { return Ok(None) };
        let (server, what, tuples) = (&self.server, &self.what, &mut self.tuples);
        let is_ended = wait(async {
            let mut bytes = 0;
            while tuples.rows < ROWS && bytes < BYTES {
                let Some(piece) = copy.next().await.map_err(|error| server.explain(what, &error))? else {
                    return Ok::<_, Problem>(true);
                };
                bytes += piece.remaining();
                tuples.take(&piece).map_err(|error| error.problem(what))?;
            }
            Ok(false)
        })?;
        if !is_ended {
            self.copy = Some(copy);
        }
        let rows = std::mem::take(&mut self.tuples.rows);
        if rows == 0 {
            return Ok(None);
        }
        let columns: Result<Vec<ArrayRef>, _> = self.tuples.values.iter_mut().map(Values::finish).collect();
        let columns = columns.map_err(|error| Problem::new(Kind::Internal, format!("{what}: {error}"), None))?;
        Ok(Some((columns, rows)))
    }
}

/// Takes the bytes of a binary `COPY` apart, wherever they are cut.
#[derive(Default)]
struct Tuples {
    names: Vec<String>,
    values: Vec<Values>,
    /// In `values`.
    rows: usize,
    has_begun: bool,
    /// The beginning of a row whose end has not come yet.
    open: Vec<u8>,
}

/// What is wrong with a row.
enum Broken {
    /// The server sends something else.
    Stream(&'static str),
    /// A value of a column.
    Value(String, Unreadable),
}

impl Broken {
    fn problem(self, what: &str) -> Problem {
        match self {
            Self::Stream(message) => Problem::new(Kind::Internal, format!("{what}: {message}"), None),
            Self::Value(column, value) => Problem::new(
                Kind::Invalid,
                format!("{what}: column `{column}` holds {value}"),
                "leave such rows out, or convert the column, with a `query` instead of a `table`".to_owned(),
            ),
        }
    }
}

impl Tuples {
    fn take(&mut self, piece: &[u8]) -> Result<(), Broken> {
        if self.open.is_empty() {
            let left = self.take_whole(piece)?;
            self.open.extend_from_slice(left);
            return Ok(());
        }
        let mut open = std::mem::take(&mut self.open);
        open.extend_from_slice(piece);
        let left = self.take_whole(&open)?.len();
        open.drain(..open.len() - left);
        self.open = open;
        Ok(())
    }

    /// Takes the rows that are there as a whole, and gives what is left.
    fn take_whole<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Broken> {
        if !self.has_begun {
            let Some((head, rest)) = bytes.split_at_checked(COPY_SIGNATURE.len() + COPY_FLAGS) else {
                return Ok(bytes);
            };
            if !head.starts_with(COPY_SIGNATURE) {
                return Err(Broken::Stream("the server sends no binary COPY"));
            }
            let extension = head[COPY_SIGNATURE.len() + 4..].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            let Some((_, rest)) = rest.split_at_checked(extension) else { return Ok(bytes) };
            (bytes, self.has_begun) = (rest, true);
        }
        while let Some(row) = whole(bytes, self.values.len())? {
            let (mut fields, rest) = bytes.split_at(row);
            bytes = rest;
            if fields.get_i16() == COPY_END {
                break;
            }
            for (values, name) in self.values.iter_mut().zip(&self.names) {
                let length = usize::try_from(fields.get_i32()).ok();
                let value = length.map(|length| {
                    let (value, rest) = fields.split_at(length);
                    fields = rest;
                    value
                });
                values.push(value).map_err(|error| Broken::Value(name.clone(), error))?;
            }
            self.rows += 1;
        }
        Ok(bytes)
    }
}

/// Length of the row that bytes begin with; `None` if its end is not there. The end of all rows counts as one.
fn whole(bytes: &[u8], columns: usize) -> Result<Option<usize>, Broken> {
    let mut rest = bytes;
    if rest.remaining() < 2 {
        return Ok(None);
    }
    let count = rest.get_i16();
    if count == COPY_END {
        return Ok(Some(2));
    }
    if usize::try_from(count) != Ok(columns) {
        return Err(Broken::Stream("the server sends another number of columns"));
    }
    for _ in 0..columns {
        if rest.remaining() < 4 {
            return Ok(None);
        }
        let length = usize::try_from(rest.get_i32()).unwrap_or(0);
        if rest.remaining() < length {
            return Ok(None);
        }
        rest.advance(length);
    }
    Ok(Some(bytes.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{Array as _, AsArray as _},
        datatypes::Int32Type,
    };
    use proptest::prelude::*;

    use super::{super::column::Wire, *};

    /// A binary `COPY` of numbers and texts.
    fn copy(rows: &[(Option<i32>, Option<String>)]) -> Vec<u8> {
        let mut bytes = [COPY_SIGNATURE.as_slice(), &[0; COPY_FLAGS]].concat();
        let value = |bytes: &mut Vec<u8>, value: Option<&[u8]>| {
            let length = value.map_or(-1, |value| value.len() as i32);
            bytes.extend(length.to_be_bytes());
            bytes.extend(value.unwrap_or_default());
        };
        for (number, text) in rows {
            bytes.extend(2i16.to_be_bytes());
            value(&mut bytes, number.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
            value(&mut bytes, text.as_ref().map(String::as_bytes));
        }
        bytes.extend((-1i16).to_be_bytes());
        bytes
    }

    fn tuples() -> Tuples {
        Tuples {
            names: vec!["n".to_owned(), "t".to_owned()],
            values: [Wire::Int32, Wire::Text].iter().map(Values::new).collect(),
            ..Tuples::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_are_found_wherever_the_bytes_are_cut(
            rows: Vec<(Option<i32>, Option<String>)>,
            piece in 1usize..60,
        ) {
            let mut tuples = tuples();
            for piece in copy(&rows).chunks(piece) {
                prop_assert!(tuples.take(piece).is_ok());
            }
            prop_assert_eq!(tuples.rows, rows.len());
            let numbers = tuples.values[0].finish().unwrap();
            let texts = tuples.values[1].finish().unwrap();
            let texts: Vec<Option<String>> = texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect();
            let numbers: Vec<Option<i32>> = numbers.as_primitive::<Int32Type>().iter().collect();
            prop_assert_eq!(numbers.into_iter().zip(texts).collect::<Vec<_>>(), rows);
        }

        #[test]
        fn bytes_that_are_damaged_are_no_panic(bytes: Vec<u8>, whole: bool) {
            let mut tuples = tuples();
            tuples.has_begun = whole;
            let _ = tuples.take(&bytes);
        }
    }

    #[test]
    fn what_a_column_cannot_hold_is_told() {
        let mut values = Values::new(&Wire::Timestamp);
        assert!(values.push(Some(&i64::MAX.to_be_bytes())).unwrap_err().to_string().contains("`infinity`"));
        assert!(values.push(Some(&[0; 4])).is_err());
        let mut lists = Values::new(&Wire::List(Box::new(Wire::Int32)));
        let two_dimensions = [2i32, 0, 23, 1, 1, 1, 1, 4, 7].map(i32::to_be_bytes).concat();
        assert!(lists.push(Some(&two_dimensions)).unwrap_err().to_string().contains("dimension"));
        let mut lists = Values::new(&Wire::List(Box::new(Wire::Int32)));
        let one = [1i32, 1, 23, 2, 1, 4, 7, -1].map(i32::to_be_bytes).concat();
        for list in [Some(one.as_slice()), None, Some(&[0; 12])] {
            lists.push(list).unwrap();
        }
        let lists = lists.finish().unwrap();
        let lists = lists.as_list::<i32>();
        assert_eq!(lists.value(0).as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(7), None]);
        assert!(lists.is_null(1) && lists.value(2).is_empty());
    }
}
