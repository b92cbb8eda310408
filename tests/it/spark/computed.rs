//! On-demand features of results that a cluster writes: it computes them, and their values are those that DuckDB computes.

use std::{fs, iter, sync::Arc};

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};

use super::same::{Numbers, OWN, by, repo_of, write};
use crate::support::Project;

/// Each of the values with a floating point stands beside each.
const ROWS: usize = 324;

/// What fails for no row.
const ALIKE: [(&str, &str); 97] = [
    ("Float32", "f + f2"),
    ("Float32", "f - f2"),
    ("Float32", "f * f2"),
    ("Float32", "f / f2"),
    ("Float64", "d + d2"),
    ("Float64", "d - d2"),
    ("Float64", "d * d2"),
    ("Float64", "d / d2"),
    ("Float64", "f / d"),
    ("Float64", "i / i2"),
    ("Float64", "l / i"),
    ("Float32", "l / f"),
    ("Float32", "f * 1.5 + 2"),
    ("Float64", "d * 0.1 - 1e-3"),
    ("Float64", "-d"),
    ("Bool", "sqrt(d) > 1"),
    ("Bool", "f - f2 < d"),
    ("Bool", "-(d - d2) >= 0"),
    ("Bool", "d * d2 = d2 * d"),
    ("Float64", "greatest(d * d2, 1e0)"),
    ("Float32", "-f"),
    ("Bool", "i < l"),
    ("Bool", "i = f"),
    ("Bool", "l >= f"),
    ("Bool", "l = d"),
    ("Bool", "f = d"),
    ("Bool", "d <> d2"),
    ("Bool", "d > d2"),
    ("Bool", "d / d2 > f"),
    ("Bool", "s < s2"),
    ("Bool", "s = s2"),
    ("Bool", "b = b2"),
    ("Bool", "t <= t2"),
    ("Bool", "d IS DISTINCT FROM d2"),
    ("Bool", "i IS NOT DISTINCT FROM i2"),
    ("Bool", "s IS NULL"),
    ("Bool", "f IS NOT NULL"),
    ("Bool", "b AND b2"),
    ("Bool", "b OR b2"),
    ("Bool", "NOT b"),
    ("Bool", "b IS TRUE"),
    ("Bool", "b IS NOT FALSE"),
    ("Bool", "i BETWEEN i2 AND 7"),
    ("Bool", "d NOT BETWEEN -1 AND 2.5"),
    ("Bool", "i IN (1, i2, 7)"),
    ("Bool", "s NOT IN ('a', s2)"),
    ("Bool", "s LIKE 'a%'"),
    ("Bool", "s NOT LIKE '%_b%'"),
    ("Int64", "i"),
    ("Int64", "i::BIGINT"),
    ("Float32", "l::REAL"),
    ("Float64", "l::DOUBLE"),
    ("Float64", "f"),
    ("String", "l::VARCHAR"),
    ("String", "b::VARCHAR"),
    ("Int32", "b::INT"),
    ("Bool", "i::BOOLEAN"),
    ("Float64", "abs(d)"),
    ("Float32", "abs(f)"),
    ("Float64", "round(d)"),
    ("Float32", "round(f)"),
    ("Float64", "floor(d)"),
    ("Float64", "ceil(d)"),
    ("Float64", "sqrt(d)"),
    ("Float64", "sqrt(f)"),
    ("Float64", "sqrt(l)"),
    ("Bool", "isnan(d / d2)"),
    ("Bool", "isinf(f / f2)"),
    ("Bool", "isfinite(d / d2)"),
    ("Float64", "greatest(d, f, i)"),
    ("Int64", "least(i, l)"),
    ("Float32", "coalesce(f, l)"),
    ("Int32", "ifnull(i, 5)"),
    ("Float64", "nullif(d, d2)"),
    ("Int32", "if(b, i, i2)"),
    ("Int32", "CASE WHEN i > 1 THEN i WHEN b THEN 0 END"),
    ("String", "CASE i WHEN i2 THEN 'same' WHEN 7 THEN s ELSE 'other' END"),
    ("Int64", "length(s)"),
    ("String", "concat(s, s2, '!')"),
    ("String", "s || '-' || s2"),
    ("Bool", "contains(s, s2)"),
    ("Bool", "starts_with(s, s2)"),
    ("Bool", "ends_with(s, s2)"),
    ("String", "replace(s, 'a', s2)"),
    ("String", "trim(s)"),
    ("String", "ltrim(s) || rtrim(s2)"),
    ("String", "left(s, 1)"),
    ("String", "substring(s, 2) || substr(s2, 1, 2)"),
    ("Int64", "year(t)"),
    ("Int64", "month(t)"),
    ("Int64", "day(t)"),
    ("Int64", "EXTRACT(hour FROM t)"),
    ("Int64", "minute(t)"),
    ("Int64", "second(t)"),
    ("Int64", "dayofweek(t)"),
    ("Int64", "epoch_us(t)"),
    ("Float64", "bonus * 2 + coalesce(d, 0)"),
];

