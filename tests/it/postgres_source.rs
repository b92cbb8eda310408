//! Sources in PostgreSQL: what a real server has comes out as if it were in a parquet file.

use std::{cell::RefCell, fs::File, sync::Arc};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
        Float64Array, Int16Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::Int64Type,
};
use feastr::{
    clients::buckets::Buckets,
    model::{DataSource, PostgresSource, SourceKind},
    sources::{OpenSource, Role, Wanted, Whereabouts},
};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{
    servers::{Kind, PASSWORD, PASSWORD_IN_URL, Server, USER, shared},
    support::{Output, Project, run, settings},
};

/// The variable that sources name.
const VARIABLE: &str = "SOURCES_URL";

/// A second, and 2026-01-01.
const SECOND: i64 = 1_000_000;
const START: i64 = 1_767_225_600 * SECOND;

/// A repo whose sources are in a database of their own.
struct Repo {
    project: Project,
    server: &'static Server,
    database: String,
}

impl Repo {
    /// A database with these tables, and definitions over it.
    fn new(tables: &str, definitions: &str) -> Self {
        let server = shared(Kind::Postgres);
        let database = server.create_database();
        server.execute(&database, tables);
        let project = Project::new(&[("feature_store.yaml", &settings("demo")), ("definitions.yaml", definitions)]);
        Self { project, server, database }
    }

    fn url(&self) -> String {
        format!("postgresql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{}", self.server.port, self.database)
    }

    /// Settings of the offline store in the database.
    fn offline_store(&self) -> String {
        format!(
            "{{type: postgres, host: 127.0.0.1, port: {}, database: {}, user: {USER}, password: {PASSWORD}, sslmode: prefer}}",
            self.server.port, self.database
        )
    }

    /// A run of feastr that knows where the database is.
    fn feastr(&self, args: &[&str]) -> Output {
        self.feastr_at(&self.url(), args)
    }

    fn feastr_at(&self, url: &str, args: &[&str]) -> Output {
        let output = run(self.project.command(args).env(VARIABLE, url));
        assert!(!output.stderr.contains(PASSWORD) && !output.stderr.contains(PASSWORD_IN_URL), "{}", output.stderr);
        output
    }

    fn execute(&self, statements: &str) {
        self.server.execute(&self.database, statements);
    }
}

