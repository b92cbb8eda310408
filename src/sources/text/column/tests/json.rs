use serde_json::value::RawValue;

use super::{column, shown};

fn from_json(declared: &str, json: &str) -> Result<String, String> {
    let mut column = column(declared);
    let json: &RawValue = serde_json::from_str(json).unwrap();
    column.push_json(json).map_err(|unfit| unfit.to_string())?;
    Ok(shown(&column.finish()))
}

#[test]
fn values_of_json() {
    for (declared, json, value) in [
        ("Int64", "9007199254740993", "9007199254740993"),
        ("Int64", "1.0", "1"),
        ("Int32", "-2e1", "-20"),
        ("Float64", "1", "1.0"),
        ("Float32", "0.1", "0.1"),
        ("Float64", "\"NaN\"", "NaN"),
        ("Float64", "\"-Infinity\"", "-inf"),
        ("Float32", "\"inf\"", "inf"),
        ("Bool", "true", "true"),
        ("Decimal", "1.10", "1.10"),
        ("Decimal", "123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        ("Decimal", "\" 1.10\"", "1.10"),
        ("Decimal", "\"\"", "null"),
        ("Uuid", "\"67e55044-10b1-426f-9247-bb680e5fe0c8\"", "67e55044-10b1-426f-9247-bb680e5fe0c8"),
        ("Bytes", "\"base64:/w==\"", "ff"),
        ("Bytes", "\"\"", "null"),
        ("String", "\"a\\u00e9\\n\"", "aé\n"),
        ("String", "\"\"", ""),
        ("String", "\"null\"", "null"),
        ("String", "1.50", "1.50"),
        ("String", "{\"a\": 1}", "{\"a\": 1}"),
        ("Json", "{\"a\" : [1.10]}", "{\"a\" : [1.10]}"),
        ("Json", "\"{\\\"a\\\": 1}\"", "{\"a\": 1}"),
        ("Json", "true", "true"),
        ("Map", "{\"a\" : 1}", "{\"a\" : 1}"),
        ("Map", "\"{}\"", "{}"),
        ("UnixTimestamp", "1700000000", "2023-11-14T22:13:20Z"),
        ("UnixTimestamp", "\"2026-01-01\"", "2026-01-01T00:00:00Z"),
        ("UnixTimestamp", "\"\"", "null"),
        ("Array(Float32)", "[1, 2.5, \"NaN\"]", "[1.0, 2.5, NaN]"),
        ("Array(Int64)", "\"[1]\"", "[1]"),
        ("Array(Array(Int64))", "[[1], null, []]", "[[1], null, []]"),
        ("Struct(a: Array(Bool))", "\"{\\\"a\\\": [true]}\"", "{a: [true]}"),
    ] {
        assert_eq!(from_json(declared, json).as_deref(), Ok(value), "{declared} {json}");
    }
    for declared in ["Int64", "Float32", "Bool", "String", "Json", "Map", "Bytes", "Array(Int64)", "Struct(a: Int64)"] {
        assert_eq!(from_json(declared, "null").as_deref(), Ok("null"), "{declared}");
    }
}

#[test]
fn values_of_json_that_do_not_fit() {
    for (declared, json) in [
        ("Int64", "\"1\""),
        ("Int64", "1.5"),
        ("Int64", "true"),
        ("Int32", "2147483648"),
        ("Float64", "\"1\""),
        ("Float64", "\"\""),
        ("Float64", "1e999"),
        ("Float64", "[]"),
        ("Bool", "1"),
        ("Bool", "\"true\""),
        ("String", "\"\\ud800\""),
        ("Json", "\"abc\""),
        ("Map", "[]"),
        ("Map", "\"[]\""),
        ("Map", "1"),
        ("Uuid", "1"),
        ("Bytes", "1"),
        ("Decimal", "true"),
        ("UnixTimestamp", "\"1700000000\""),
        ("UnixTimestamp", "true"),
        ("Array(Int64)", "{}"),
        ("Array(Int64)", "\"{}\""),
        ("Array(Int64)", "\"\""),
        ("Struct(a: Int64)", "[]"),
        ("Struct(a: Int64, b: Struct(c: Bool))", "{\"a\": 1, \"b\": {\"c\": 0}}"),
    ] {
        assert!(from_json(declared, json).is_err(), "{declared} {json}");
    }
    assert_eq!(from_json("Int64", "\"1\""), Err("`\"1\"` is not an Int64".to_owned()));
}
