use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
    util::display::{ArrayFormatter, FormatOptions},
};
use serde_json::value::RawValue;

use super::*;
use crate::{feast::values::encode::carrier, sources::text::TimeFormat};

mod json;

fn column(declared: &str) -> TextColumn {
    TextColumn::value(&declared.parse().unwrap(), &TextRules::default()).unwrap()
}

/// The only value of a column, as Arrow shows it.
fn shown(array: &ArrayRef) -> String {
    assert_eq!(array.len(), 1);
    let options = FormatOptions::default().with_null("null");
    ArrayFormatter::try_new(array.as_ref(), &options).unwrap().value(0).to_string()
}

fn from_text(declared: &str, text: &str) -> Result<String, String> {
    let mut column = column(declared);
    column.push_text(text).map_err(|unfit| unfit.to_string())?;
    Ok(shown(&column.finish()))
}

const NULLS: [&str; 10] = ["", "null", "NULL", "Null", "None", "NA", "N/A", "<NA>", "NaT", "\\N"];

#[test]
fn null_texts_are_null_but_for_texts_and_bytes() {
    for declared in
        ["Int32", "Int64", "Float32", "Float64", "Bool", "Decimal", "Uuid", "Map", "UnixTimestamp", "Array(Int64)"]
    {
        for text in NULLS {
            assert_eq!(from_text(declared, text).as_deref(), Ok("null"), "{declared} {text}");
        }
        let nan = if declared.starts_with("Float") { "NaN" } else { "null" };
        assert_eq!(from_text(declared, "NaN").as_deref(), Ok(nan), "{declared}");
        assert_eq!(from_text(declared, "nan").as_deref(), Ok(nan), "{declared}");
        for text in ["nULL", "none", "n/a", "-", "?"] {
            assert!(from_text(declared, text).is_err(), "{declared} {text}");
        }
    }
    for text in NULLS {
        assert_eq!(from_text("String", text).as_deref(), Ok(text));
    }
    for text in &NULLS[1..] {
        assert_ne!(from_text("Bytes", text).as_deref(), Ok("null"));
    }
    assert_eq!(from_text("Bytes", "").as_deref(), Ok("null"));
    let mut json = column("Json");
    json.push_text("null").unwrap();
    json.push_text("NA").unwrap();
    let array = json.finish();
    assert_eq!((array.is_valid(0), array.as_string::<i32>().value(0), array.is_null(1)), (true, "null", true));
}