/// Columns of all types: a name, the declared type, PostgreSQL's type, its values in SQL and as a parquet file has them.
fn columns() -> Vec<(&'static str, &'static str, &'static str, [&'static str; 3], ArrayRef)> {
    let list =
        |lists: Vec<Option<Vec<Option<i64>>>>| Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
    let micros = [Some(START + 1), Some(-1), None];
    vec![
        (
            "b",
            "Bool",
            "boolean",
            ["true", "false", "NULL"],
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        ),
        (
            "i2",
            "Int32",
            "smallint",
            ["-32768", "7", "NULL"],
            Arc::new(Int16Array::from(vec![Some(-32768), Some(7), None])),
        ),
        (
            "i4",
            "Int32",
            "integer",
            ["2147483647", "-7", "NULL"],
            Arc::new(Int32Array::from(vec![Some(i32::MAX), Some(-7), None])),
        ),
        (
            "i8",
            "Int64",
            "bigint",
            ["-9223372036854775808", "8", "NULL"],
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(8), None])),
        ),
        (
            "f4",
            "Float32",
            "real",
            ["0.1", "'NaN'", "NULL"],
            Arc::new(Float32Array::from(vec![Some(0.1), Some(f32::NAN), None])),
        ),
        (
            "f8",
            "Float64",
            "double precision",
            ["0.1", "'-Infinity'", "NULL"],
            Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NEG_INFINITY), None])),
        ),
        ("t", "String", "text", ["'é '", "''", "NULL"], Arc::new(StringArray::from(vec![Some("é "), Some(""), None]))),
        (
            "v",
            "String",
            "varchar(5)",
            ["'o''r'", "'\\'", "NULL"],
            Arc::new(StringArray::from(vec![Some("o'r"), Some("\\"), None])),
        ),
        (
            "c",
            "String",
            "char(3)",
            ["'a'", "'abc'", "NULL"],
            Arc::new(StringArray::from(vec![Some("a  "), Some("abc"), None])),
        ),
        (
            "by",
            "Bytes",
            "bytea",
            ["'\\x00ff'", "''", "NULL"],
            Arc::new(BinaryArray::from(vec![Some([0, 255].as_slice()), Some(&[]), None])),
        ),
        (
            "d",
            "UnixTimestamp",
            "date",
            ["'2026-01-01'", "'1969-12-31'", "NULL"],
            Arc::new(Date32Array::from(vec![Some(20454), Some(-1), None])),
        ),
        (
            "ts",
            "UnixTimestamp",
            "timestamp",
            ["'2026-01-01 00:00:00.000001'", "'1969-12-31 23:59:59.999999'", "NULL"],
            Arc::new(TimestampMicrosecondArray::from(micros.to_vec())),
        ),
        (
            "tz",
            "UnixTimestamp",
            "timestamptz",
            ["'2026-01-01 02:00:00.000001+02'", "'1969-12-31 23:59:59.999999Z'", "NULL"],
            Arc::new(TimestampMicrosecondArray::from(micros.to_vec()).with_timezone("UTC")),
        ),
        (
            "n",
            "Decimal",
            "numeric(10, 2)",
            ["-12345.67", "0.05", "NULL"],
            Arc::new(
                Decimal128Array::from(vec![Some(-1_234_567), Some(5), None]).with_precision_and_scale(10, 2).unwrap(),
            ),
        ),
        (
            "nf",
            "Float64",
            "numeric",
            ["1234567.125", "'NaN'", "NULL"],
            Arc::new(Float64Array::from(vec![Some(1_234_567.125), Some(f64::NAN), None])),
        ),
        (
            "ni",
            "Int64",
            "numeric",
            ["12345678901", "-1", "NULL"],
            Arc::new(Int64Array::from(vec![Some(12_345_678_901), Some(-1), None])),
        ),
        (
            "u",
            "Uuid",
            "uuid",
            ["'6F9619FF-8B86-D011-B42D-00CF4FC964FF'", "'00000000-0000-0000-0000-000000000000'", "NULL"],
            Arc::new(StringArray::from(vec![
                Some("6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
                Some("00000000-0000-0000-0000-000000000000"),
                None,
            ])),
        ),
        (
            "j",
            "Json",
            "jsonb",
            ["'{\"a\": [1, null]}'", "'3'", "NULL"],
            Arc::new(StringArray::from(vec![Some("{\"a\": [1, null]}"), Some("3"), None])),
        ),
        (
            "m",
            "Map",
            "json",
            ["'{\"a\": \"x\"}'", "'{}'", "NULL"],
            Arc::new(StringArray::from(vec![Some("{\"a\": \"x\"}"), Some("{}"), None])),
        ),
        (
            "l",
            "Array(Int64)",
            "bigint[]",
            ["'{1,NULL,3}'", "'{}'", "NULL"],
            list(vec![Some(vec![Some(1), None, Some(3)]), Some(vec![]), None]),
        ),
        (
            "ln",
            "Array(Float64)",
            "numeric[]",
            ["'{1.5,2}'", "'{}'", "NULL"],
            Arc::new(ListArray::from_iter_primitive::<arrow::datatypes::Float64Type, _, _>(vec![
                Some(vec![Some(1.5), Some(2.0)]),
                Some(vec![]),
                None,
            ])),
        ),
        (
            "iv",
            "String",
            "interval",
            ["'1 day'", "'00:00:01'", "NULL"],
            Arc::new(StringArray::from(vec![Some("1 day"), Some("00:00:01"), None])),
        ),
        (
            "e",
            "String",
            "mood",
            ["'good'", "'bad'", "NULL"],
            Arc::new(StringArray::from(vec![Some("good"), Some("bad"), None])),
        ),
    ]
}

/// The same rows in a table and in a file, with a view over each: `in_table` and `in_file`.
fn of_all_types(source: &str) -> Repo {
    let columns = columns();
    let names: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let declared: String = columns.iter().map(|(name, _, kind, ..)| format!(", \"{name}\" {kind}")).collect();
    let rows: Vec<String> = (0..3)
        .map(|row| {
            let values: String = columns.iter().map(|column| format!(", {}", column.3[row])).collect();
            format!("({}, timestamptz '2026-01-01Z' + interval '{row} seconds', '2026-01-02'{values})", row + 1)
        })
        .collect();
    let tables = format!(
        "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE stats (id bigint, at timestamptz, made timestamp{declared}); \
         INSERT INTO stats VALUES {}",
        rows.join(", ")
    );
    let fields: String =
        columns.iter().map(|(name, dtype, ..)| format!("      - {{name: {name}, dtype: \"{dtype}\"}}\n")).collect();
    let definitions = format!(
        "entities: [{{name: e, join_keys: [id], value_type: INT64}}]\ndata_sources:\n  - {{name: s, type: postgres, \
         timestamp_field: at, created_timestamp_column: made, {source}}}\n  - {{name: f, type: file, path: rows.parquet, \
         timestamp_field: at, created_timestamp_column: made}}\nfeature_views:\n  - name: in_table\n    entities: [e]\n    \
         source: s\n    schema:\n{fields}  - name: in_file\n    entities: [e]\n    source: f\n    schema:\n{fields}\
         feature_services:\n  - {{name: both, features: [in_table, in_file]}}\n"
    );
    let repo = Repo::new(&tables, &definitions);
    let mut arrays: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values((0..3).map(|row| START + row * SECOND)))),
        ("made", Arc::new(TimestampMicrosecondArray::from(vec![START + 86_400 * SECOND; 3]))),
    ];
    arrays.extend(names.into_iter().zip(columns.iter().map(|column| Arc::clone(&column.4))));
    write(&repo.project, "rows.parquet", arrays);
    repo.project.write(
        "entities.csv",
        "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n3,2026-02-01\n4,2026-02-01\n1,2025-01-01\n",
    );
    repo
}