/// What fails for some rows, and when it does: that is left out for the comparison of values.
const FAILING: [(&str, &str, &str); 18] = [
    ("Int32", "i + i2", "abs(i::DOUBLE + i2) > 2147483647"),
    ("Int32", "i - i2", "abs(i::DOUBLE - i2) > 2147483647"),
    ("Int32", "i * i2", "abs(i::DOUBLE * i2) > 2147483647"),
    ("Int64", "l + l2", "abs(l::DOUBLE + l2) > 9e18"),
    ("Int64", "l - l2", "abs(l::DOUBLE - l2) > 9e18"),
    ("Int64", "l * l2", "abs(l::DOUBLE * l2) > 9e18"),
    ("Int32", "i // i2", "i2 = 0 OR (i2 = -1 AND i < -2147483647)"),
    ("Int64", "l // l2", "l2 = 0 OR (l2 = -1 AND l < -9223372036854775807)"),
    ("Int32", "i % i2", "i2 = 0 OR i2 = -1"),
    ("Int64", "l % l2", "l2 = 0 OR l2 = -1"),
    ("Int32", "-i", "i < -2147483647"),
    ("Int64", "abs(l)", "l < -9223372036854775807"),
    ("Int32", "l::INT", "abs(l::DOUBLE) > 2147483647"),
    ("Int32", "d::INT", "NOT abs(d) < 2147483647e0"),
    ("Int64", "d::BIGINT", "NOT abs(d) < 9223372036854775000e0"),
    ("Int32", "f::INT", "NOT abs(f) < 2147483e0"),
    ("Float32", "d::REAL", "abs(d) > 3.4e38 AND isfinite(d)"),
    ("Float32", "d", "abs(d) > 3.4e38 AND isfinite(d)"),
];

/// Rows of such values as differ, if some do.
fn values(project: &Project) {
    let mut numbers = Numbers(17);
    let mut pick = |count: usize| -> Vec<usize> { (0..ROWS).map(|_| numbers.below(count as u64) as usize).collect() };
    // Of two columns with so many values every pair.
    let pairs = |number: usize, count: usize| (0..ROWS).map(move |row| row / count.pow(number as u32) % count);
    let small =
        [Some(0), Some(1), Some(-1), Some(7), Some(-7), Some(i32::MAX), Some(i32::MIN), None, Some(1 << 24 | 1)];
    let large =
        [Some(0), Some(1), Some(-1), Some(3), Some(i64::MAX), Some(i64::MIN), None, Some(1 << 53 | 1), Some(-5)];
    let half = [0.0, -0.0, 1.5, 0.1, 3.4e38, f32::INFINITY, -f32::INFINITY, f32::NAN, 1e-45, -2.5, 16_777_216.0];
    let full = [0.0, -0.0, 2.5, -2.5, 3.5, 0.499_999_999_999_999_94, 1e308, 4_503_599_627_370_497.5, f64::NAN, 5e-324];
    let full: Vec<f64> =
        full.into_iter().chain([f64::INFINITY, f64::NEG_INFINITY, 1e39, 2_147_483_647.5, 0.1]).collect();
    let full: Vec<f64> = full.into_iter().chain([9_223_372_036_854_775_808.0, -0.4]).collect();
    let words =
        [Some(""), Some("a"), Some("aé"), Some(" b "), Some("ABC"), Some("x\ty"), None, Some("a%"), Some("😀b")];
    let moments = [Some(-500_000), Some(1_709_210_096_789_012), None, Some(-62_135_596_800_000_000), Some(0)];
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for (number, name) in ["i", "i2"].into_iter().enumerate() {
        columns.push((name, Arc::new(pairs(number, small.len()).map(|at| small[at]).collect::<Int32Array>())));
    }
    for (number, name) in ["l", "l2"].into_iter().enumerate() {
        columns.push((name, Arc::new(pairs(number, large.len()).map(|at| large[at]).collect::<Int64Array>())));
    }
    for (number, name) in ["f", "f2"].into_iter().enumerate() {
        let values = pairs(number, half.len() + 1).map(|at| half.get(at).copied());
        columns.push((name, Arc::new(values.collect::<Float32Array>())));
    }
    for (number, name) in ["d", "d2"].into_iter().enumerate() {
        let values = pairs(number, full.len() + 1).map(|at| full.get(at).copied());
        columns.push((name, Arc::new(values.collect::<Float64Array>())));
    }
    for name in ["s", "s2"] {
        columns.push((name, Arc::new(pick(words.len()).into_iter().map(|at| words[at]).collect::<StringArray>())));
    }
    for name in ["b", "b2"] {
        let values = pick(3).into_iter().map(|at| [Some(true), Some(false), None][at]);
        columns.push((name, Arc::new(values.collect::<BooleanArray>())));
    }
    for name in ["t", "t2"] {
        let values = pick(moments.len()).into_iter().map(|at| moments[at]).collect::<TimestampMicrosecondArray>();
        columns.push((name, Arc::new(values.with_timezone("UTC"))));
    }
    let ids: ArrayRef = Arc::new((0..ROWS as i64).map(Some).collect::<Int64Array>());
    let at = |micros: i64| -> ArrayRef {
        let times = iter::repeat_n(Some(micros), ROWS).collect::<TimestampMicrosecondArray>();
        Arc::new(times.with_timezone("UTC"))
    };
    columns.extend([("id", Arc::clone(&ids)), ("at", at(1_700_000_000_000_000))]);
    write(project, "data/values.parquet", columns);
    let bonus = (0..ROWS as i64).map(|row| (row % 3 > 0).then_some(row)).collect::<Int64Array>();
    let rows =
        vec![("id", ids), ("event_timestamp", at(1_800_000_000_000_000)), ("bonus", Arc::new(bonus) as ArrayRef)];
    write(project, "rows.parquet", rows);
}

