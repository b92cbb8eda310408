//! Tables of PostgreSQL, on a real server.

use std::{fs::File, process::Stdio, sync::Arc, thread::sleep, time::Duration};

use arrow::{
    array::{
        Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
        Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray, ListBuilder, RecordBatch,
        StringArray, StringBuilder, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
        TimestampNanosecondArray, UInt32Array, UInt64Array,
    },
    datatypes::{DataType, Field, Float64Type, Int32Type},
};
use parquet::arrow::ArrowWriter;

use super::{CITIES, RETRIEVAL, applied_with, folders::many_rows, run};
use crate::{
    killer::Killer,
    servers::{Kind, PASSWORD, PASSWORD_IN_URL, Server, USER, free_port, shared},
};

/// A database of its own.
struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    fn new() -> Self {
        let server = shared(Kind::Postgres);
        Self { server, name: server.create_database() }
    }

    fn table(&self, name: &str) -> String {
        format!("{}#{name}", self.server.url(&self.name))
    }

    fn execute(&self, sql: &str) {
        self.server.execute(&self.name, sql);
    }

    /// The rows of a query of texts.
    fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.server.postgres(&self.name).query(sql, &[]).unwrap();
        rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_else(|| "NULL".to_owned())).collect()
    }

    fn tables(&self) -> Vec<String> {
        self.texts("SELECT relname :: text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname IN ('public', 'mart') ORDER BY 1")
    }
}

#[test]
fn a_table_is_made_filled_and_filled_again() {
    let (project, database) = (applied_with(CITIES), Database::new());
    database.execute("CREATE SCHEMA mart");
    let said = run(&project, &["-o", &database.table("mart.Training set")]).ok().stderr;
    let shown = format!("postgresql://{USER}@127.0.0.1:{}/{}#mart.Training set", database.server.port, database.name);
    assert!(said.contains(&format!("Wrote 5 rows to {shown}")) && !said.contains(PASSWORD), "{said}");
    let rows = "SELECT concat_ws('|', driver_id, event_timestamp AT TIME ZONE 'UTC', city, day, conv_rate, avg_daily_trips) \
                FROM mart.\"Training set\" ORDER BY ctid";
    let lines = run(&project, &["--format", "jsonl"]).ok().stdout;
    let expected: Vec<String> = lines
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let values = row.as_object().unwrap().values().filter(|value| !value.is_null());
            let values = values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            let row = values.collect::<Vec<_>>().join("|");
            row.replace("-30T", "-30 ").replace("-31T", "-31 ").replace('Z', "")
        })
        .collect();
    assert_eq!(database.texts(rows), expected);
    run(&project, &["-o", &database.table("mart.Training set"), "--limit", "2"]).ok();
    assert_eq!(database.texts(rows).len(), 7);
    // Columns that are there besides are none of our business; names without a schema follow the search path.
    database.execute(
        "CREATE TABLE t (id serial, city varchar(20), driver_id int8 NOT NULL, event_timestamp timestamptz, \
         day text, conv_rate real, avg_daily_trips bigint)",
    );
    let kinds = "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attnum > 0 AND attrelid = 'mart.\"Training set\"' :: regclass ORDER BY attnum";
    let kinds = database.texts(kinds);
    assert_eq!(kinds[..3], ["bigint", "timestamp with time zone", "text"], "{kinds:?}");
    run(&project, &["-o", &database.table("t")]).ok();
    assert_eq!(database.texts("SELECT id :: text FROM t ORDER BY id"), ["1", "2", "3", "4", "5"]);
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let (project, database) = (applied_with(CITIES), Database::new());
    database.execute("CREATE TABLE few (driver_id bigint)");
    database.execute(
        "CREATE TABLE other (driver_id text, event_timestamp timestamptz, city text, day text, conv_rate real, \
         avg_daily_trips bigint)",
    );
    database.execute(
        "CREATE TABLE strict (driver_id bigint CHECK (driver_id < 9999), event_timestamp timestamptz, city text, \
         day text, conv_rate real, avg_daily_trips bigint)",
    );
    for (table, why) in [
        ("few", "has no column `event_timestamp`"),
        ("other", "is of type text, and the result has bigint"),
        ("strict", "violates check constraint"),
        ("nowhere.t", "schema \"nowhere\" does not exist"),
    ] {
        let refused = run(&project, &["-o", &database.table(table)]).failed().stderr;
        assert!(refused.contains(why) && !refused.contains(PASSWORD), "{table}: {refused}");
    }
    assert_eq!(database.tables(), ["few", "other", "strict"]);
    assert_eq!(database.texts("SELECT city FROM strict UNION ALL SELECT city FROM other"), [""; 0]);
    // Found in the middle of the rows, when the table was made already.
    let row =
        |note: &str| format!("{{\"driver_id\": 1001, \"event_timestamp\": \"2026-10-30\", \"note\": \"{note}\"}}\n");
    project.write("rows.jsonl", row("fine") + &row("a\\u0000b"));
    let refused = run(&project, &["-o", &database.table("new")]).failed().stderr;
    assert!(refused.contains("row 2, column `note`: the text holds a zero byte"), "{refused}");
    assert_eq!(database.tables(), ["few", "other", "strict"]);
    for (args, why) in [
        (&["--partition-by", "note"][..], "a table is no folder"),
        (&["--format", "csv"], "a table has no format of files"),
        (&["--compression", "zstd"], "--compression is for parquet"),
    ] {
        let refused = run(&project, &[&["-o", &database.table("new")], args].concat()).failed().stderr;
        assert!(refused.contains(why) && !refused.contains(PASSWORD_IN_URL), "{refused}");
    }
}