fn write(project: &Project, path: &str, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(project.path(path)).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

const REFERENCE: &str = "table: stats, connection_ref: {provider: env, name: SOURCES_URL}";

/// Asserts that the features of both views have the same values, offline and online.
fn assert_both_alike(repo: &Repo) {
    repo.feastr(&["apply"]).ok();
    let rows = repo.feastr(&[
        "get-historical",
        "--entities",
        "entities.csv",
        "--feature-service",
        "both",
        "--full-feature-names",
        "--format",
        "jsonl",
    ]);
    let rows: Vec<Json> = rows.ok().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5);
    for row in &rows {
        for (name, ..) in columns() {
            assert_eq!(row[format!("in_table__{name}")], row[format!("in_file__{name}")], "{name}: {row}");
        }
    }
    assert_eq!(rows[0]["in_table__t"], "é ");
    assert!(rows[2]["in_table__t"].is_null() && rows[3]["in_table__t"].is_null());
    let report = repo.feastr(&["materialize", "2020-01-01", "2026-03-01"]).ok().stdout;
    assert!(report.contains("in_table"), "{report}");
    let args = ["get-online", "--feature-service", "both", "--full-feature-names", "--json"];
    let entities = ["--entity", "id=1", "--entity", "id=2", "--entity", "id=3"];
    let answer = repo.feastr(&[args.as_slice(), &entities].concat()).ok().json();
    let names: Vec<&str> =
        answer["metadata"]["feature_names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let result = |name: &str| &answer["results"][names.iter().position(|known| *known == name).unwrap()];
    for (name, ..) in columns() {
        assert_eq!(result(&format!("in_table__{name}")), result(&format!("in_file__{name}")), "{name}");
    }
    assert_eq!(result("in_table__i4")["values"][0], 2_147_483_647);
}

#[test]
fn a_table_is_read_like_a_file_with_the_same_rows() {
    assert_both_alike(&of_all_types(REFERENCE));
}

#[test]
fn a_query_is_read_like_a_table_from_the_server_of_the_settings() {
    let repo = of_all_types("query: \"SELECT * FROM stats WHERE id < 10 -- few\"");
    repo.project.edit(
        "feature_store.yaml",
        "offline_store:\n  type: duckdb\n",
        &format!("offline_store: {}\n", repo.offline_store()),
    );
    assert_both_alike(&repo);
}

/// A view of `value`, an Int64, over a table of three rows of 2026-01-01; its last row is of another time.
fn of_few_rows(source: &str) -> Repo {
    let tables = "CREATE TABLE stats (id int, at timestamptz, value bigint); INSERT INTO stats VALUES \
                  (1, '2026-01-01T00:00:00Z', 10), (2, '2026-01-01T00:00:00.000001Z', 5), (2, '2026-01-01T00:00:01Z', 20), \
                  (3, 'infinity', 0)";
    let definitions = format!(
        "entities: [{{name: e, join_keys: [id], value_type: INT64}}]\ndata_sources:\n  - {{name: s, type: postgres, \
         timestamp_field: at, {source}}}\nfeature_views:\n  - name: v\n    entities: [e]\n    source: s\n    schema:\n      - \
         {{name: value, dtype: Int64}}\n"
    );
    let repo = Repo::new(tables, &definitions);
    repo.project
        .write("entities.csv", "id,event_timestamp\n2,2026-01-01T00:00:00.000001Z\n1,2026-01-02\n2,2026-01-02\n");
    repo
}

const HISTORICAL: [&str; 7] =
    ["get-historical", "--entities", "entities.csv", "--features", "v:value", "--format", "csv"];

#[test]
fn the_server_leaves_out_rows_of_other_times() {
    // Rows that are not asked for would end the reading: by their time, and by what is computed of them.
    let repo = of_few_rows(
        "query: \"SELECT id, at, 100 / value AS value FROM stats\", connection_ref: {provider: env, name: SOURCES_URL}",
    );
    repo.feastr(&["apply"]).ok();
    let rows = repo.feastr(&HISTORICAL).ok().stdout;
    let values: Vec<&str> = rows.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(values, ["20", "10", "5"], "{rows}");
    // Ends are inside, to the microsecond.
    repo.feastr(&["materialize", "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.999999Z"]).ok();
    let args = ["get-online", "--features", "v:value", "--entity", "id=1", "--entity", "id=2", "--json"];
    let values = |answer: Output| answer.ok().json()["results"][1]["values"].clone();
    assert_eq!(values(repo.feastr(&args)), serde_json::json!([null, 20]));
    let report = repo.feastr(&["materialize", "2020-01-01", "2026-03-01"]).ok().stderr;
    assert!(report.contains("1 row of the source left out"), "{report}");
    assert_eq!(values(repo.feastr(&args)), serde_json::json!([10, 5]));
}

#[test]
fn what_is_wrong_is_told_where_it_is_written() {
    let repo = of_few_rows(REFERENCE);
    let refused = |from: &str, to: &str| {
        let kept = repo.project.read("definitions.yaml");
        repo.project.edit("definitions.yaml", from, to);
        let error = repo.feastr(&["plan"]).failed().stderr;
        repo.project.write("definitions.yaml", kept);
        error
    };
    for (from, to, parts) in [
        ("timestamp_field: at", "timestamp_field: att", ["source `s` has no column `att`", "did you mean `at`"]),
        ("timestamp_field: at", "timestamp_field: value", ["holds int64 values, not times", "to_timestamp"]),
        ("name: value, dtype: Int64", "name: valu, dtype: Int64", ["has no column `valu`", "did you mean `value`"]),
        ("dtype: Int64", "dtype: Bytes", ["cannot become Bytes", "declare it as Int64"]),
        ("table: stats", "table: stat", ["relation \"stat\" does not exist", "check `table` or `query`"]),
        ("table: stats", "query: SELECT id FROM", ["syntax error", "definitions.yaml:3"]),
        (REFERENCE, "table: stats", ["nothing says on which server", "connection_ref: {provider: env"]),
        ("name: SOURCES_URL", "name: OTHER_URL", ["`OTHER_URL`", "is not set"]),
        ("provider: env", "provider: vault", ["`vault`", "connection_ref"]),
    ] {
        let error = refused(from, to);
        assert!(parts.iter().all(|part| error.contains(part)), "{to}:\n{error}");
    }
    let at = |url: &str| repo.feastr_at(url, &["plan"]).failed().stderr;
    let url = repo.url();
    let port = repo.server.port.to_string();
    for (url, part) in [
        (url.replace(PASSWORD_IN_URL, "letmein"), "the password of `feast` is wrong"),
        (url.replace(&port, &crate::servers::free_port().to_string()), "no server answers at"),
        (url.replace(&repo.database, "there_is_none"), "there is no database `there_is_none`"),
        (url.replace("postgresql://", "mysql://"), "no URL of a PostgreSQL database"),
        (format!("{url}?sslmode=maybe"), "`maybe` is not an sslmode"),
    ] {
        let error = at(&url);
        assert!(error.contains(part) && error.contains("definitions.yaml:3"), "{part}:\n{error}");
        assert!(!error.contains("letmein"), "{error}");
    }
}

#[test]
fn nothing_is_written_and_failing_queries_are_told_in_the_servers_words() {
    let repo = of_few_rows(
        "query: \"SELECT id, at, 10 / (id - 1) AS value FROM stats\", connection_ref: {provider: env, name: SOURCES_URL}",
    );
    repo.feastr(&["apply"]).ok();
    let error = repo.feastr(&HISTORICAL).failed().stderr;
    assert!(error.contains("cannot read data source `s`: the server says: division by zero"), "{error}");
    repo.execute("CREATE FUNCTION sneaky() RETURNS bigint AS 'INSERT INTO stats VALUES (9) RETURNING 1' LANGUAGE sql");
    repo.project.edit("definitions.yaml", "10 / (id - 1)", "sneaky()");
    repo.feastr(&["apply", "--yes"]).ok();
    let error = repo.feastr(&HISTORICAL).failed().stderr;
    assert!(error.contains("read-only") && error.contains("nothing in their `query` may write"), "{error}");
    repo.project.edit("definitions.yaml", "sneaky()", "pg_terminate_backend(pg_backend_pid())::int::bigint");
    repo.feastr(&["apply", "--yes"]).ok();
    let error = repo.feastr(&HISTORICAL).failed().stderr;
    assert!(error.contains("is stopping or starting") && error.contains("run it again"), "{error}");
}

#[test]
fn the_first_run_begins_with_the_first_row_that_has_a_time() {
    let repo = of_few_rows(REFERENCE);
    repo.feastr(&["apply"]).ok();
    let report = repo.feastr(&["materialize-incremental", "2026-02-01"]).ok().stdout;
    assert!(report.contains("v     2026-01-01T00:00:00Z  2026-02-01T00:00:00Z  3"), "{report}");
    repo.execute("UPDATE stats SET at = NULL");
    repo.feastr(&["teardown", "--yes"]).ok();
    repo.feastr(&["apply"]).ok();
    let error = repo.feastr(&["materialize-incremental", "2026-02-01"]).failed().stderr;
    assert!(error.contains("is null in all rows (4)"), "{error}");
}

#[test]
fn drift_looks_at_tables() {
    let repo = of_few_rows(REFERENCE);
    repo.feastr(&["apply"]).ok();
    repo.feastr(&["materialize", "2020-01-01", "2026-03-01"]).ok();
    assert!(!repo.feastr(&["drift"]).stdout.contains("stats"));
    repo.execute("ALTER TABLE stats DROP COLUMN value");
    let output = repo.feastr(&["drift"]);
    assert!(output.stdout.contains("needs column `value`, which table `stats` has no more"), "{output:?}");
    repo.execute("DROP TABLE stats");
    let output = repo.feastr(&["drift"]);
    assert!(output.stdout.contains("relation \"stats\" does not exist"), "{output:?}");
}

#[test]
fn columns_and_event_times_are_found_where_nobody_declares_them() {
    let repo = Repo::new(
        "CREATE TABLE stats (id bigint, at timestamptz, rate real, tags text[], key uuid); \
         INSERT INTO stats VALUES (1, '2026-01-01T00:00:00Z', 0.5, '{a,b}', '00000000-0000-0000-0000-000000000001')",
        "entities: [{name: e, join_keys: [id], value_type: INT64}]\nfeature_views:\n  - name: v\n    entities: [e]\n    source: \
         {type: postgres, table: public.stats, connection_ref: {provider: env, name: SOURCES_URL}}\n",
    );
    let plan = repo.feastr(&["plan", "--verbose"]).ok().stdout;
    repo.feastr(&["apply"]).ok();
    let view = repo.feastr(&["feature-views", "describe", "v"]).ok().stdout;
    for part in ["name: rate\n    valueType: FLOAT", "STRING_LIST", "UUID", "timestampField: at"] {
        assert!(view.contains(part), "{part}:\n{view}\n{plan}");
    }
}

/// Values of one row as they are written.
type Written =
    (Option<bool>, Option<i64>, Option<f64>, Option<String>, Option<Vec<u8>>, Option<i64>, Vec<Option<String>>);

/// Microseconds of years from 1 to 9999, or the last ones that there are.
fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![-62_135_596_800_000_000..253_402_300_800_000_000_i64, Just(-210_866_803_200_000_000), Just(i64::MAX)]
}

