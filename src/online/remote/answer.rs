//! The answer to a question for features.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::{clients::http::HttpAnswer, model::Timestamp, online::ServedColumn};

#[derive(Deserialize)]
struct Answer {
    metadata: Metadata,
    results: Vec<Column>,
}

#[derive(Deserialize)]
struct Metadata {
    feature_names: Vec<String>,
}

#[derive(Deserialize)]
struct Column {
    values: Vec<Json>,
    statuses: Vec<String>,
    event_timestamps: Vec<String>,
}

/// The columns of an answer, all of one length; why it has none otherwise.
pub(super) fn read(answer: &HttpAnswer) -> Result<Vec<ServedColumn>, String> {
    let Answer { metadata, results } = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let names = metadata.feature_names;
    if names.len() != results.len() {
        return Err(format!("it names {} columns and has {}", names.len(), results.len()));
    }
    let rows = results.first().map_or(0, |column| column.values.len());
    let column = |(name, column): (String, Column)| {
        let Column { values, statuses, event_timestamps } = column;
        if [values.len(), statuses.len(), event_timestamps.len()] != [rows; 3] {
            return Err(format!("`{name}` has not {rows} values, statuses and times as the first column"));
        }
        let moment =
            |text: &String| Timestamp::absolute(text).ok_or_else(|| format!("`{text}`, a time of `{name}`, is none"));
        let events = event_timestamps.iter().map(moment).collect::<Result<_, _>>()?;
        Ok(ServedColumn { name, values, statuses, events })
    };
    names.into_iter().zip(results).map(column).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    fn read_body(body: &str) -> Result<Vec<ServedColumn>, String> {
        let content_type = "application/json".to_owned();
        read(&HttpAnswer {
            status: StatusCode::OK,
            content_type,
            body: body.as_bytes().to_vec(),
            challenge: String::new(),
        })
    }

    #[test]
    fn answers_are_columns() {
        let body = json!({
            "metadata": {"feature_names": ["k", "f"], "feature_view_metadata": [{"name": "v", "version": 2}]},
            "results": [
                {"values": [1], "statuses": ["PRESENT"], "event_timestamps": ["1970-01-01T00:00:00Z"]},
                {"values": [null], "statuses": ["NOT_FOUND"], "event_timestamps": ["2021-04-11T21:59:59.999999Z"]},
            ],
        });
        let columns = read_body(&body.to_string()).unwrap();
        assert_eq!(columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["k", "f"]);
        assert_eq!(columns[1].values, [Json::Null]);
        assert_eq!(columns[1].statuses, ["NOT_FOUND"]);
        assert_eq!(columns[1].events[0].micros(), 1_618_178_399_999_999);
    }

    #[test]
    fn other_answers_are_none() {
        let column = |values: &str, statuses: &str, times: &str| {
            format!(
                r#"{{"metadata": {{"feature_names": ["f"]}}, "results": [{{"values": {values}, "statuses": {statuses}, "event_timestamps": {times}}}]}}"#
            )
        };
        assert!(read_body(&column("[1]", "[\"PRESENT\"]", "[\"2026-01-01T00:00:00Z\"]")).is_ok());
        for (body, reason) in [
            (String::new(), "EOF"),
            ("{}".to_owned(), "missing field `metadata`"),
            (r#"{"metadata": {"feature_names": ["f"]}, "results": []}"#.to_owned(), "it names 1 columns and has 0"),
            (column("[1]", "[]", "[]"), "`f` has not 1 values"),
            (column("[1]", "[\"PRESENT\"]", "[\"soon\"]"), "`soon`, a time of `f`, is none"),
        ] {
            let error = read_body(&body).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