#[test]
fn fields_of_csv() {
    for (declared, text, value) in [
        ("Int32", " 7 ", "7"),
        ("Int32", "1e3", "1000"),
        ("Int64", "9223372036854775807", "9223372036854775807"),
        ("Float64", "1.0", "1.0"),
        ("Float64", " -Infinity", "-inf"),
        ("Float32", "16777217", "16777216.0"),
        ("Float64", "NAN", "NaN"),
        ("Bool", "TRUE", "true"),
        ("Bool", "t", "true"),
        ("Bool", " 0 ", "false"),
        ("Bool", "F", "false"),
        ("Decimal", " 1.10 ", "1.10"),
        ("Decimal", "-Infinity", "-Infinity"),
        ("Uuid", " 67E55044-10B1-426F-9247-BB680E5FE0C8 ", "67E55044-10B1-426F-9247-BB680E5FE0C8"),
        ("TimeUuid", "67e5504410b1426f9247bb680e5fe0c8", "67e5504410b1426f9247bb680e5fe0c8"),
        ("Json", " [1, 2]", " [1, 2]"),
        ("Map", "{\"a\": 1}", "{\"a\": 1}"),
        ("String", " a ", " a "),
        ("Bytes", " a ", "206120"),
        ("Bytes", "base64:/w==", "ff"),
        ("PdfBytes", "NaN", "4e614e"),
        ("UnixTimestamp", "2026-01-01 00:00:00.1234569", "2026-01-01T00:00:00.123456Z"),
        ("ZonedTimestamp", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z"),
        ("UnixTimestamp", "1969-12-31T23:59:59.9999999", "1969-12-31T23:59:59.999999Z"),
        ("Array(Int64)", "[1, null, 2.0]", "[1, null, 2]"),
        ("Set(String)", "[\"a\\n\"]", "[a\n]"),
        ("Struct(a: Int64, b: String)", "{\"b\": \"x\", \"c\": [], \"a\": 1}", "{a: 1, b: x}"),
        ("Struct(a: Int64, b: String)", "{\"a\": 1, \"a\": 2}", "{a: 2, b: null}"),
    ] {
        assert_eq!(from_text(declared, text).as_deref(), Ok(value), "{declared} {text}");
    }
}

#[test]
fn fields_that_do_not_fit() {
    for (declared, text, message) in [
        ("Int64", "1.6", "`1.6` is not an Int64"),
        ("Int32", "2147483648", "`2147483648` is not an Int32"),
        ("Float64", "1e999", "`1e999` is not a Float64"),
        ("Float32", "1e39", "`1e39` is not a Float32"),
        ("Bool", "yes", "`yes` is not a Bool"),
        ("Bool", "1.0", "`1.0` is not a Bool"),
        ("Decimal", "1,5", "`1,5` is not a Decimal"),
        ("Uuid", "67e5", "`67e5` is not a Uuid"),
        ("Json", "{a}", "`{a}` is not a Json"),
        ("Map", "[1]", "`[1]` is not a Map"),
        ("Bytes", "base64:/w", "`base64:/w` is not Bytes"),
        ("UnixTimestamp", "01/02/2026", "`01/02/2026` is not a time"),
        ("UnixTimestamp", "1700000000", "`1700000000` is not a time"),
        ("Array(Int64)", "[1, \"2\"]", "`\"2\"` is not an Int64"),
        ("Array(Int64)", "1,2", "`1,2` is not an Array(Int64)"),
        ("Array(Int64)", "[1] x", "`[1] x` is not an Array(Int64)"),
        ("Struct(a: Int64)", "{\"a\": 1.5}", "`1.5` is not an Int64"),
        ("Struct(a: Int64)", "[1]", "`[1]` is not a Struct(a: Int64)"),
    ] {
        assert_eq!(from_text(declared, text), Err(message.to_owned()), "{declared} {text}");
    }
}

#[test]
fn nothing_is_appended_by_what_does_not_fit() {
    let declared = "Struct(a: Array(Struct(x: String, y: Int64)), b: Bool, c: Bytes)";
    let mut column = column(declared);
    let texts = [
        (true, "{\"a\": [{\"x\": \"one\", \"y\": 1}], \"b\": true, \"c\": \"z\"}"),
        (false, "{\"a\": [{\"x\": \"two\", \"y\": 2}, {\"x\": \"three\", \"y\": 2.5}]}"),
        (false, "{\"a\": [{\"x\": \"two\", \"y\": 2}, null], \"b\": 1}"),
        (false, "{\"a\": [{\"x\": \"two\", \"y\": 2}], \"b\": true, \"c\": 1}"),
        (false, "{\"a\": [{\"x\": \"two\"}]"),
        (true, "{\"a\": [{\"x\": \"four\"}], \"b\": false}"),
        (true, "NA"),
    ];
    for (fits, text) in texts {
        assert_eq!(column.push_text(text).is_ok(), fits, "{text}");
    }
    let array = column.finish();
    assert_eq!(array.len(), 3);
    assert!(array.is_null(2));
    let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default().with_null("-")).unwrap();
    assert_eq!(formatter.value(0).to_string(), "{a: [{x: one, y: 1}], b: true, c: 7a}");
    assert_eq!(formatter.value(1).to_string(), "{a: [{x: four, y: -}], b: false, c: -}");
    assert_eq!(column.finish().len(), 0);

    let mut lists = self::column("Array(Array(Int64))");
    for (fits, text) in [(true, "[[1]]"), (false, "[[2, 3], [4, true]]"), (false, "[[5]] x"), (true, "[[6], []]")] {
        assert_eq!(lists.push_text(text).is_ok(), fits, "{text}");
    }
    let array = lists.finish();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).unwrap();
    assert_eq!((formatter.value(0).to_string(), formatter.value(1).to_string()), ("[[1]]".into(), "[[6], []]".into()));
}