#[test]
fn a_server_that_does_not_let_us_in_is_told_without_passwords() {
    let (project, database) = (applied_with(CITIES), Database::new());
    let url = database.table("t");
    for (url, why) in [
        (url.replace(PASSWORD_IN_URL, "wr0ng"), "the password of `feast` is wrong for the output database"),
        (url.replace(&format!(":{}/", database.server.port), &format!(":{}/", free_port())), "no server answers"),
        (url.replace(&database.name, "nothing"), "there is no database `nothing`"),
        (url.replace("#t", ""), "the URL names no table"),
        (url.replace("#t", "?sslmod=require#t"), "`sslmod` is not an option"),
    ] {
        let refused = run(&project, &["-o", &url]).failed().stderr;
        assert!(refused.contains(why), "{refused}");
        assert!(!["wr0ng", PASSWORD, PASSWORD_IN_URL].iter().any(|secret| refused.contains(secret)), "{refused}");
    }
}

#[test]
fn a_run_that_is_killed_leaves_no_table() {
    let (project, database) = (applied_with(&many_rows(20_000)), Database::new());
    let table = database.table("t");
    let args = [&RETRIEVAL[..], &["-o", &table]].concat();
    let mut killer = Killer::new(&project, &args);
    let all = || database.texts("SELECT count(*) :: text FROM t");
    assert_eq!(all(), ["20000"]);
    while killer.cut_off < 8 {
        database.execute("DROP TABLE IF EXISTS t");
        killer.kill(&mut project.command(&args));
        if !database.tables().is_empty() {
            assert_eq!(all(), ["20000"]);
        }
    }
}

#[test]
fn a_server_that_goes_away_has_no_table_afterwards() {
    let project = applied_with(&many_rows(300_000));
    let mut server = Server::start(Kind::Postgres);
    let name = server.create_database();
    let output = format!("{}#t", server.url(&name));
    let child = project.command(&[&RETRIEVAL[..], &["-o", &output]].concat()).stderr(Stdio::piped()).spawn().unwrap();
    let mut observer = server.postgres(&name);
    let copying = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY %' AND state = 'active'";
    while observer.query_one(copying, &[]).unwrap().get::<_, i64>(0) == 0 {
        sleep(Duration::from_millis(1));
    }
    server.kill();
    let said = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the output database postgresql://feast@127.0.0.1"), "{stderr}");
    assert!(stderr.contains("nothing was written; run it again") && !stderr.contains(PASSWORD_IN_URL), "{stderr}");
    server.restart();
    let tables = "SELECT count(*) FROM pg_class WHERE relname = 't'";
    assert_eq!(server.postgres(&name).query_one(tables, &[]).unwrap().get::<_, i64>(0), 0);
}

/// Lists of texts, some of them null, with nulls in them or empty.
fn lists_of_texts() -> ListArray {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a \"b\""), None, Some("{,}")]);
    lists.append_value([None::<&str>; 0]);
    lists.append_null();
    lists.finish()
}

