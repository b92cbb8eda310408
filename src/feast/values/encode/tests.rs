use std::sync::Arc;

use arrow::{
    array::*,
    datatypes::{Field, Fields, Float16Type, Int8Type, Int32Type, Int64Type, TimeUnit, i256},
};
use prost::Message;
use serde_json::{Value as Json, json};

use super::*;
use crate::feast::values::{
    entity_key::KeyPart,
    value::{Kind, NULL_TIMESTAMP, Value},
};

fn bound(declared: &str, array: ArrayRef) -> BoundColumn {
    let encoder = ColumnEncoder::new(&declared.parse().unwrap(), array.data_type()).unwrap();
    encoder.bind(&array).unwrap()
}

fn values(declared: &str, array: impl Array + 'static) -> Vec<Value> {
    let rows = array.len();
    let column = bound(declared, Arc::new(array));
    let mut out = Vec::new();
    let value = |row| {
        out.clear();
        column.encode(row, &mut out).unwrap();
        Value::decode(&out[..]).unwrap()
    };
    (0..rows).map(value).collect()
}

fn json(declared: &str, array: impl Array + 'static) -> Json {
    values(declared, array).iter().map(Value::to_json).collect()
}

/// The message of the error in the only row.
fn refusal(declared: &str, array: impl Array + 'static) -> String {
    let mut out = vec![1, 2];
    let error = bound(declared, Arc::new(array)).encode(0, &mut out).unwrap_err();
    assert_eq!(out, [1, 2], "the buffer is as before");
    error.to_string()
}

fn field(dtype: ArrowType) -> Arc<Field> {
    Arc::new(Field::new("any", dtype, true))
}

fn list_of(dtype: ArrowType) -> ArrowType {
    ArrowType::List(field(dtype))
}

fn struct_of(dtype: ArrowType) -> ArrowType {
    ArrowType::Struct(Fields::from(vec![Field::new("a", dtype, true)]))
}

fn map_of(key: ArrowType, value: ArrowType) -> ArrowType {
    let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    ArrowType::Map(Arc::new(Field::new("entries", ArrowType::Struct(entries), false)), false)
}

#[test]
fn columns_become_what_they_can_mean() {
    use ArrowType::*;
    let utc = |unit| Timestamp(unit, Some("UTC".into()));
    let numbers = [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64];
    let fractions =
        [Float16, Float32, Float64, Decimal32(5, 2), Decimal64(10, 2), Decimal128(20, 2), Decimal256(40, 2)];
    let moments = [Timestamp(TimeUnit::Second, None), utc(TimeUnit::Nanosecond), Date32, Date64];
    let texts = [Utf8, LargeUtf8, Utf8View, Dictionary(Box::new(Int32), Box::new(Utf8))];
    let blobs = [Binary, LargeBinary, BinaryView, FixedSizeBinary(3)];
    let objects = [struct_of(Int64), map_of(Utf8, Float64)];
    let others = [Boolean, FixedSizeBinary(16), Time64(TimeUnit::Microsecond), list_of(Utf8)];
    let groups = [
        ("integer", &numbers[..]),
        ("fraction", &fractions),
        ("moment", &moments),
        ("text", &texts),
        ("blob", &blobs),
        ("object", &objects),
        ("bool", &others[..1]),
        ("uuid", &others[1..2]),
        ("time", &others[2..3]),
        ("list", &others[3..]),
    ];
    for (declared, accepted) in [
        ("Int32", "integer fraction bool"),
        ("Int64", "integer fraction bool"),
        ("Float32", "integer fraction"),
        ("Float64", "integer fraction"),
        ("Bool", "integer bool"),
        ("Decimal", "integer fraction text"),
        ("String", "text"),
        ("Json", "text object list"),
        ("Uuid", "text uuid"),
        ("TimeUuid", "text uuid"),
        ("Bytes", "blob uuid"),
        ("PdfBytes", "blob uuid"),
        ("ImageBytes", "blob uuid"),
        ("UnixTimestamp", "integer moment"),
        ("Map", "text object"),
        ("Struct(a: Float32)", "text object"),
        ("Array(String)", "list"),
        ("Set(String)", "list"),
        ("Array(Json)", "list"),
        ("Array(Int64)", ""),
        ("Array(Array(String))", ""),
        ("Array(PdfBytes)", ""),
    ] {
        let dtype: DataType = declared.parse().unwrap();
        for (group, columns) in &groups {
            let expected = accepted.split(' ').any(|name| name == *group);
            for column in *columns {
                assert_eq!(accepts(&dtype, column), expected, "{declared} from {column}");
            }
        }
        assert_eq!(accepts(&dtype, &Null), declared != "Array(PdfBytes)", "{declared} from nulls");
    }
    assert!(!accepts(&DataType::Unknown(19), &Int64));
    assert!(!accepts(&"Struct(b: Int64)".parse().unwrap(), &struct_of(Int64)), "a member is missing");
    assert!(!accepts(&DataType::Map, &map_of(Int64, Utf8)), "keys are not texts");
    assert!(!accepts(&DataType::Json, &struct_of(Binary)), "JSON has no bytes");
}