fn written() -> impl Strategy<Value = Written> {
    let text = || any::<String>().prop_map(|text| text.replace('\0', ""));
    let texts = proptest::collection::vec(proptest::option::of(text()), 0..4);
    (
        any::<Option<bool>>(),
        any::<Option<i64>>(),
        any::<Option<f64>>(),
        proptest::option::of(text()),
        any::<Option<Vec<u8>>>(),
        proptest::option::of(micros()),
        texts,
    )
}

#[test]
fn what_the_server_writes_is_what_is_read() {
    let server = shared(Kind::Postgres);
    let database = server.create_database();
    server.execute(
        &database,
        "CREATE TABLE t (at timestamptz, b bool, i bigint, f float8, t text, y bytea, m timestamp, l text[])",
    );
    let connection = RefCell::new(server.postgres(&database));
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        rng_seed: crate::sources::seed(),
        ..ProptestConfig::default()
    };
    let rows = proptest::collection::vec(written(), 1..40);
    proptest!(config, |(rows in rows)| {
        let mut connection = connection.borrow_mut();
        connection.batch_execute("TRUNCATE t").unwrap();
        let insert = "INSERT INTO t VALUES ('2026-01-01Z', $1, $2, $3, $4, $5, timestamp '1970-01-01' \
                      + ($6 / 86400000000) * interval '1 day' + ($6 % 86400000000) * interval '1 microsecond', $7)";
        let kept = |micros: Option<i64>| micros.map(|micros| micros.min(9_000_000_000_000_000_000));
        for (b, i, f, t, y, m, l) in &rows {
            connection.execute(insert, &[b, i, f, t, y, &kept(*m), l]).unwrap();
        }
        let (columns, count) = read(server, &database, &["b", "i", "f", "t", "y", "m", "l"]);
        prop_assert_eq!(count, rows.len());
        for (row, (b, i, f, t, y, m, l)) in rows.iter().enumerate() {
            let is_null = |column: usize| columns[column].is_null(row);
            prop_assert_eq!((!is_null(0)).then(|| columns[0].as_boolean().value(row)), *b);
            prop_assert_eq!((!is_null(1)).then(|| columns[1].as_primitive::<Int64Type>().value(row)), *i);
            let float = (!is_null(2)).then(|| columns[2].as_primitive::<arrow::datatypes::Float64Type>().value(row).to_bits());
            prop_assert_eq!(float, f.map(f64::to_bits));
            prop_assert_eq!((!is_null(3)).then(|| columns[3].as_string::<i32>().value(row).to_owned()), t.clone());
            prop_assert_eq!((!is_null(4)).then(|| columns[4].as_binary::<i32>().value(row).to_vec()), y.clone());
            let moment = (!is_null(5)).then(|| columns[5].as_primitive::<arrow::datatypes::TimestampMicrosecondType>().value(row));
            prop_assert_eq!(moment, kept(*m));
            let list = columns[6].as_list::<i32>().value(row);
            let list: Vec<Option<String>> = list.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect();
            prop_assert_eq!(&list, l);
        }
    });
}

