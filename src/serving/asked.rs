//! For whom features are asked.

use serde_json::Value as Json;

use crate::{
    problem::{Kind, Problem},
    retrieval::Entities,
};

/// For whom features are asked, and what is computed with.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// Rows of any kind: names that nobody asked for are mistakes, unless they are in a file.
    Rows(&'a Entities),
    /// Columns of a request: names that nobody asked for are left out.
    Columns(&'a RequestColumns),
}

impl Asked<'_> {
    /// What messages call one of the entities, by its place from 0.
    pub(super) fn row(self, index: usize) -> String {
        match self {
            Self::Rows(entities) => entities.row(index),
            Self::Columns(_) => format!("entity {}", index + 1),
        }
    }
}

impl<'a> From<&'a Entities> for Asked<'a> {
    fn from(entities: &'a Entities) -> Self {
        Self::Rows(entities)
    }
}

impl<'a> From<&'a RequestColumns> for Asked<'a> {
    fn from(columns: &'a RequestColumns) -> Self {
        Self::Columns(columns)
    }
}

/// More join keys and fields no request has; names are looked for one by one.
const MOST_COLUMNS: usize = 1_000;

/// Join keys and fields of requests, as a request has them in its JSON: columns of one length, each name once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestColumns {
    columns: Vec<(String, Vec<Json>)>,
    rows: usize,
}

impl RequestColumns {
    /// Columns in the order of the request. Of those with one name the last one counts, as in JSON.
    ///
    /// # Errors
    /// When they are not of one length, or more than anything asks for.
    pub fn new(columns: Vec<(String, Vec<Json>)>) -> Result<Self, Problem> {
        if columns.len() > MOST_COLUMNS {
            let message = format!("there are {} names, of which {MOST_COLUMNS} are looked at", columns.len());
            return Err(Problem::new(Kind::Invalid, message, "leave out those that nobody asks for".to_owned()));
        }
        let mut each: Vec<(String, Vec<Json>)> = Vec::with_capacity(columns.len());
        for (name, values) in columns {
            match each.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = values,
                None => each.push((name, values)),
            }
        }
        let rows = each.first().map_or(0, |(_, values)| values.len());
        if let Some((name, values)) = each.iter().find(|(_, values)| values.len() != rows) {
            let (first, values) = (&each[0].0, values.len());
            let message = format!("`{first}` has {rows} values and `{name}` has {values}");
            return Err(Problem::new(Kind::Invalid, message, "give one of each for every entity".to_owned()));
        }
        Ok(Self { columns: each, rows })
    }

    /// How many values each of them has.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Their names, in the order of the request.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The values of a name.
    pub(super) fn get(&self, name: &str) -> Option<&[Json]> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, values)| values.as_slice())
    }

    /// All of them, in the order of the request.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[Json])> {
        self.columns.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_one_length_and_each_name_once() {
        let column =
            |name: &str, values: &[i64]| (name.to_owned(), values.iter().map(|value| Json::from(*value)).collect());
        let columns = RequestColumns::new(vec![column("a", &[1]), column("b", &[2, 3]), column("a", &[4, 5])]).unwrap();
        assert_eq!((columns.rows(), columns.get("a"), columns.get("c")), (2, Some(&[4.into(), 5.into()][..]), None));
        let problem = RequestColumns::new(vec![column("a", &[1]), column("b", &[])]).unwrap_err();
        assert_eq!((problem.kind, problem.message.as_str()), (Kind::Invalid, "`a` has 1 values and `b` has 0"));
        assert_eq!(RequestColumns::new(Vec::new()).unwrap().rows(), 0);
        let many = (0..=MOST_COLUMNS).map(|number| (number.to_string(), Vec::new())).collect();
        assert_eq!(RequestColumns::new(many).unwrap_err().kind, Kind::Invalid);
    }
}