#[test]
fn nulls_are_no_bytes_except_in_timestamps() {
    assert_eq!(values("Int64", Int64Array::from(vec![None, Some(0)])), [Value::NULL, Kind::Int64(0).into()]);
    assert_eq!(values("String", NullArray::new(1)), [Value::NULL]);
    assert_eq!(values("UnixTimestamp", NullArray::new(1)), [Value::NULL]);
    for array in [
        Arc::new(TimestampSecondArray::from(vec![None::<i64>])) as ArrayRef,
        Arc::new(Date32Array::from(vec![None::<i32>])),
        Arc::new(Int64Array::from(vec![None::<i64>])),
    ] {
        assert_eq!(values("UnixTimestamp", array), [Kind::UnixTimestamp(NULL_TIMESTAMP).into()]);
    }
}

#[test]
fn integers_are_exact_and_in_range() {
    let extremes = vec![Some(i64::MAX), None, Some(i64::MIN), Some((1 << 53) + 1)];
    assert_eq!(json("Int64", Int64Array::from(extremes)), json!([i64::MAX, null, i64::MIN, (1i64 << 53) + 1]));
    assert_eq!(json("Int64", UInt8Array::from(vec![255])), json!([255]));
    assert_eq!(json("Int32", BooleanArray::from(vec![true, false])), json!([1, 0]));
    assert_eq!(refusal("Int32", Int64Array::from(vec![1 << 31])), "2147483648 does not fit Int32");
    assert_eq!(json("Int64", UInt64Array::from(vec![Some(7), None])), json!([7, null]));
    assert_eq!(refusal("Int64", UInt64Array::from(vec![u64::MAX])), "18446744073709551615 does not fit Int64");
}

#[test]
fn only_whole_numbers_are_integers() {
    let floats = Float64Array::from(vec![1.0, -0.0, f64::NAN, -9_223_372_036_854_775_808.0]);
    assert_eq!(json("Int64", floats), json!([1, 0, null, i64::MIN]));
    assert_eq!(refusal("Int64", Float64Array::from(vec![-1.9])), "-1.9 does not fit Int64");
    assert_eq!(refusal("Int64", Float64Array::from(vec![9.3e18])), "9.3e+18 does not fit Int64");
    let first_too_large = Float64Array::from(vec![9_223_372_036_854_775_808.0]);
    assert_eq!(refusal("Int64", first_too_large), "9.223372036854776e+18 does not fit Int64");
    assert_eq!(refusal("Int32", Float32Array::from(vec![f32::INFINITY])), "inf does not fit Int32");
    let decimals = |values: Vec<i128>| Decimal128Array::from(values).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(json("Int32", decimals(vec![200, -100])), json!([2, -1]));
    assert_eq!(refusal("Int32", decimals(vec![199])), "1.99 does not fit Int32");
    assert_eq!(json("Float64", decimals(vec![199, -199])), json!([1.99, -1.99]));
    let whole = Decimal256Array::from(vec![i256::from_i128(i128::from(i64::MAX) + 1)]);
    let whole = whole.with_precision_and_scale(40, 0).unwrap();
    assert_eq!(refusal("Int64", whole), "9223372036854775808 does not fit Int64");
}