/// Columns of the table `t` as they are, and the number of its rows.
fn read(server: &Server, database: &str, columns: &[&str]) -> (Vec<ArrayRef>, usize) {
    let whereabouts = Whereabouts {
        repo: std::path::PathBuf::new(),
        postgres: Some(crate::online::postgres_at(server, database).connection),
        buckets: Buckets::default(),
        environment: |_| None,
    };
    let kind = SourceKind::Postgres(PostgresSource { table: "t".to_owned(), query: String::new() });
    let opened = OpenSource::open(&DataSource::new("s", kind), &whereabouts).unwrap();
    let wanted = |column: &&str| Wanted { column: (*column).to_owned(), role: Role::AsIs, null_if_unfit: false };
    let run = Arc::new(opened.scan(columns.iter().map(wanted).collect()).unwrap()).run();
    let (mut batches, mut count) = (Vec::new(), 0);
    while let Some(mut part) = run.part().unwrap() {
        while let Some(rows) = run.batch(&mut part).unwrap() {
            count += rows.count;
            batches.push(rows.columns);
        }
    }
    let column = |index: usize| {
        let arrays: Vec<&dyn arrow::array::Array> = batches.iter().map(|batch| batch[index].as_ref()).collect();
        arrow::compute::concat(&arrays).unwrap()
    };
    ((0..columns.len()).map(column).collect(), count)
}

