//! The statements whose answers are known: the shapes that joins and newest rows will have.

/// The view of entity rows.
pub(super) const ENTITIES: &str = "feastr_check_entities";

/// The view of a source.
pub(super) const SOURCE: &str = "feastr_check_source";

/// 2024-03-01 at an hour, in microseconds.
const fn at(hour: i64, minutes: i64) -> i64 {
    (1_709_251_200 + hour * 3600 + minutes * 60) * 1_000_000
}

/// Drivers and times: between two events, after two of one time, exactly as long after an event as values live, and a
/// moment longer.
pub(super) const ENTITY_ROWS: [(Option<i64>, i64); 5] =
    [(Some(1), at(10, 30)), (Some(1), at(12, 0)), (Some(2), at(12, 0)), (Some(2), at(12, 0) + 1), (None, at(12, 0))];

/// The same as texts.
pub(super) const ENTITIES_AS_TEXT: [&str; 5] = [
    "1|2024-03-01T10:30:00Z|0",
    "1|2024-03-01T12:00:00Z|1",
    "2|2024-03-01T12:00:00Z|2",
    "2|2024-03-01T12:00:00.000001Z|3",
    "|2024-03-01T12:00:00Z|4",
];

/// Two events of one time, of which the one counts that was created later, although it lacks a value; and one of nobody.
pub(super) const SOURCE_ROWS: &str = "SELECT * FROM VALUES
  (1L, TIMESTAMP '2024-03-01 10:00:00', TIMESTAMP '2024-03-01 10:00:00', 1L, 4.5D),
  (1L, TIMESTAMP '2024-03-01 11:00:00', TIMESTAMP '2024-03-01 11:05:00', 3L, CAST(NULL AS DOUBLE)),
  (1L, TIMESTAMP '2024-03-01 11:00:00', TIMESTAMP '2024-03-01 11:00:00', 2L, 4.0D),
  (2L, TIMESTAMP '2024-03-01 09:00:00', TIMESTAMP '2024-03-01 09:00:00', 7L, 3.0D),
  (CAST(NULL AS BIGINT), TIMESTAMP '2024-03-01 11:00:00', TIMESTAMP '2024-03-01 11:00:00', 9L, 1.0D)
  AS t(driver, event_timestamp, created, trips, rating)";

/// Times in the ways they are written.
pub(super) const TIMES: &str = "SELECT TIMESTAMP '2024-03-01 10:30:00.000001' AS a, \
    timestamp_micros(1709289000000001L) AS b, unix_micros(try_to_timestamp('2024-03-01 10:30:00')) AS c, \
    unix_micros(CAST(TIMESTAMP_NTZ '2024-03-01 10:30:00' AS TIMESTAMP)) AS d";

/// Their answer.
pub(super) const TIMES_AS_TEXT: [&str; 1] =
    ["2024-03-01T10:30:00.000001Z|2024-03-01T10:30:00.000001Z|1709289000000000|1709289000000000"];

/// A shape: its name, what it is, the statement, and its answer.
type Shape = (&'static str, &'static str, fn() -> String, &'static [&'static str]);

/// What joins and newest rows will be made of.
pub(super) const SHAPES: [Shape; 3] = [
    ("join", "a point-in-time join that numbers rows", join, JOINED),
    ("carry-forward", "the same by carrying rows forward", carry_forward, JOINED),
    ("newest", "the newest row of each key", newest, &["1|3|", "2|7|3.0"]),
];

/// What both joins give.
const JOINED: &[&str] = &["0|1|4.5", "1|3|", "2|7|3.0", "3||", "4||"];

/// How long values live, in microseconds.
const TTL: i64 = 3 * 3600 * 1_000_000;

/// Rows of the source that can matter: with a key, and in the range.
fn events(columns: &str) -> String {
    format!(
        "SELECT {columns} FROM {SOURCE} WHERE event_timestamp BETWEEN timestamp_micros({}L) AND timestamp_micros({}L) AND \
         driver IS NOT NULL",
        at(10, 30) - TTL,
        at(12, 0) + 1
    )
}

fn join() -> String {
    let source = events("driver, unix_micros(event_timestamp) AS t, unix_micros(created) AS c, trips, rating");
    format!(
        "SELECT __row, trips, rating FROM (SELECT e.__row, s.trips, s.rating, row_number() OVER (PARTITION BY e.__row ORDER \
         BY s.t DESC NULLS LAST, s.c DESC NULLS LAST) AS __n FROM (SELECT __row, driver, unix_micros(event_timestamp) AS __t \
         FROM {ENTITIES}) e LEFT JOIN ({source}) s ON e.driver = s.driver AND s.t <= e.__t AND s.t >= e.__t - {TTL}L) WHERE \
         __n = 1 ORDER BY __row"
    )
}

/// Sail gives the fields of a struct that became null afterwards, so that what is too old is left out field by field.
fn carry_forward() -> String {
    let source = events(
        "driver, unix_micros(event_timestamp), 0, unix_micros(created), CAST(NULL AS BIGINT), named_struct('t', \
         unix_micros(event_timestamp), 'trips', trips, 'rating', rating)",
    );
    format!(
        "WITH e AS (SELECT __row, driver, unix_micros(event_timestamp) AS __t FROM {ENTITIES}), v0 AS (SELECT __row, v, v.t \
         >= __t - {TTL}L AS __lives FROM (SELECT __row, __t, side, last_value(r) IGNORE NULLS OVER (PARTITION BY driver ORDER \
         BY __t, side, c NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS v FROM (SELECT driver, __t, 1 AS \
         side, CAST(NULL AS BIGINT) AS c, __row, CAST(NULL AS STRUCT<t: BIGINT, trips: BIGINT, rating: DOUBLE>) AS r FROM e \
         UNION ALL {source})) WHERE side = 1) SELECT e.__row, CASE WHEN v0.__lives THEN v0.v.trips END AS trips, CASE WHEN \
         v0.__lives THEN v0.v.rating END AS rating FROM e LEFT JOIN v0 ON e.__row = v0.__row ORDER BY e.__row"
    )
}

fn newest() -> String {
    let source = events("driver, unix_micros(event_timestamp) AS t, unix_micros(created) AS c, trips, rating");
    format!(
        "SELECT driver, trips, rating FROM (SELECT *, row_number() OVER (PARTITION BY driver ORDER BY t DESC, c DESC NULLS \
         LAST) AS __n FROM ({source})) WHERE __n = 1 ORDER BY driver"
    )
}