#[test]
fn integers_are_exact_doubles_or_none() {
    let most = 9_007_199_254_740_992_i64;
    assert_eq!(
        json("Float64", Int64Array::from(vec![most, -most])),
        json!([9_007_199_254_740_992.0, -9_007_199_254_740_992.0])
    );
    assert_eq!(refusal("Float64", Int64Array::from(vec![most + 1])), "9007199254740993 does not fit Float64");
    assert_eq!(refusal("Float64", Int64Array::from(vec![i64::MAX])), "9223372036854775807 does not fit Float64");
    assert_eq!(json("Float64", UInt64Array::from(vec![1 << 63])), json!([9_223_372_036_854_775_808.0]));
    assert_eq!(refusal("Float64", UInt64Array::from(vec![u64::MAX])), "18446744073709551615 does not fit Float64");
    // Single precision is declared by those who want the nearest.
    assert_eq!(json("Float32", Int64Array::from(vec![16_777_217])), json!([16_777_216.0]));
}

#[test]
fn integers_of_64_bits_without_a_sign() {
    assert_eq!(json("Decimal", UInt64Array::from(vec![u64::MAX])), json!(["18446744073709551615"]));
    assert_eq!(refusal("Int64", UInt64Array::from(vec![1 << 63])), "9223372036854775808 does not fit Int64");
    assert_eq!(json("Bool", UInt64Array::from(vec![0, 1])), json!([false, true]));
    assert_eq!(refusal("Bool", Int64Array::from(vec![2])), "2 does not fit Bool");
}

#[test]
fn floats_lose_nan_alone_and_keep_it_in_lists() {
    assert_eq!(json("Float32", Float64Array::from(vec![0.1, f64::NAN])), json!([f64::from(0.1f32), null]));
    assert_eq!(json("Float64", Int32Array::from(vec![3])), json!([3.0]));
    assert_eq!(
        json("Float64", Float16Array::from(vec![<Float16Type as ArrowPrimitiveType>::Native::from_f32(0.5)])),
        json!([0.5])
    );
    let list = || {
        let mut list = ListBuilder::new(Float64Builder::new());
        list.append_value([Some(f64::NAN), None, Some(f64::INFINITY), Some(f64::NAN)]);
        list.finish()
    };
    assert_eq!(json("Array(Float32)", list()), json!([["NaN", "NaN", "Infinity", "NaN"]]));
    assert_eq!(json("Set(Float64)", list()), json!([["NaN", "Infinity", "NaN"]]));
    assert_eq!(refusal("Float32", Float64Array::from(vec![1e300])), "1e+300 does not fit Float32");
    assert_eq!(json("Float32", Float64Array::from(vec![f64::NEG_INFINITY])), json!(["-Infinity"]));
}

#[test]
fn moments_become_seconds() {
    let half = 500;
    assert_eq!(json("UnixTimestamp", TimestampMillisecondArray::from(vec![-1_000 - half, 1_999])), json!([-2, 1]));
    assert_eq!(json("UnixTimestamp", TimestampNanosecondArray::from(vec![-1]).with_timezone("UTC")), json!([-1]));
    assert_eq!(json("UnixTimestamp", TimestampSecondArray::from(vec![i64::MAX])), json!([i64::MAX]));
    assert_eq!(json("UnixTimestamp", Date32Array::from(vec![-1, i32::MAX])), json!([-86_400, 185_542_587_100_800i64]));
    assert_eq!(json("UnixTimestamp", Date64Array::from(vec![86_400_000])), json!([86_400]));
    assert_eq!(json("UnixTimestamp", UInt32Array::from(vec![17])), json!([17]));

    let mut list = ListBuilder::new(TimestampMicrosecondBuilder::new());
    list.append_value([Some(-1_500_000), None, Some(1_500_000)]);
    list.append_null();
    let list = list.finish();
    assert_eq!(json("Array(UnixTimestamp)", list.clone()), json!([[-1, NULL_TIMESTAMP, 1], null]));
    assert_eq!(json("Set(UnixTimestamp)", list), json!([[-2, 1], null]));

    let zoned = TimestampMicrosecondArray::from(vec![Some(0), None]).with_timezone("+01:00");
    assert_eq!(json("ZonedTimestamp", zoned), json!(["1970-01-01T01:00:00+01:00", null]));
}