#[test]
fn only_the_entities_that_are_asked_about_are_read() {
    // A value of any other entity would end the reading.
    for (kind, value_type, keys, asked) in [
        ("int", "INT64", ["1", "2"], "1"),
        ("smallint", "INT32", ["1", "2"], "1"),
        ("text", "STRING", ["'it''s'", "'b'"], "it's"),
        ("varchar(9)", "STRING", ["'a\\'", "'b'"], "a\\"),
        (
            "uuid",
            "STRING",
            ["'00000000-0000-0000-0000-00000000000A'", "'00000000-0000-0000-0000-000000000002'"],
            "00000000-0000-0000-0000-00000000000a",
        ),
    ] {
        let tables = format!(
            "CREATE TABLE stats (id {kind}, shop bigint, at timestamptz, value bigint); INSERT INTO stats VALUES \
             ({}, 7, '2026-01-01Z', 50), ({}, 7, '2026-01-01Z', 0), ({}, 8, '2026-01-01Z', 0), (NULL, 7, '2026-01-01Z', 0)",
            keys[0], keys[1], keys[0]
        );
        let definitions = format!(
            "entities:\n  - {{name: e, join_keys: [id], value_type: {value_type}}}\n  - {{name: shop, value_type: INT64}}\n\
             feature_views:\n  - name: v\n    entities: [e, shop]\n    schema: [{{name: value, dtype: Int64}}]\n    source: \
             {{type: postgres, name: s, query: 'SELECT id, shop, at, 100 / value AS value FROM stats', timestamp_field: at, \
             connection_ref: {{provider: env, name: SOURCES_URL}}}}\n"
        );
        let repo = Repo::new(&tables, &definitions);
        repo.feastr(&["apply", "--skip-source-validation"]).ok();
        let entity = json!({ "id": asked, "shop": 7, "event_timestamp": "2026-02-01T00:00:00Z" });
        repo.project.write("entities.jsonl", entity.to_string());
        let args = ["get-historical", "--entities", "entities.jsonl", "--features", "v:value", "--format", "jsonl"];
        assert_eq!(repo.feastr(&args).ok().json()["value"], 2, "{kind}");
    }
}

