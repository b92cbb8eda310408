//! Which columns of rows are those that views and the history of a source need: under the name that the source has for
//! them, or the one that its `field_mapping` gives them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostics::closest,
    model::DataSource,
    problem::{Kind, Problem},
    sources::OpenSource,
};

/// Columns of a source that somebody needs.
pub struct Needs<'a> {
    /// Who, in words.
    pub who: String,
    /// The source, whose names these are.
    pub source: &'a DataSource,
    /// The columns.
    pub columns: Vec<&'a str>,
}

/// Rows whose columns have names of a source.
#[derive(Clone, Copy)]
pub struct Naming<'a> {
    /// The rows.
    pub rows: &'a OpenSource,
    /// What messages call them.
    pub shown: &'a str,
}

impl Naming<'_> {
    /// What the rows call a column of a source; `None` if they have none.
    ///
    /// # Errors
    /// When they have it under both of its names.
    pub fn find<'s>(&self, source: &'s DataSource, column: &'s str) -> Result<Option<&'s str>, Problem> {
        let has = |name: &str| self.rows.columns().get(name).is_some();
        let mapped = source.mapped(column);
        match (has(column), mapped != column && has(mapped)) {
            (true, true) => Err(Problem::new(
                Kind::Invalid,
                format!(
                    "{} has both `{column}` and `{mapped}`, which are one column of data source `{}`",
                    self.shown, source.name
                ),
                "leave out one of them".to_owned(),
            )),
            (true, false) => Ok(Some(column)),
            (false, true) => Ok(Some(mapped)),
            (false, false) => Ok(None),
        }
    }

    /// The columns that nobody needs.
    ///
    /// # Errors
    /// When some that are needed are missing: each is named with those who need it.
    pub fn check(&self, needs: &[Needs<'_>]) -> Result<Vec<String>, Problem> {
        let mut found = BTreeSet::new();
        let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Needs { who, source, columns } in needs {
            for column in columns {
                match self.find(source, column)? {
                    Some(name) => _ = found.insert(name),
                    None => missing.entry(column).or_default().push(who),
                }
            }
        }
        let names = self.rows.columns().columns.iter().map(|column| column.name.as_str());
        let ignored: Vec<&str> = names.filter(|name| !found.contains(name)).collect();
        let Some(first) = missing.keys().next() else {
            return Ok(ignored.into_iter().map(str::to_owned).collect());
        };
        let mut by_who: BTreeMap<&[&str], Vec<String>> = BTreeMap::new();
        for (column, who) in &missing {
            by_who.entry(who).or_default().push(format!("`{column}`"));
        }
        let needed = |(who, columns): (&&[&str], &Vec<String>)| {
            let no = if columns.len() == 1 { "is no column" } else { "are no columns" };
            let need = if who.len() == 1 { "needs" } else { "need" };
            format!("there {no} {}, which {} {need}", columns.join(", "), who.join(" and "))
        };
        let all = by_who.iter().map(needed).collect::<Vec<_>>().join("; ");
        let help = closest(first, ignored).map(|other| format!("is `{other}` the column `{first}`? Then rename it"));
        Err(Problem::new(Kind::Invalid, format!("{}: {all}", self.shown), help))
    }
}
