//! Rows of a view into its table: one statement and one transaction for each batch, which leaves newer rows alone.

use tokio_postgres::types::{ToSql, Type};

use super::{moment::Moment, session::PostgresSession};
use crate::{
    clients::runtime::wait,
    feast::values::value::Value,
    online::{
        view_layout::ViewLayout,
        writer::{EncodedRow, Replace, WriteCounts, Writer},
    },
    problem::Problem,
    sql_name::quoted,
};

/// About how many bytes of keys and values go into one statement.
const STATEMENT_SIZE: usize = 4 << 20;

/// Writes rows of one view, each batch as one statement and so as one transaction.
pub(crate) struct PostgresWriter {
    session: PostgresSession,
    layout: ViewLayout,
    /// The features by name: all writers take the locks of rows in the same order.
    order: Vec<usize>,
    has_numbers: bool,
    upsert: String,
    stored: String,
}

impl PostgresWriter {
    /// A writer for a table that is there, maybe with a column for numbers.
    pub(crate) fn new(
        session: PostgresSession,
        table: &str,
        has_numbers: bool,
        layout: ViewLayout,
        replace: Replace,
    ) -> Self {
        let mut order: Vec<usize> = (0..layout.features.len()).collect();
        order.sort_by_key(|feature| &layout.features[*feature]);
        let upsert = upsert(table, has_numbers, replace);
        Self { session, layout, order, has_numbers, upsert, stored: stored(table) }
    }