#[test]
fn elements_of_sets_are_equal_as_in_python() {
    let mut zeros = ListBuilder::new(Float32Builder::new());
    zeros.append_value([Some(-0.0), Some(0.0), Some(1.5), Some(1.5)]);
    let Some(Kind::FloatSet(set)) = values("Set(Float32)", zeros.finish()).remove(0).kind else { panic!() };
    assert_eq!(set.val.iter().map(|number| number.to_bits()).collect::<Vec<_>>(), [1 << 31, 1.5f32.to_bits()]);

    let mut lists = ListBuilder::new(ListBuilder::new(Int64Builder::new()));
    for list in [vec![], vec![], vec![1], vec![1]] {
        lists.values().append_value(list.into_iter().map(Some));
    }
    lists.append(true);
    // What Feast writes of this column.
    let mut out = Vec::new();
    bound("Set(Array(Int64))", Arc::new(lists.finish())).encode(0, &mut out).unwrap();
    let expected = [0xda, 0x02, 0x12, 0x0a, 0, 0x0a, 0, 0x0a, 5, 0x72, 3, 0x0a, 1, 1, 0x0a, 5, 0x72, 3, 0x0a, 1, 1];
    assert_eq!(out, expected);
}

#[test]
fn every_layout_of_texts_and_bytes() {
    let texts = vec![Some("a"), None, Some("")];
    let expected = json!(["a", null, ""]);
    assert_eq!(json("String", StringArray::from(texts.clone())), expected);
    assert_eq!(json("String", LargeStringArray::from(texts.clone())), expected);
    assert_eq!(json("String", StringViewArray::from(texts.clone())), expected);
    assert_eq!(json("String", texts.into_iter().collect::<DictionaryArray<Int8Type>>()), expected);

    let bytes: Vec<Option<&[u8]>> = vec![Some(&[255]), None, Some(&[])];
    let expected = json!(["/w==", null, ""]);
    assert_eq!(json("Bytes", BinaryArray::from(bytes.clone())), expected);
    assert_eq!(json("PdfBytes", LargeBinaryArray::from(bytes.clone())), expected);
    assert_eq!(json("ImageBytes", BinaryViewArray::from(bytes)), expected);
}

#[test]
fn null_elements_have_stand_ins() {
    let integers =
        || ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None, Some(1)]), Some(vec![])]);
    assert_eq!(json("Array(Int64)", integers()), json!([[1, 0, 1], []]));
    assert_eq!(json("Array(Bool)", integers()), json!([[true, false, true], []]));
    assert_eq!(json("Set(Int32)", integers()), json!([[1], []]));

    let texts = |items: [Option<&str>; 3]| {
        let mut list = LargeListBuilder::new(StringBuilder::new());
        list.append_value(items);
        list.finish()
    };
    assert_eq!(json("Array(String)", texts([Some("b"), None, Some("b")])), json!([["b", "", "b"]]));
    assert_eq!(json("Set(String)", texts([Some("b"), None, Some("b")])), json!([["b"]]));
    assert_eq!(json("Set(String)", texts([None, None, None])), json!([[]]));
    assert_eq!(json("Array(Json)", texts([Some("{}"), None, Some("1")])), json!([["{}", "null", "1"]]));
    assert_eq!(json("Array(Decimal)", texts([Some("1.0"), None, Some("-2")])), json!([["1.0", "", "-2"]]));
    assert_eq!(json("Array(Map)", texts([Some("{\"a\": 1}"), None, Some("{}")])), json!([[{"a": 1}, {}, {}]]));
}

#[test]
fn lists_without_a_type_of_their_own() {
    let lists = || {
        let mut lists = ListBuilder::new(NullBuilder::new());
        lists.append(true);
        lists.append(false);
        lists.values().append_null();
        lists.append(true);
        lists.finish()
    };
    for (element, stand_in) in [
        ("Bool", json!(false)),
        ("Int32", json!(0)),
        ("Float32", json!("NaN")),
        ("UnixTimestamp", json!(NULL_TIMESTAMP)),
        ("String", json!("")),
        ("Bytes", json!("")),
        ("Json", json!("null")),
        ("Uuid", json!("")),
        ("Decimal", json!("")),
        ("Map", json!({})),
        ("Struct(a: Int64)", json!({})),
        ("Array(Int64)", json!(null)),
    ] {
        assert_eq!(json(&format!("Array({element})"), lists()), json!([[], null, [stand_in]]), "{element}");
    }
}