/// A repo whose view `computed` has these outputs: `c0`, ….
fn repo<'a>(outputs: impl Iterator<Item = (&'a str, String)>) -> Project {
    let outputs = outputs
        .enumerate()
        .map(|(number, (dtype, sql))| format!("      - {{name: c{number}, dtype: {dtype}, sql: \"{sql}\"}}\n"));
    let fields = [("i", "Int32"), ("l", "Int64"), ("f", "Float32"), ("d", "Float64"), ("s", "String"), ("b", "Bool")];
    let fields = fields.into_iter().chain([("t", "UnixTimestamp")]);
    let schema: Vec<String> = fields
        .flat_map(|(name, dtype)| ["", "2"].map(|end| format!("{{name: {name}{end}, dtype: {dtype}}}")))
        .collect();
    let project = repo_of(&format!(
        "entities: [{{name: thing, join_keys: [id], value_type: INT64}}]\n\
         data_sources:\n  - {{name: asked, type: request, schema: [{{name: bonus, dtype: Float64}}, {{name: times, dtype: Int64}}, \
         {{name: flag, dtype: Bool}}, {{name: since, dtype: UnixTimestamp}}, {{name: word, dtype: String}}]}}\n\
         feature_views:\n  - name: values\n    entities: [thing]\n    ttl: 0\n    schema: [{}]\n    \
         source: {{type: file, path: data/values.parquet, timestamp_field: at}}\n\
         on_demand_feature_views:\n  - name: computed\n    sources: [values, asked]\n    schema:\n{}",
        schema.join(", "),
        outputs.collect::<String>()
    ));
    values(&project);
    project.feastr(&["apply", "--yes"]).ok();
    project
}

fn features(count: usize) -> String {
    (0..count).map(|number| format!("computed:c{number}")).collect::<Vec<_>>().join(",")
}

/// The rows of files, sorted; a zero has no sign.
fn rows(project: &Project, files: &str) -> Vec<String> {
    let sql =
        format!("SELECT * EXCLUDE (i, i2, l, l2, f, f2, d, d2, s, s2, b, b2, t, t2) FROM read_parquet('{files}')");
    let read = ["get-historical", "--entity-sql", &sql, "--features", "values:i", "--format", "jsonl"];
    let told = by(project, OWN, &read).ok().stdout.replace("-0.0", "0.0");
    let mut rows: Vec<String> = told.lines().map(str::to_owned).collect();
    rows.sort_unstable();
    rows
}

/// Has a cluster and DuckDB compute outputs, and compares their values column by column.
fn compare(project: &Project, server: &str, count: usize) {
    let features = features(count);
    let join = ["get-historical", "--entities", "rows.parquet", "--features", &features, "-o"];
    let folder = format!("{}/", project.path(&format!("results-{server}")).display());
    by(project, server, &[&join[..], &[&folder]].concat()).ok();
    by(project, OWN, &[&join[..], &["own.parquet"]].concat()).ok();
    let (theirs, ours) = (rows(project, &format!("results-{server}/*.parquet")), rows(project, "own.parquet"));
    assert_eq!(ours.len(), ROWS);
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let [theirs, ours]: [serde_json::Value; 2] = [theirs, ours].map(|row| serde_json::from_str(row).unwrap());
        for (name, value) in ours.as_object().unwrap() {
            assert_eq!(&theirs[name], value, "{name} of row {} by {server}", ours["id"]);
        }
    }
    assert_eq!(theirs, ours);
}

