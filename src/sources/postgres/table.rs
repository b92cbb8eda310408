//! A table or query of PostgreSQL whose columns are known.

use super::{
    column::TableColumn,
    rows::TableRows,
    select::{self, Conditions},
    sent::SentRows,
    server::SourceServer,
};
use crate::{
    clients::runtime::wait,
    model::{DataSource, PostgresSource},
    problem::{Kind, Problem},
    sources::{Whereabouts, columns::Holds},
};

/// Rows that are taken for granted where the server does not say how many there are.
const FEW: u64 = 1_000;

/// A table or query.
#[derive(Debug)]
pub(crate) struct Table {
    server: SourceServer,
    /// What stands behind `FROM`.
    from: String,
    columns: Vec<TableColumn>,
    /// About how many rows there are.
    pub(in crate::sources) rows: u64,
    /// Begins messages.
    what: String,
    /// What `from` needs to be there.
    sent: Option<SentRows>,
}

/// The moments of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources) struct Times {
    /// The first and the last in microseconds UTC; `None` where there are none.
    pub bounds: Option<(i64, i64)>,
    /// How many rows have none.
    pub without: u64,
}

impl Table {
    /// Asks the server for the columns of a source; for about how many rows there are only if they are to be read.
    pub(in crate::sources) fn open(
        source: &DataSource,
        postgres: &PostgresSource,
        whereabouts: &Whereabouts,
        to_read: bool,
    ) -> Result<Self, Problem> {
        let server = SourceServer::of(source, whereabouts)?;
        let what = format!("cannot read data source `{}`", source.name);
        let from = from(postgres);
        let everything = format!("SELECT * FROM {from}");
        let (columns, rows) = wait(async {
            let mut connection = server.connect(&what).await?;
            let described = connection.describe(&everything).await.map_err(|error| server.explain(&what, &error))?;
            let columns: Vec<TableColumn> = described
                .columns()
                .iter()
                .map(|column| TableColumn::new(column.name(), column.type_(), column.type_modifier()))
                .collect();
            let rows = if to_read {
                let explain = format!("EXPLAIN {everything}");
                let plan =
                    connection.query_typed(&explain, &[]).await.map_err(|error| server.explain(&what, &error))?;
                plan.first().and_then(|row| about_rows(row.try_get(0).ok()?))
            } else {
                None
            };
            Ok::<_, Problem>((columns, rows))
        })?;
        if columns.is_empty() {
            return Err(Problem::new(Kind::Invalid, format!("{what}: it has no columns"), None));
        }
        Ok(Self { server, from, columns, rows: rows.unwrap_or(FEW), what, sent: None })
    }

    /// Another table on the same server: what a query answers, which has these columns and may read rows that are sent
    /// before.
    pub(crate) fn beside(&self, query: &str, columns: Vec<TableColumn>, sent: Option<SentRows>) -> Self {
        let (server, what) = (self.server.clone(), "cannot join features".to_owned());
        Self { server, from: format!("(\n{query}\n) AS s"), columns, rows: FEW, what, sent }
    }

    /// Whether one statement can read both.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.server.is_same(&other.server)
    }

    /// What stands behind `FROM`; it is called `s`.
    pub(crate) fn from(&self) -> &str {
        &self.from
    }

    /// A column.
    pub(crate) fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns with what is in them.
    pub(in crate::sources) fn columns(&self) -> impl Iterator<Item = (&str, &Holds)> {
        self.columns.iter().map(|column| (column.name.as_str(), &column.holds))
    }

    /// The place of a column.
    pub(in crate::sources) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Whether values of a column come as texts that become what is asked for.
    pub(in crate::sources) fn is_written(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name && column.holds.is_text())
    }

    /// What the server says of a column; `None` where it does not know the values as moments.
    pub(in crate::sources) fn times(&self, column: usize) -> Result<Option<Times>, Problem> {
        let Some(statement) = select::times(&self.from, &self.columns[column]) else { return Ok(None) };
        let rows = wait(async {
            let mut connection = self.server.connect(&self.what).await?;
            let answer = connection.query_typed(&statement, &[]).await;
            answer.map_err(|error| self.server.explain(&self.what, &error))
        })?;
        let said = rows.first().and_then(|row| {
            let moment = |index| row.try_get::<_, Option<i64>>(index).ok();
            Some(Times { bounds: moment(0)?.zip(moment(1)?), without: u64::try_from(moment(2)??).ok()? })
        });
        Ok(said)
    }

    /// Begins to read columns, by their places.
    pub(in crate::sources) fn read(
        &self,
        columns: &[usize],
        conditions: &Conditions<'_>,
    ) -> Result<TableRows, Problem> {
        let selected: Vec<&TableColumn> = columns.iter().map(|column| &self.columns[*column]).collect();
        let statement = select::copy(&self.from, &self.columns, columns, conditions);
        TableRows::begin((&self.server, &self.what), self.sent.as_ref(), &statement, &selected)
    }
}

/// A table as it is written, as Feast takes it, or a query.
fn from(source: &PostgresSource) -> String {
    match source.table.as_str() {
        // On lines of its own, because it may end with a comment.
        "" => format!("(\n{}\n) AS s", source.query.trim().trim_end_matches(';')),
        table => format!("{table} AS s"),
    }
}

/// What the first line of a plan says.
fn about_rows(plan: &str) -> Option<u64> {
    plan.split_once(" rows=")?.1.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_may_end_as_statements_do() {
        let query = PostgresSource { table: String::new(), query: "SELECT 1 AS a -- one\n;".to_owned() };
        assert_eq!(from(&query), "(\nSELECT 1 AS a -- one\n\n) AS s");
        let table = PostgresSource { table: "shop.stats".to_owned(), query: String::new() };
        assert_eq!(from(&table), "shop.stats AS s");
        assert_eq!(about_rows("Seq Scan on stats  (cost=0.00..1.07 rows=7 width=12)"), Some(7));
    }
}