    fn write_chunk(&mut self, rows: &[&EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        let mut cells = Cells::with_capacity(rows.len() * self.order.len());
        for row in rows {
            for &feature in &self.order {
                cells.push(row, &self.layout.features[feature], row.values[feature], self.has_numbers);
            }
        }
        let all = rows.len() as u64;
        let taken = ask(&mut self.session, &self.upsert, &cells.parameters(self.has_numbers))?;
        // Asked only when something was there already: those that were stored before count, too.
        let written = match taken == all {
            true => all,
            false => taken.max(ask(&mut self.session, &self.stored, &cells.identity())?),
        };
        Ok(WriteCounts { written, skipped: all.saturating_sub(written) })
    }
}

/// The number of entities that a statement answers.
fn ask(
    session: &mut PostgresSession,
    statement: &str,
    parameters: &[(&(dyn ToSql + Sync), Type)],
) -> Result<u64, Problem> {
    let count: i64 = session.insist(|connection| {
        let rows = wait(connection.query_typed(statement, parameters))?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Writer for PostgresWriter {
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        if self.order.is_empty() {
            return Ok(WriteCounts { written: rows.len() as u64, skipped: 0 });
        }
        let mut rows: Vec<&EncodedRow<'_>> = rows.iter().collect();
        // Writers that lock rows in the same order wait for each other, but never in a circle.
        rows.sort_unstable_by_key(|row| row.key);
        let mut counts = WriteCounts::default();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let (chunk, others) = rest.split_at(chunk_length(rest));
            let chunk = self.write_chunk(chunk)?;
            counts.written += chunk.written;
            counts.skipped += chunk.skipped;
            rest = others;
        }
        Ok(counts)
    }

    /// Each batch was committed when it was taken.
    fn flush(&mut self) -> Result<WriteCounts, Problem> {
        self.session.check_memory()?;
        Ok(WriteCounts::default())
    }
}

/// How many of the rows go into one statement, at least one.
fn chunk_length(rows: &[&EncodedRow<'_>]) -> usize {
    let mut size = 0;
    let fits = rows.iter().take_while(|row| {
        size += row.values.iter().map(|value| value.len() + row.key.len()).sum::<usize>();
        size <= STATEMENT_SIZE
    });
    fits.count().max(1)
}

/// One chunk of rows, as parameter arrays per column.
struct Cells<'a> {
    keys: Vec<&'a [u8]>,
    features: Vec<&'a str>,
    values: Vec<&'a [u8]>,
    texts: Vec<Option<String>>,
    numbers: Vec<Option<f64>>,
    events: Vec<Moment>,
    created: Vec<Option<Moment>>,
}

impl<'a> Cells<'a> {
    fn with_capacity(cells: usize) -> Self {
        Self {
            keys: Vec::with_capacity(cells),
            features: Vec::with_capacity(cells),
            values: Vec::with_capacity(cells),
            texts: Vec::with_capacity(cells),
            numbers: Vec::new(),
            events: Vec::with_capacity(cells),
            created: Vec::with_capacity(cells),
        }
    }

    fn push(&mut self, row: &EncodedRow<'a>, feature: &'a str, value: &'a [u8], numbers: bool) {
        self.keys.push(row.key);
        self.features.push(feature);
        self.values.push(value);
        self.events.push(Moment(row.event));
        self.created.push(row.created.map(Moment));
        // The bytes were just encoded, so they always decode.
        let decoded = Value::read(value).unwrap_or(Value::NULL);
        if numbers {
            self.numbers.push(decoded.to_number());
        }
        // A text with a NUL is none to PostgreSQL.
        self.texts.push(decoded.to_text().filter(|text| !text.contains('\0')));
    }

    fn parameters(&self, numbers: bool) -> Vec<(&(dyn ToSql + Sync), Type)> {
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![
            (&self.keys, Type::BYTEA_ARRAY),
            (&self.features, Type::TEXT_ARRAY),
            (&self.values, Type::BYTEA_ARRAY),
            (&self.texts, Type::TEXT_ARRAY),
            (&self.events, Type::TIMESTAMPTZ_ARRAY),
            (&self.created, Type::TIMESTAMPTZ_ARRAY),
        ];
        if numbers {
            parameters.push((&self.numbers, Type::FLOAT8_ARRAY));
        }
        parameters
    }

    /// What tells whether a value is the stored one.
    fn identity(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        vec![
            (&self.keys, Type::BYTEA_ARRAY),
            (&self.features, Type::TEXT_ARRAY),
            (&self.values, Type::BYTEA_ARRAY),
            (&self.events, Type::TIMESTAMPTZ_ARRAY),
        ]
    }
}

/// The statement that inserts values, or replaces those that give way; its result is the number of entities of which
/// some were written. Of the same moment the creation time decides, and without one the later write. What is stored
/// already is not written again, which would leave garbage.
fn upsert(table: &str, numbers: bool, replace: Replace) -> String {
    let newer = match replace {
        Replace::Everything => "TRUE",
        Replace::Outdated | Replace::NotNewer => {
            "(stored.event_ts IS NULL OR excluded.event_ts > stored.event_ts \
             OR (excluded.event_ts = stored.event_ts AND coalesce(excluded.created_ts >= stored.created_ts, TRUE)))"
        }
    };
    let mut columns = vec!["value", "value_text", "event_ts", "created_ts"];
    columns.extend(numbers.then_some("value_num"));
    let each = |column: fn(&str) -> String| columns.iter().map(|name| column(name)).collect::<Vec<_>>().join(", ");
    let parameters: Vec<String> = (1..=columns.len() + 2).map(|number| format!("${number}")).collect();
    format!(
        "WITH taken AS (\
         INSERT INTO {} AS stored (entity_key, feature_name, {}) SELECT * FROM unnest({}) \
         ON CONFLICT (entity_key, feature_name) DO UPDATE SET {}, vector_value = NULL \
         WHERE {newer} AND ({}) IS DISTINCT FROM ({}) RETURNING entity_key) \
         SELECT count(DISTINCT entity_key) FROM taken",
        quoted(table),
        columns.join(", "),
        parameters.join(", "),
        each(|name| format!("{name} = excluded.{name}")),
        each(|name| format!("excluded.{name}")),
        each(|name| format!("stored.{name}")),
    )
}

/// The statement that counts the entities whose stored values are these.
fn stored(table: &str) -> String {
    format!(
        "SELECT count(DISTINCT wanted.entity_key) \
         FROM unnest($1, $2, $3, $4) AS wanted (entity_key, feature_name, value, event_ts) \
         JOIN {} AS stored ON stored.entity_key = wanted.entity_key AND stored.feature_name = wanted.feature_name \
         WHERE stored.value = wanted.value AND stored.event_ts = wanted.event_ts",
        quoted(table)
    )
}