#[test]
fn what_a_cluster_computes_is_what_is_computed_here() {
    // Of what fails for some rows, the others are compared.
    let tame = FAILING.iter().map(|(dtype, sql, fails)| (*dtype, format!("CASE WHEN NOT ({fails}) THEN {sql} END")));
    let project = repo(ALIKE.iter().map(|(dtype, sql)| (*dtype, (*sql).to_owned())).chain(tame));
    for server in ["sail", "spark"] {
        compare(&project, server, ALIKE.len() + FAILING.len());
    }
}

#[test]
fn what_cannot_be_computed_fails_there_as_well() {
    let project = repo(FAILING.iter().map(|(dtype, sql, _)| (*dtype, (*sql).to_owned())));
    let fails = |server: &str, number: usize| {
        let feature = format!("computed:c{number}");
        let folder = format!("{}/", project.path("result").display());
        let output = match server {
            OWN => "own.parquet",
            _ => &folder,
        };
        let join = ["get-historical", "--entities", "rows.parquet", "--features", &feature, "-o", output];
        let told = by(&project, server, &join).failed();
        assert!(!fs::exists(project.path("result")).unwrap(), "{server}: {}", told.stderr);
    };
    for number in 0..FAILING.len() {
        fails(OWN, number);
        fails("sail", number);
    }
    // Whole numbers, division, and the casts that Spark makes in another way.
    for number in [0, 6, 14, 16] {
        fails("spark", number);
    }
}

#[test]
fn texts_of_entity_rows_are_what_fields_of_requests_are() {
    let outputs = [
        ("Float64", "bonus * 2"),
        ("Int64", "times + 1"),
        ("Bool", "NOT flag"),
        ("Int64", "epoch_us(since)"),
        ("Int64", "length(word)"),
        ("Float64", "d"),
    ];
    let project = repo(outputs.iter().map(|(dtype, sql)| (*dtype, (*sql).to_owned())));
    let (head, at) = ("id,event_timestamp,bonus,times,flag,since,word\n", "2026-12-01T00:00:00Z");
    let rows = [
        "1.5,7,true,2024-02-29,a",
        "-.5,+7,FALSE,2024-02-29 12:30:00,aé",
        "1e3, 5 ,True,2024-02-29T12:30:00.5Z,\" \"",
        "12,-9223372036854775808,false,1969-12-31T23:59:59.999999Z,ABC",
    ];
    let rows: String = rows.iter().enumerate().map(|(id, row)| format!("{id},{at},{row}\n")).collect();
    project.write("rows.csv", format!("{head}{rows}"));
    let features = features(outputs.len());
    let join = ["get-historical", "--entities", "rows.csv", "--features", &features, "-o"];
    let computed = |files: &str| {
        let columns: Vec<String> = (0..outputs.len()).map(|number| format!("c{number}")).collect();
        let sql = format!("SELECT id, event_timestamp, {} FROM read_parquet('{files}')", columns.join(", "));
        let read = ["get-historical", "--entity-sql", &sql, "--features", "values:i", "--format", "jsonl"];
        let told = by(&project, OWN, &read).ok().stdout.replace("-0.0", "0.0");
        let mut rows: Vec<String> = told.lines().map(str::to_owned).collect();
        rows.sort_unstable();
        rows
    };
    by(&project, OWN, &[&join[..], &["own.parquet"]].concat()).ok();
    let ours = computed("own.parquet");
    assert!(ours.iter().any(|row| row.contains("2000.0")) && ours.len() == 4, "{ours:?}");
    for server in ["sail", "spark"] {
        let folder = format!("{}/", project.path(&format!("results-{server}")).display());
        by(&project, server, &[&join[..], &[&folder]].concat()).ok();
        assert_eq!(computed(&format!("results-{server}/*.parquet")), ours, "{server}");
    }
    let folder = format!("{}/", project.path("result").display());
    for odd in [
        "1.5x,7,true,2024-02-29,a",
        "1.5,7.5,true,2024-02-29,a",
        "1.5,7,perhaps,2024-02-29,a",
        "1,7,true,soon,a",
        "1,7,true,2024-02-29T12:30:00+02:00,a",
    ] {
        project.write("rows.csv", format!("{head}1,{at},{odd}\n"));
        let told = by(&project, "sail", &[&join[..], &[&folder]].concat()).failed().stderr;
        assert!(told.contains("not as expected"), "{odd}: {told}");
    }
}