#[test]
fn python_feast_finds_the_same_features() {
    let repo = of_all_types("table: stats");
    repo.project.edit(
        "feature_store.yaml",
        "offline_store:\n  type: duckdb\n",
        &format!("offline_store: {}\n", repo.offline_store()),
    );
    repo.execute(
        "INSERT INTO stats (id, at, made, i8, f8, t) VALUES (1, '2026-01-10Z', '2026-01-11', 5, 0.5, 'older'), \
         (1, '2026-01-10Z', '2026-01-12', 6, 0.25, 'newer'), (2, '2026-01-20Z', '2026-01-11', 7, NULL, NULL)",
    );
    let rows = [(0, 1, 9), (1, 1, 10), (2, 1, 15), (3, 2, 30), (4, 3, 30), (5, 9, 30)];
    let days = rows.iter().map(|(_, _, day)| START + (day - 1) * 86_400 * SECOND);
    write(
        &repo.project,
        "entities.parquet",
        vec![
            ("row", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)))),
            ("id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
            ("event_timestamp", Arc::new(TimestampMicrosecondArray::from_iter_values(days).with_timezone("UTC"))),
        ],
    );
    repo.feastr(&["apply"]).ok();
    let names = ["b", "i2", "i4", "i8", "f8", "t", "v", "by", "d", "ts", "tz"];
    let features: Vec<String> = names.iter().map(|name| format!("in_table:{name}")).collect();
    let mut args = vec!["get-historical", "--entities", "entities.parquet", "--output", "joined.parquet", "--features"];
    args.extend(features.iter().map(String::as_str));
    repo.feastr(&args).ok();
    let steps = [
        json!({ "historical": { "entities": "entities.parquet", "features": features } }),
        // Read by Python as well, so that values are in one form.
        json!({ "read": { "path": "joined.parquet" } }),
    ];
    let answers = crate::interop::feast(&repo.project, &steps);
    let values = |answer: &Json| -> Vec<Vec<Json>> {
        let place = |name: &str| answer["names"].as_array().unwrap().iter().position(|known| known == name).unwrap();
        let places = names.map(place);
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|row| places.map(|place| row[place].clone()).into()).collect()
    };
    let [theirs, ours] = [&answers[0], &answers[1]].map(values);
    assert_eq!(ours, theirs);
    assert_eq!(theirs.len(), rows.len());
}

/// A row: key, event, creation, value; seconds.
type Row = (Option<i64>, Option<i64>, Option<i64>, i64);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    use proptest::option::weighted;
    let row = (weighted(0.9, 0..4_i64), weighted(0.95, -3..20_i64), weighted(0.8, -3..25_i64), 0..9_i64);
    proptest::collection::vec(row, 0..40)
}

#[test]
fn the_server_joins_as_feastr_does() {
    let definitions = |ttl: &str, created: &str| {
        format!(
            "entities:\n  - {{name: e, join_keys: [id], value_type: INT64}}\n  - {{name: other, join_keys: [other], value_type: \
             STRING}}\nfeature_views:\n  - {{name: v, entities: [e], ttl: {ttl}, schema: [{{name: value, dtype: Int64}}, \
             {{name: text, dtype: String}}], source: {{type: postgres, name: s, table: stats, timestamp_field: at, {created} \
             field_mapping: {{val: value}}}}}}\n  - {{name: all, entities: [], schema: [{{name: total, dtype: Int64}}], source: \
             {{type: postgres, name: a, query: 'SELECT day, val AS total FROM stats', timestamp_field: day}}}}\n  - {{name: w, \
             entities: [other], ttl: {ttl}, schema: [{{name: word, dtype: String}}], source: {{type: postgres, name: o, query: \
             'SELECT id::text AS other, local, text AS word FROM stats', timestamp_field: local}}}}\n"
        )
    };
    let repo = Repo::new(
        "CREATE TABLE stats (id int, at timestamptz, local timestamp, day date, made timestamptz, val bigint, text text)",
        &definitions("0s", ""),
    );
    let settings = repo.project.read("feature_store.yaml");
    let with = |mode: &str| {
        let store = repo.offline_store().replace('}', &format!(", entity_select_mode: {mode}}}"));
        settings.replace("offline_store:\n  type: duckdb\n", &format!("offline_store: {store}\n"))
    };
    let connection = RefCell::new(repo.server.postgres(&repo.database));
    let config = ProptestConfig {
        cases: 10,
        failure_persistence: None,
        rng_seed: crate::sources::seed(),
        ..ProptestConfig::default()
    };
    let asked = proptest::collection::vec(
        (proptest::option::weighted(0.9, 0..5_i64), proptest::option::weighted(0.95, -4..30_i64)),
        1..30,
    );
    proptest!(config, |(rows in rows(), asked in asked, has_created: bool, by_created: bool, ttl in prop_oneof![Just("0s"), Just("4s")])| {
        let mut connection = connection.borrow_mut();
        connection.batch_execute("TRUNCATE stats").unwrap();
        let insert = "INSERT INTO stats SELECT $1::bigint, t, t AT TIME ZONE 'UTC', (t + $2::bigint * interval '1 day')::date, \
                      timestamptz '2026-01-01Z' + $3::bigint * interval '1 second', $4::bigint, 'x' || ($4::bigint % 3) \
                      FROM (SELECT timestamptz '2026-01-01Z' + $2::bigint * interval '1 second' AS t) AS times";
        for (id, at, made, value) in &rows {
            connection.execute(insert, &[id, at, made, value]).unwrap();
        }
        repo.project.write("definitions.yaml", definitions(ttl, if has_created { "created_timestamp_column: made," } else { "" }));
        write(&repo.project, "asked.parquet", vec![
            ("id", Arc::new(Int64Array::from_iter(asked.iter().map(|row| row.0)))),
            ("other", Arc::new(StringArray::from_iter(asked.iter().map(|row| row.0.map(|id| id.to_string()))))),
            ("event_timestamp", Arc::new(TimestampMicrosecondArray::from_iter(asked.iter().map(|row| row.1.map(|at| START + at * SECOND))))),
        ]);
        let joined = |settings: String| {
            repo.project.write("feature_store.yaml", settings);
            repo.feastr(&["apply", "--yes"]).ok();
            let mut args = vec!["get-historical", "--entities", "asked.parquet", "--format", "csv", "--features", "v:text", "w:word", "all:total", "v:value"];
            if by_created {
                args.push("--filter-by-created-timestamp");
            }
            repo.feastr(&args).ok().stdout
        };
        // The one that has the rows of the tables, joined by feastr itself.
        repo.project.write("url", repo.url());
        let here = settings.clone();
        let reference = |text: String| text.replace("{type: postgres, name", "{type: postgres, connection_ref: {provider: env, name: SOURCES_URL}, name");
        let kept = repo.project.read("definitions.yaml");
        repo.project.write("definitions.yaml", reference(kept.clone()));
        let expected = joined(here);
        repo.project.write("definitions.yaml", kept);
        prop_assert_eq!(&joined(with("temp_table")), &expected);
        prop_assert_eq!(&joined(with("embed_query")), &expected);
    });
}