/// Values of all types that Arrow and PostgreSQL have: ordinary ones, extreme ones, null.
fn all_types() -> Vec<(&'static str, ArrayRef, [&'static str; 2])> {
    let inner = Arc::new(Float64Array::from(vec![Some(1.5), None, Some(2.0)])) as ArrayRef;
    let members = StructArray::from(vec![(Arc::new(Field::new("m", DataType::Float64, true)), inner)]);
    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let nested = StructArray::from(vec![(
        Arc::new(Field::new("l", nested.data_type().clone(), true)),
        Arc::new(nested) as ArrayRef,
    )]);
    let floats = [Some(vec![Some(1.5), None]), Some(vec![Some(f64::NAN)]), None];
    vec![
        ("i8", Arc::new(Int8Array::from(vec![Some(-1), Some(i8::MIN), None])), ["-1", "-128"]),
        ("i16", Arc::new(Int16Array::from(vec![Some(-1), Some(i16::MAX), None])), ["-1", "32767"]),
        ("i32", Arc::new(Int32Array::from(vec![Some(7), Some(i32::MIN), None])), ["7", "-2147483648"]),
        ("i64", Arc::new(Int64Array::from(vec![Some(7), Some(i64::MIN), None])), ["7", "-9223372036854775808"]),
        ("u32", Arc::new(UInt32Array::from(vec![Some(7), Some(u32::MAX), None])), ["7", "4294967295"]),
        ("u64", Arc::new(UInt64Array::from(vec![Some(7), Some(u64::MAX), None])), ["7", "18446744073709551615"]),
        ("f32", Arc::new(Float32Array::from(vec![Some(0.1), Some(f32::NAN), None])), ["0.1", "NaN"]),
        ("f64", Arc::new(Float64Array::from(vec![Some(-0.1), Some(f64::INFINITY), None])), ["-0.1", "Infinity"]),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])), ["true", "false"]),
        ("s", Arc::new(StringArray::from(vec![Some("ü'\\\n"), Some(""), None])), ["ü'\\\n", ""]),
        ("x", Arc::new(BinaryArray::from(vec![Some(&b"\0\xff"[..]), Some(b""), None])), ["\\x00ff", "\\x"]),
        (
            "fx",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some([1_u8, 2]), Some([3, 4]), None].into_iter(),
                    2,
                )
                .unwrap(),
            ),
            ["\\x0102", "\\x0304"],
        ),
        ("d", Arc::new(Date32Array::from(vec![Some(19_723), Some(-1), None])), ["2024-01-01", "1969-12-31"]),
        (
            "ti",
            Arc::new(Time64MicrosecondArray::from(vec![Some(1), Some(86_399_999_999), None])),
            ["00:00:00.000001", "23:59:59.999999"],
        ),
        (
            "tz",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), Some(-62_135_596_800_000_000), None])
                    .with_timezone("UTC"),
            ),
            ["1970-01-01 00:00:00.000001+00", "0001-01-01 00:00:00+00"],
        ),
        (
            "tn",
            Arc::new(TimestampNanosecondArray::from(vec![Some(1_500), Some(1_704_067_200_000_000_000), None])),
            ["1970-01-01 00:00:00.000001", "2024-01-01 00:00:00"],
        ),
        (
            "dec",
            Arc::new(
                Decimal128Array::from(vec![Some(-123_450), Some(10_000), None])
                    .with_precision_and_scale(20, 4)
                    .unwrap(),
            ),
            ["-12.3450", "1.0000"],
        ),
        ("ls", Arc::new(lists_of_texts()), ["{\"a \\\"b\\\"\",NULL,\"{,}\"}", "{}"]),
        ("lf", Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(floats)), ["{1.5,NULL}", "{NaN}"]),
        ("st", Arc::new(members), ["{\"m\": 1.5}", "{\"m\": null}"]),
        ("ne", Arc::new(nested), ["{\"l\": [1, null]}", "{\"l\": null}"]),
    ]
}

#[test]
fn every_type_arrives_as_it_is() {
    let (project, database) = (applied_with(""), Database::new());
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("driver_id", Arc::new(Int64Array::from(vec![1001, 1002, 1003]))),
        ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(vec![1_793_000_000_000_000; 3]))),
    ];
    columns.extend(all_types().into_iter().map(|(name, array, _)| (name, array)));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(project.path("rows.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let args = ["get-historical", "--entities", "rows.parquet", "--features", "driver_hourly_stats:conv_rate", "-o"];
    project.feastr(&[&args[..], &[&database.table("t")]].concat()).ok();
    for (name, _, [first, second]) in all_types() {
        let found = database.texts(&format!("SELECT \"{name}\" :: text FROM t ORDER BY driver_id"));
        let third = if ["st", "ne"].contains(&name) { found[2].as_str() } else { "NULL" };
        assert_eq!(found, [first, second, third], "{name}");
    }
    // The table that feastr makes is one that it takes.
    project.feastr(&[&args[..], &[&database.table("t")]].concat()).ok();
    assert_eq!(database.texts("SELECT count(*) :: text FROM t"), ["6"]);
}

#[test]
fn times_that_postgres_has_not_are_refused() {
    let (project, database) = (applied_with(""), Database::new());
    let batch = RecordBatch::try_from_iter([
        ("driver_id", Arc::new(Int64Array::from(vec![1001])) as ArrayRef),
        ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(vec![0]))),
        ("t", Arc::new(TimestampMicrosecondArray::from(vec![i64::MIN]))),
    ]);
    let batch = batch.unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(project.path("rows.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let args = ["get-historical", "--entities", "rows.parquet", "--features", "driver_hourly_stats:conv_rate", "-o"];
    let refused = project.feastr(&[&args[..], &[&database.table("t")]].concat()).failed().stderr;
    assert!(refused.contains("row 1, column `t`: the time is out of the range of PostgreSQL"), "{refused}");
    assert_eq!(database.tables(), [""; 0]);
}