#[test]
fn columns_have_the_carrier_of_their_type() {
    let names = [
        "Bytes",
        "String",
        "Int32",
        "Int64",
        "Float32",
        "Float64",
        "Bool",
        "UnixTimestamp",
        "Map",
        "Json",
        "Uuid",
        "TimeUuid",
        "Decimal",
        "ZonedTimestamp",
        "PdfBytes",
        "ImageBytes",
        "Array(Int64)",
        "Set(Decimal)",
        "Array(Array(UnixTimestamp))",
        "Struct(a: Int64, b: Array(String), c: Struct(d: Bool))",
    ];
    for name in names {
        let declared: DataType = name.parse().unwrap();
        let mut column = TextColumn::value(&declared, &TextRules::default()).unwrap();
        column.push_null();
        let array = column.finish();
        assert_eq!(Some(array.data_type()), carrier(&declared).as_ref(), "{name}");
        assert!(array.is_null(0));
    }
    for name in ["ScalarMap", "Array(ScalarMap)", "Struct(a: ScalarMap)"] {
        assert!(TextColumn::value(&name.parse().unwrap(), &TextRules::default()).is_none());
    }
    assert!(TextColumn::value(&DataType::Unknown(99), &TextRules::default()).is_none());
    assert!(TextColumn::value(&DataType::Struct(Vec::new()), &TextRules::default()).is_some());
}

#[test]
fn columns_of_times_are_nanoseconds() {
    let mut times = TextColumn::time(&TextRules::default());
    for text in ["2026-01-01T00:00:00.123456789", " NaT", "1969-12-31T23:59:59.999999999"] {
        times.push_text(text).unwrap();
    }
    // What a number counts, nobody has said.
    let json: &RawValue = serde_json::from_str("1700000000").unwrap();
    assert!(times.push_json(json).is_err());
    for text in ["2262-04-12", "1677-09-21", "1700000000", "soon"] {
        assert!(times.push_text(text).is_err(), "{text}");
    }
    let array = times.finish();
    let values: Vec<_> = array.as_primitive::<Int64Type>().iter().collect();
    assert_eq!(values, [Some(1_767_225_600_123_456_789), None, Some(-1)]);
}

#[test]
fn messages_say_how_times_are_declared() {
    for (format, message) in [
        ("iso", "`soon` is not a time"),
        ("epoch_millis", "`soon` is not a time in epoch_millis"),
        ("%d.%m.%Y", "`soon` is not a time like `%d.%m.%Y`"),
    ] {
        let rules = TextRules { times: TimeFormat::parse(format).unwrap() };
        let mut list = TextColumn::value(&"Array(UnixTimestamp)".parse().unwrap(), &rules).unwrap();
        let json: &RawValue = serde_json::from_str("[\"soon\"]").unwrap();
        assert_eq!(list.push_json(json).unwrap_err().to_string(), message);
        assert_eq!(TextColumn::time(&rules).push_text("soon").unwrap_err().to_string(), message);
    }
    let rules = TextRules { times: TimeFormat::parse("epoch_millis").unwrap() };
    let mut times = TextColumn::value(&DataType::UnixTimestamp, &rules).unwrap();
    times.push_text("1700000000123.7").unwrap();
    let array = times.finish();
    assert_eq!(array.as_primitive::<TimestampMicrosecondType>().value(0), 1_700_000_000_123_700);
}

#[test]
fn columns_as_they_are() {
    let mut column = TextColumn::as_is();
    for text in ["", " NA ", "1.0"] {
        column.push_text(text).unwrap();
    }
    for json in ["null", "\"a\\tb\"", "1.10", "{\"a\" : 1}", "true"] {
        column.push_json(serde_json::from_str(json).unwrap()).unwrap();
    }
    let array = column.finish();
    let texts: Vec<_> = array.as_string::<i32>().iter().collect();
    let expected = ["", " NA ", "1.0", "-", "a\tb", "1.10", "{\"a\" : 1}", "true"];
    assert_eq!(texts, expected.map(|text| (text != "-").then_some(text)));
}

#[test]
fn batches_follow_each_other() {
    let mut ints = column("Int32");
    let mut floats = column("Float32");
    let mut doubles = column("Float64");
    for batch in 0..3 {
        for column in [&mut ints, &mut floats, &mut doubles] {
            column.push_text(&batch.to_string()).unwrap();
            column.push_null();
        }
        assert_eq!(ints.finish().as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(batch), None]);
        assert_eq!(
            floats.finish().as_primitive::<Float32Type>().iter().collect::<Vec<_>>(),
            [Some(batch as f32), None]
        );
        assert_eq!(
            doubles.finish().as_primitive::<Float64Type>().iter().collect::<Vec<_>>(),
            [Some(batch as f64), None]
        );
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text: String) {
        for declared in ["Int32", "Float32", "Bool", "Decimal", "Json", "Bytes", "Array(Int64)", "Struct(a: Bool)"] {
            let mut column = column(declared);
            let rows = usize::from(column.push_text(&text).is_ok());
            assert_eq!(column.finish().len(), rows);
        }
    }
}