#[test]
fn views_over_tables_are_computed_whichever_store_joins() {
    let repo = of_few_rows("table: stats, connection_ref: {provider: env, name: SOURCES_URL}");
    repo.project.write(
        "batch.yaml",
        "batch_feature_views:\n  - name: totals\n    entities: [e]\n    source: s\n    schema: [{name: total, dtype: Int64}]\n    \
         aggregations: [{column: value, function: sum, name: total}]\n  - name: doubled\n    entities: [e]\n    source: s\n    \
         schema: [{name: twice, dtype: Int64}]\n    sql: SELECT id, \"at\", value * 2 AS twice FROM source\n",
    );
    // Queries see all rows, and this one has no time.
    repo.execute("DELETE FROM stats WHERE at = 'infinity'");
    let asked =
        ["get-historical", "--entities", "entities.csv", "--features", "totals:total", "doubled:twice", "v:value"];
    let found = || {
        repo.feastr(&["apply", "--yes"]).ok();
        repo.feastr(&[asked.as_slice(), &["--format", "csv"]].concat()).ok().stdout
    };
    let rows = found();
    let values: Vec<&str> = rows.lines().skip(1).filter_map(|line| line.splitn(3, ',').last()).collect();
    assert_eq!(values, ["5,10,5", "10,20,10", "25,40,20"], "{rows}");
    repo.project.edit(
        "feature_store.yaml",
        "offline_store:\n  type: duckdb\n",
        &format!("offline_store: {}\n", repo.offline_store()),
    );
    assert_eq!(found(), rows);
}

#[test]
fn who_may_create_nothing_can_join_on_the_server() {
    let repo = of_few_rows("query: SELECT * FROM stats WHERE value > 0");
    repo.execute(&format!(
        "CREATE ROLE reader_{0} LOGIN PASSWORD 'reader'; GRANT SELECT ON stats TO reader_{0}; REVOKE TEMPORARY ON DATABASE {0} \
         FROM PUBLIC",
        repo.database
    ));
    let settings = repo.project.read("feature_store.yaml");
    let as_reader = |mode: &str| {
        let store =
            repo.offline_store().replace(USER, &format!("reader_{}", repo.database)).replace(PASSWORD, "reader");
        let store = store.replace('}', &format!(", entity_select_mode: {mode}}}"));
        let changed = settings.replace("offline_store:\n  type: duckdb\n", &format!("offline_store: {store}\n"));
        repo.project.write("feature_store.yaml", changed);
        repo.feastr(&["apply"]).ok();
        repo.feastr(&HISTORICAL)
    };
    let rows = as_reader("embed_query").ok().stdout;
    let values: Vec<&str> = rows.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(values, ["5", "10", "20"], "{rows}");
    let explained = repo.feastr(&[HISTORICAL.as_slice(), &["--explain"]].concat()).ok();
    assert!((explained.stdout + &explained.stderr).contains("LEFT JOIN (SELECT w0.n"));
    let error = as_reader("temp_table").failed().stderr;
    assert!(error.contains("permission denied to create temporary tables"), "{error}");
    assert!(error.contains("entity_select_mode: embed_query"), "{error}");
}