#[test]
fn empty_packed_lists_have_no_element_field() {
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![None]), Some(vec![])]);
    let mut out = Vec::new();
    let column = bound("Set(Int64)", Arc::new(list));
    column.encode(0, &mut out).unwrap();
    column.encode(1, &mut out).unwrap();
    assert_eq!(out, [0xca, 1, 0, 0xca, 1, 0]);
}

#[test]
fn slices_of_batches_are_read_at_their_place() {
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>((0..4).map(|n| Some(vec![Some(n), Some(n)])));
    assert_eq!(json("Array(Int64)", list.slice(2, 2)), json!([[2, 2], [3, 3]]));
    let mut fixed = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    for n in [0.0f32, 1.0, 2.0] {
        fixed.values().append_slice(&[n, n]);
        fixed.append(n != 1.0);
    }
    assert_eq!(json("Array(Float32)", fixed.finish().slice(1, 2)), json!([null, [2.0, 2.0]]));
    let structs =
        StructArray::from(vec![(field(ArrowType::Int64), Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef)]);
    assert_eq!(json("Struct(any: Int64)", structs.slice(2, 1)), json!([{"any": 3}]));
    let maps = maps();
    assert_eq!(json("Map", maps.slice(1, 2)), json!([{}, {"ü": null}]));
}

/// `{b: 1, a: 2}`, `{}`, `{ü: null}`, null.
fn maps() -> MapArray {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.keys().append_value("b");
    maps.values().append_value(1);
    maps.keys().append_value("a");
    maps.values().append_value(2);
    maps.append(true).unwrap();
    maps.append(true).unwrap();
    maps.keys().append_value("ü");
    maps.values().append_null();
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    maps.finish()
}

#[test]
fn maps_keep_the_order_of_their_entries() {
    let values = values("Map", maps());
    assert_eq!(values[0].to_string(), "{b: 1, a: 2}");
    assert_eq!(values[2].to_string(), "{ü: null}");
    assert_eq!(values[3], Value::NULL);
    assert_eq!(json("Json", maps()), json!(["{\"b\": 1, \"a\": 2}", "{}", "{\"\\u00fc\": null}", null]));
}

#[test]
fn structs_are_written_as_declared() {
    let nested = StructArray::from(vec![(
        field(ArrowType::Boolean),
        Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef,
    )]);
    let members: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("n", ArrowType::Int64, true)), Arc::new(Int64Array::from(vec![Some(1), None]))),
        (Arc::new(Field::new("s", nested.data_type().clone(), true)), Arc::new(nested)),
        (Arc::new(Field::new("x", ArrowType::Float64, true)), Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
    ];
    let structs = StructArray::from(members);
    let declared = "Struct(x: Float64, s: Struct(any: Bool), n: Float32)";
    let shown: Vec<String> = values(declared, structs.clone()).iter().map(Value::to_string).collect();
    assert_eq!(shown, ["{x: 0.5, s: {any: true}, n: 1.0}", "{x: null, s: {any: false}, n: null}"]);
    let shown: Vec<String> = values("Map", structs.clone()).iter().map(Value::to_string).collect();
    assert_eq!(shown, ["{n: 1, s: {any: true}, x: 0.5}", "{n: null, s: {any: false}, x: null}"]);
    assert_eq!(
        json("Json", structs),
        json!([
            "{\"n\": 1, \"s\": {\"any\": true}, \"x\": 0.5}",
            "{\"n\": null, \"s\": {\"any\": false}, \"x\": null}"
        ])
    );
}

#[test]
fn lists_of_lists() {
    let mut lists = ListBuilder::new(ListBuilder::new(Int64Builder::new()));
    lists.append_value([Some(vec![Some(1), Some(2)]), Some(vec![]), None, Some(vec![Some(1), Some(2)])]);
    lists.append_value(Vec::<Option<Vec<Option<i64>>>>::new());
    let lists = lists.finish();
    assert_eq!(json("Array(Array(Int32))", lists.clone()), json!([[[1, 2], null, null, [1, 2]], []]));
    assert_eq!(json("Set(Array(Int64))", lists.clone()), json!([[[1, 2], null, null, [1, 2]], []]));
    let inner = values("Array(Set(Int64))", lists).swap_remove(0);
    assert!(matches!(inner.kind, Some(Kind::List(list)) if matches!(list.val[0].kind, Some(Kind::Int64Set(_)))));
}

