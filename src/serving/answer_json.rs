//! Answers in the shape of Feast's `/get-online-features`, written straight from what is stored.

use std::fmt::Write as _;

use serde::Serialize;

use super::answer::{Answer, AnswerColumn, Answered, NO_EVENT};
use crate::{model::Timestamp, problem::Problem};

impl Answer {
    /// Appends the answer as JSON, if wanted with the versions of its views.
    ///
    /// # Errors
    /// When stored bytes are damaged.
    pub fn write_json(&self, with_versions: bool, out: &mut Vec<u8>) -> Result<(), Problem> {
        let mut times = EventTimes::default();
        // As long as most values are with their status and their time.
        out.reserve(self.columns.iter().map(|column| (column.values.len() + 1) * 64).sum());
        out.extend_from_slice(br#"{"results":"#);
        list(&self.columns, out, |column, out| column.write_json(&mut times, out))?;
        out.extend_from_slice(br#","metadata":{"feature_names":"#);
        list(&self.columns, out, |column, out| {
            json(&*column.name, out);
            Ok(())
        })?;
        if with_versions {
            out.extend_from_slice(br#","feature_view_metadata":"#);
            json(&*self.versions, out);
        }
        out.extend_from_slice(b"}}");
        Ok(())
    }
}

impl AnswerColumn {
    fn write_json(&self, times: &mut EventTimes, out: &mut Vec<u8>) -> Result<(), Problem> {
        out.extend_from_slice(br#"{"values":"#);
        list(&self.values, out, |answered: &Answered, out| self.write_value(answered, out))?;
        out.extend_from_slice(br#","statuses":"#);
        list(&self.values, out, |answered, out| {
            out.push(b'"');
            out.extend_from_slice(answered.status.as_str().as_bytes());
            out.push(b'"');
            Ok(())
        })?;
        out.extend_from_slice(br#","event_timestamps":"#);
        let mut row = 0;
        list(&self.values, out, |answered, out| {
            out.extend_from_slice(times.text(row, answered.event));
            row += 1;
            Ok(())
        })?;
        out.push(b'}');
        Ok(())
    }
}

/// Event times as JSON. All features of a view have that of their row, so that it is written once for most of them.
#[derive(Default)]
struct EventTimes(Vec<(Timestamp, String)>);

impl EventTimes {
    fn text(&mut self, row: usize, event: Timestamp) -> &[u8] {
        if event == NO_EVENT {
            return br#""1970-01-01T00:00:00Z""#;
        }
        if self.0.len() <= row {
            self.0.resize(row + 1, (NO_EVENT, String::new()));
        }
        let (known, text) = &mut self.0[row];
        if *known != event {
            *known = event;
            text.clear();
            // Writing to a text cannot fail.
            let _ = write!(text, "\"{event}\"");
        }
        text.as_bytes()
    }
}

fn list<T>(
    items: &[T],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

/// Names, which can always be written.
fn json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        feast::values::{
            WireValue,
            value::{Kind, Value},
        },
        serving::{Status, ViewVersion},
    };

    fn answered(value: Option<Kind>, status: Status, micros: i64) -> Answered {
        Answered { value: (&Value { kind: value }).into(), status, event: Timestamp::from_micros(micros) }
    }

    fn answer(versions: &[(&str, u32)]) -> Answer {
        let columns = [
            (
                "k\"",
                vec![
                    answered(Some(Kind::Int64(1)), Status::Present, 0),
                    answered(Some(Kind::Int64(2)), Status::Present, 0),
                ],
            ),
            (
                "x",
                vec![
                    answered(Some(Kind::Float(0.5)), Status::OutsideMaxAge, 1_500_000),
                    answered(None, Status::NotFound, 0),
                ],
            ),
            (
                "y",
                vec![
                    answered(None, Status::NullValue, 1_500_000),
                    answered(Some(Kind::Bool(true)), Status::Invalid, 7),
                ],
            ),
        ];
        let columns = columns.into_iter().map(|(name, values)| AnswerColumn { name: name.into(), values });
        let versions =
            versions.iter().map(|(name, version)| ViewVersion { name: (*name).to_owned(), version: *version });
        Answer {
            columns: columns.collect(),
            keys: 1,
            request: Vec::new(),
            versions: versions.collect::<Vec<_>>().into(),
            views: Arc::default(),
            read: Duration::ZERO,
        }
    }

    fn text(answer: &Answer, with_versions: bool) -> String {
        let mut out = Vec::new();
        answer.write_json(with_versions, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn answers_are_those_of_feast() {
        let expected = concat!(
            r#"{"results":[{"values":[1,2],"statuses":["PRESENT","PRESENT"],"#,
            r#""event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},"#,
            r#"{"values":[0.5,null],"statuses":["OUTSIDE_MAX_AGE","NOT_FOUND"],"#,
            r#""event_timestamps":["1970-01-01T00:00:01.500Z","1970-01-01T00:00:00Z"]},"#,
            r#"{"values":[null,true],"statuses":["NULL_VALUE","INVALID"],"#,
            r#""event_timestamps":["1970-01-01T00:00:01.500Z","1970-01-01T00:00:00.000007Z"]}],"#,
            r#""metadata":{"feature_names":["k\"","x","y"]"#,
        );
        assert_eq!(text(&answer(&[]), false), format!("{expected}}}}}"));
        let versions = r#","feature_view_metadata":[{"name":"a"},{"name":"b","version":3}]}}"#;
        assert_eq!(text(&answer(&[("a", 0), ("b", 3)]), true), format!("{expected}{versions}"));
        let nothing = Answer { columns: Vec::new(), keys: 0, versions: Arc::default(), ..answer(&[]) };
        assert_eq!(text(&nothing, false), r#"{"results":[],"metadata":{"feature_names":[]}}"#);
    }

    #[test]
    fn damaged_values_are_told_by_their_feature() {
        let mut damaged = answer(&[]);
        damaged.columns[1].values[0].value = WireValue::from(vec![0xff]);
        let problem = damaged.write_json(false, &mut Vec::new()).unwrap_err();
        assert!(problem.message.starts_with("the stored value of x is damaged"), "{problem}");
    }
}