#[test]
fn texts_with_a_meaning_are_checked() {
    assert_eq!(
        json("Json", StringArray::from(vec!["{\"b\":2}", " [1,\"\\ud800\"] "])),
        json!(["{\"b\":2}", " [1,\"\\ud800\"] "])
    );
    assert!(refusal("Json", StringArray::from(vec!["{'a': 1}"])).starts_with("`{'a': 1}` is not JSON: "));
    assert!(refusal("Struct(a: Int64)", StringArray::from(vec!["[1]"])).contains("is not JSON"));
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    assert_eq!(json("Uuid", StringArray::from(vec![uuid])), json!([uuid]));
    assert_eq!(refusal("Uuid", StringArray::from(vec!["none"])), "`none` is not a UUID");
    let raw = FixedSizeBinaryArray::try_from_iter([[0xffu8; 16]].into_iter()).unwrap();
    assert_eq!(json("TimeUuid", raw), json!(["ffffffff-ffff-ffff-ffff-ffffffffffff"]));
    assert_eq!(refusal("Decimal", StringArray::from(vec!["1,5"])), "`1,5` is not a decimal number");
    let long = "é".repeat(1_000);
    assert_eq!(
        refusal("Decimal", StringArray::from(vec![long.as_str()])),
        format!("`{}…` is not a decimal number", "é".repeat(60))
    );
}

#[test]
fn decimals_are_texts_of_python() {
    let decimals = |scale| Decimal128Array::from(vec![110, -1]).with_precision_and_scale(38, scale).unwrap();
    assert_eq!(json("Decimal", decimals(2)), json!(["1.10", "-0.01"]));
    assert_eq!(json("Decimal", decimals(10)), json!(["1.10E-8", "-1E-10"]));
    assert_eq!(json("Decimal", decimals(-1)), json!(["1.10E+3", "-1E+1"]));
    assert_eq!(json("Decimal", Int64Array::from(vec![5])), json!(["5"]));
    assert_eq!(json("Decimal", Float32Array::from(vec![0.1, f32::NAN])), json!(["0.10000000149011612", null]));
}

#[test]
fn json_texts_become_maps() {
    let texts = StringArray::from(vec![Some("{\"b\": 1, \"a\": [1.5]}"), None]);
    let shown: Vec<String> = values("Struct(a: Array(Float64))", texts).iter().map(Value::to_string).collect();
    assert_eq!(shown, ["{b: 1, a: [1.5]}", "null"]);
}

#[test]
fn join_keys_take_the_declared_width() {
    let column = |declared: DataType, array: ArrayRef| KeyColumn::bind(&declared, &array);
    let keys = column(DataType::Int32, Arc::new(Int64Array::from(vec![Some(7), None, Some(1 << 40)]))).unwrap();
    assert_eq!(keys.part(0).unwrap(), Some(KeyPart::Int32(7)));
    assert_eq!(keys.part(1).unwrap(), None);
    assert_eq!(keys.part(2).unwrap_err().to_string(), "1099511627776 does not fit Int32");
    let keys = column(DataType::Int64, Arc::new(UInt8Array::from(vec![7]))).unwrap();
    assert_eq!(keys.part(0).unwrap(), Some(KeyPart::Int64(7)));
    let dictionary = ["x"].into_iter().collect::<DictionaryArray<Int32Type>>();
    let keys = column(DataType::String, Arc::new(dictionary)).unwrap();
    assert_eq!(keys.part(0).unwrap(), Some(KeyPart::String("x")));
    let keys = column(DataType::UnixTimestamp, Arc::new(TimestampMillisecondArray::from(vec![-1]))).unwrap();
    assert_eq!(keys.part(0).unwrap(), Some(KeyPart::UnixTimestamp(-1)));
    assert_eq!(column(DataType::Bytes, Arc::new(NullArray::new(1))).unwrap().part(0).unwrap(), None);
    for (declared, array) in [
        (DataType::Int64, Arc::new(Float64Array::from(vec![1.0])) as ArrayRef),
        (DataType::String, Arc::new(Int64Array::from(vec![1]))),
        (DataType::Bool, Arc::new(BooleanArray::from(vec![true]))),
        (DataType::Float64, Arc::new(NullArray::new(1))),
    ] {
        assert!(column(declared.clone(), array).is_err(), "{declared}");
    }
}
