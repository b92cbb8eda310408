//! Pairs of types in two files under a declared type: what is taken is read exactly or refused by a
//! value with its place, and plan and reading take the same.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal256Array, FixedSizeBinaryArray, Float64Array,
        Int64Array, Int64Builder, LargeStringArray, ListArray, MapBuilder, NullArray, StringArray, StringBuilder,
        StructArray, UInt64Array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::cast_with_options,
    datatypes::{DataType as ArrowType, Decimal256Type, Field, Float64Type, Int64Type, TimeUnit, UInt64Type, i256},
};
use feastr::{
    clients::buckets::Buckets,
    model::{DataSource, DataType, FileSource, SourceKind, Tags},
    problem::Problem,
    sources::{OpenSource, Role, Scan, Wanted, Whereabouts},
};
use proptest::{collection::vec, option::weighted, prelude::*};
use serde_json::{Value as Json, json};

use super::{days, ints, write_parquet};
use crate::support::{Project, settings};

/// A value of a file, or of what is read, by what it says.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Bool(bool),
    Int(i128),
    /// Compared by its bits, so that NaN is itself.
    Float(u64),
    /// Digits, and how many of them are behind the point.
    Decimal(String, i8),
    Text(String),
    Bytes(Vec<u8>),
    /// Nanoseconds since 1970.
    Moment(i128),
    List(Vec<Cell>),
    Struct(Vec<(String, Cell)>),
    Map(Vec<(String, Cell)>),
}

fn float(number: f64) -> Cell {
    Cell::Float(number.to_bits())
}

/// A column of a file.
#[derive(Debug, Clone)]
struct Sample {
    array: ArrayRef,
}

fn array<A: Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

/// Another layout or width of the same values; those that it cannot hold are null.
fn narrowed(array: ArrayRef, to: &ArrowType) -> ArrayRef {
    cast_with_options(&array, to, &arrow::compute::CastOptions { safe: true, ..Default::default() }).unwrap()
}

const ROWS: std::ops::Range<usize> = 1..5;

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0_i64),
        Just(1),
        -300..300_i64,
        any::<i32>().prop_map(i64::from),
        Just((1 << 53) + 1),
        any::<i64>()
    ]
}

fn integers() -> impl Strategy<Value = ArrayRef> {
    use ArrowType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32};
    let signed = (vec(weighted(0.8, whole()), ROWS), 0..7_usize).prop_map(|(values, width)| {
        let kind = [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32][width].clone();
        narrowed(array(Int64Array::from(values)), &kind)
    });
    let unsigned = vec(weighted(0.8, prop_oneof![0..5_u64, any::<u64>(), Just(1 << 63)]), ROWS)
        .prop_map(|values| array(UInt64Array::from(values)));
    prop_oneof![4 => signed, 1 => unsigned]
}

fn floats() -> impl Strategy<Value = ArrayRef> {
    use ArrowType::{Float16, Float32, Float64};
    let value = prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        -100.0..100.0_f64,
        (-1000..1000_i32).prop_map(f64::from),
        any::<f64>()
    ];
    (vec(weighted(0.8, value), ROWS), 0..3_usize).prop_map(|(values, width)| {
        narrowed(array(Float64Array::from(values)), &[Float16, Float32, Float64][width].clone())
    })
}

fn decimals() -> impl Strategy<Value = ArrayRef> {
    use ArrowType::{Decimal128, Decimal256};
    let kinds = [Decimal128(9, 2), Decimal128(18, 4), Decimal128(38, 0), Decimal128(38, 10), Decimal256(60, 3)];
    (vec(weighted(0.8, any::<i64>()), ROWS), 0..kinds.len(), 0..3_usize).prop_map(move |(values, kind, zeros)| {
        let scale = match kinds[kind] {
            Decimal128(_, scale) | Decimal256(_, scale) => scale,
            _ => 0,
        };
        // Whole numbers, too, and such that need few digits.
        let value = |value: i64| match zeros {
            0 => i256::from(value),
            1 => i256::from(value % 10_000_000),
            _ => i256::from(value % 10_000) * i256::from_i128(10_i128.pow(scale as u32)),
        };
        let values: Decimal256Array = values.into_iter().map(|number| number.map(value)).collect();
        narrowed(array(values.with_precision_and_scale(76, scale).unwrap()), &kinds[kind])
    })
}

fn text() -> impl Strategy<Value = String> {
    const WORDS: [&str; 22] = [
        "",
        "x",
        "7",
        "1.6",
        "-1.50",
        "1e3",
        "NaN",
        "true",
        "{}",
        "[]",
        "[1, 2]",
        "[\"a\"]",
        "{\"a\": 1}",
        "{\"a\": 2, \"b\": \"y\", \"c\": 0}",
        "{\"a\": \"z\"}",
        "null",
        "2026-01-01",
        "2026-01-01T12:00:00Z",
        "01/02/2026",
        "30313233-3435-3637-3839-616263646566",
        "{30313233-3435-3637-3839-616263646566}",
        "a,b\n\"c\"",
    ];
    (0..WORDS.len()).prop_map(|word| WORDS[word].to_owned())
}

fn texts() -> impl Strategy<Value = ArrayRef> {
    use ArrowType::{Dictionary, Int32, LargeUtf8, Utf8};
    // Most columns hold one kind of texts.
    let alike = (text(), ROWS).prop_map(|(text, rows)| vec![Some(text); rows]);
    (prop_oneof![alike, vec(weighted(0.8, text()), ROWS)], 0..3_usize).prop_map(|(values, layout)| {
        let kinds = [Utf8, LargeUtf8, Dictionary(Box::new(Int32), Box::new(Utf8))];
        narrowed(array(StringArray::from(values)), &kinds[layout])
    })
}

fn blobs() -> impl Strategy<Value = ArrayRef> {
    let any_length = vec(weighted(0.8, vec(any::<u8>(), 0..20)), ROWS);
    let any_length = (any_length, any::<bool>()).prop_map(|(values, large)| {
        let blobs: BinaryArray = values.iter().map(|value| value.as_deref()).collect();
        narrowed(array(blobs), if large { &ArrowType::LargeBinary } else { &ArrowType::Binary })
    });
    let fixed = prop_oneof![Just(16), Just(4)].prop_flat_map(|size| {
        vec(weighted(0.8, vec(any::<u8>(), size..=size)), ROWS).prop_map(move |values| {
            let size = i32::try_from(size).unwrap();
            array(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), size).unwrap())
        })
    });
    prop_oneof![any_length, fixed]
}

fn moments() -> impl Strategy<Value = ArrayRef> {
    use ArrowType::{Date32, Date64, Int32, Int64, Timestamp};
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let value = prop_oneof![
        Just(0_i64),
        Just(-1),
        -1_000_000_000..2_000_000_000_i64,
        any::<i32>().prop_map(|day| i64::from(day) * 1_000_001)
    ];
    (vec(weighted(0.8, value), ROWS), 0..6_usize, 0..3_usize).prop_map(|(values, kind, zone)| {
        let zone = [None, Some("UTC".into()), Some("Asia/Kolkata".into())][zone].clone();
        let values = array(Int64Array::from(values));
        match kind {
            0..=3 => narrowed(values, &Timestamp([Second, Millisecond, Microsecond, Nanosecond][kind], zone)),
            4 => narrowed(narrowed(narrowed(values, &ArrowType::Int16), &Int32), &Date32),
            // Days in milliseconds.
            _ => {
                let days: Int64Array = values.as_primitive::<Int64Type>().unary(|value| value % 20_000 * 86_400_000);
                narrowed(narrowed(array(days), &Int64), &Date64)
            }
        }
    })
}

fn flags() -> impl Strategy<Value = ArrayRef> {
    vec(weighted(0.8, any::<bool>()), ROWS).prop_map(|values| array(BooleanArray::from(values)))
}

fn nothing() -> impl Strategy<Value = ArrayRef> {
    ROWS.prop_map(|rows| array(NullArray::new(rows)))
}

fn scalars() -> impl Strategy<Value = ArrayRef> {
    prop_oneof![
        4 => integers(),
        3 => floats(),
        2 => decimals(),
        3 => texts(),
        2 => blobs(),
        3 => moments(),
        1 => flags(),
        1 => nothing()
    ]
}

/// Lists whose elements are the values of a column.
fn lists(elements: impl Strategy<Value = ArrayRef>) -> impl Strategy<Value = ArrayRef> {
    (elements, vec(weighted(0.8, 0..3_usize), ROWS), any::<bool>()).prop_map(|(elements, lengths, large)| {
        let mut left = elements.len();
        let lengths: Vec<Option<usize>> = lengths
            .into_iter()
            .map(|length| {
                length.map(|length| {
                    let taken = length.min(left);
                    left -= taken;
                    taken
                })
            })
            .collect();
        let nulls = NullBuffer::from(lengths.iter().map(Option::is_some).collect::<Vec<_>>());
        let offsets = OffsetBuffer::<i32>::from_lengths(lengths.iter().map(|length| length.unwrap_or(0)));
        let used = offsets.last() as usize;
        let elements = elements.slice(0, used);
        let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
        let lists = array(ListArray::new(field.clone(), offsets, elements, Some(nulls)));
        if large { narrowed(lists, &ArrowType::LargeList(field)) } else { lists }
    })
}

/// Structs with members of any type, some of them called as the declared ones.
fn structs() -> impl Strategy<Value = ArrayRef> {
    let member = prop_oneof![integers(), texts(), floats(), lists(integers())];
    (member.clone(), member.clone(), member, 0..5_usize, vec(weighted(0.8, Just(())), 1..4)).prop_map(
        |(one, two, three, names, valid)| {
            let names = [&["a", "b"][..], &["b", "a", "c"], &["a"], &["x"], &["a", "b", "A"]][names];
            let members = [one, two, three];
            let rows = members[..names.len()].iter().map(|member| member.len()).min().unwrap().min(valid.len());
            let valid: Vec<bool> = valid[..rows].iter().map(Option::is_some).collect();
            let arrays: Vec<ArrayRef> = members[..names.len()].iter().map(|member| member.slice(0, rows)).collect();
            let fields: Vec<Field> = names
                .iter()
                .zip(&arrays)
                .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
                .collect();
            array(StructArray::new(fields.into(), arrays, Some(NullBuffer::from(valid))))
        },
    )
}

fn maps() -> impl Strategy<Value = ArrayRef> {
    let entries = proptest::collection::btree_map("[ab]", weighted(0.8, whole()), 0..3);
    (vec(weighted(0.8, entries), ROWS), any::<bool>()).prop_map(|(rows, texts)| {
        if texts {
            let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
            for row in rows {
                for (key, value) in row.iter().flatten() {
                    maps.keys().append_value(key);
                    maps.values().append_option(*value);
                }
                maps.append(row.is_some()).unwrap();
            }
            return array(maps.finish());
        }
        let mut maps = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
        for row in rows {
            for (number, (key, _)) in row.iter().flatten().enumerate() {
                maps.keys().append_value(number as i64);
                maps.values().append_value(key);
            }
            maps.append(row.is_some()).unwrap();
        }
        array(maps.finish())
    })
}

fn sample() -> impl Strategy<Value = Sample> {
    prop_oneof![
        10 => scalars(),
        3 => lists(scalars()),
        2 => structs(),
        1 => lists(structs()),
        1 => lists(lists(integers())),
        1 => maps()
    ]
    .prop_map(|array| Sample { array })
}

fn declared() -> impl Strategy<Value = DataType> {
    const TYPES: [&str; 24] = [
        "Bool",
        "Int32",
        "Int64",
        "Float32",
        "Float64",
        "String",
        "Bytes",
        "UnixTimestamp",
        "Decimal",
        "Uuid",
        "Json",
        "Map",
        "Array(Int32)",
        "Array(Int64)",
        "Array(Float64)",
        "Array(String)",
        "Array(UnixTimestamp)",
        "Array(Decimal)",
        "Set(Int64)",
        "Set(String)",
        "Array(Array(Int64))",
        "Struct(a: Int64, b: String)",
        "Struct(a: Float64)",
        "Array(Struct(a: Int64, b: String))",
    ];
    (0..TYPES.len()).prop_map(|number| TYPES[number].parse().unwrap())
}

/// Columns of which many go with a declared type.
fn going_with(declared: &DataType) -> BoxedStrategy<ArrayRef> {
    match declared {
        DataType::Bool => prop_oneof![flags(), integers()].boxed(),
        DataType::Int32 | DataType::Int64 => {
            prop_oneof![4 => integers(), 2 => floats(), 2 => decimals(), 1 => flags()].boxed()
        }
        DataType::Float32 | DataType::Float64 => prop_oneof![integers(), floats(), decimals()].boxed(),
        DataType::String => texts().boxed(),
        DataType::Bytes => blobs().boxed(),
        DataType::UnixTimestamp => prop_oneof![3 => moments(), 1 => integers()].boxed(),
        DataType::Decimal => prop_oneof![integers(), floats(), decimals(), texts()].boxed(),
        DataType::Uuid => prop_oneof![texts(), blobs()].boxed(),
        DataType::Map => prop_oneof![texts(), structs(), maps()].boxed(),
        DataType::Array(element) | DataType::Set(element) => lists(going_with(element)).boxed(),
        DataType::Struct(_) => prop_oneof![3 => structs(), 1 => texts()].boxed(),
        _ => prop_oneof![3 => texts(), 2 => structs(), 1 => maps(), 2 => lists(scalars()), 1 => scalars()].boxed(),
    }
}

/// A declared type and two columns.
fn pair() -> impl Strategy<Value = (Sample, Sample, DataType)> {
    declared().prop_flat_map(|declared| {
        let column = || {
            let going = going_with(&declared).prop_map(|array| Sample { array });
            prop_oneof![6 => going, 1 => nothing().prop_map(|array| Sample { array }), 2 => sample()]
        };
        (column(), column(), Just(declared.clone()))
    })
}

/// The value of a row of an array.
fn cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) || *array.data_type() == ArrowType::Null {
        return Cell::Null;
    }
    let widest = |kind: &ArrowType| arrow::compute::cast(&array.slice(row, 1), kind).unwrap();
    match array.data_type() {
        ArrowType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        ArrowType::UInt64 => Cell::Int(array.as_primitive::<UInt64Type>().value(row).into()),
        kind if kind.is_integer() => Cell::Int(widest(&ArrowType::Int64).as_primitive::<Int64Type>().value(0).into()),
        kind if kind.is_floating() => float(widest(&ArrowType::Float64).as_primitive::<Float64Type>().value(0)),
        ArrowType::Decimal32(_, scale)
        | ArrowType::Decimal64(_, scale)
        | ArrowType::Decimal128(_, scale)
        | ArrowType::Decimal256(_, scale) => {
            let number = widest(&ArrowType::Decimal256(76, *scale));
            Cell::Decimal(number.as_primitive::<Decimal256Type>().value(0).to_string(), *scale)
        }
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => {
            let text: ArrayRef = widest(&ArrowType::LargeUtf8);
            Cell::Text(text.as_any().downcast_ref::<LargeStringArray>().unwrap().value(0).to_owned())
        }
        ArrowType::Dictionary(_, values) => cell(&widest(values), 0),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView | ArrowType::FixedSizeBinary(_) => {
            Cell::Bytes(widest(&ArrowType::Binary).as_binary::<i32>().value(0).to_vec())
        }
        ArrowType::Timestamp(unit, _) => {
            let ticks = widest(&ArrowType::Int64).as_primitive::<Int64Type>().value(0);
            let nanos = match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            };
            Cell::Moment(i128::from(ticks) * nanos)
        }
        ArrowType::Date32 => {
            let days = arrow::compute::cast(&widest(&ArrowType::Int32), &ArrowType::Int64).unwrap();
            Cell::Moment(i128::from(days.as_primitive::<Int64Type>().value(0)) * 86_400_000_000_000)
        }
        ArrowType::Date64 => {
            Cell::Moment(i128::from(widest(&ArrowType::Int64).as_primitive::<Int64Type>().value(0)) * 1_000_000)
        }
        ArrowType::List(_) => cells(&array.as_list::<i32>().value(row)),
        ArrowType::LargeList(_) => cells(&array.as_list::<i64>().value(row)),
        ArrowType::Struct(fields) => {
            let columns = array.as_struct().columns();
            Cell::Struct(
                fields.iter().zip(columns).map(|(field, column)| (field.name().clone(), cell(column, row))).collect(),
            )
        }
        ArrowType::Map(..) => {
            let entries: ArrayRef = Arc::new(array.as_map().value(row));
            let entry = |entry: usize| {
                let key = match cell(entries.as_struct().column(0), entry) {
                    Cell::Text(key) => key,
                    key => format!("{key:?}"),
                };
                (key, cell(entries.as_struct().column(1), entry))
            };
            Cell::Map((0..entries.len()).map(entry).collect())
        }
        other => panic!("{other}"),
    }
}

fn cells(array: &ArrayRef) -> Cell {
    Cell::List((0..array.len()).map(|row| cell(array, row)).collect())
}

/// A number by its digits, without zeros at either end and with the power of ten behind them.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut power = exponent.parse::<i64>().ok()? - fraction.len() as i64;
    let all = all.trim_start_matches('0');
    let trimmed = all.trim_end_matches('0');
    power += (all.len() - trimmed.len()) as i64;
    match trimmed {
        "" => Some((false, "0".to_owned(), 0)),
        trimmed => Some((negative, trimmed.to_owned(), power)),
    }
}

fn plain(digits: &str, scale: i8) -> String {
    format!("{digits}e{}", -i32::from(scale))
}

/// What becomes of a value, or `None` when it does not fit.
fn converted(declared: &DataType, cell: &Cell) -> Option<Cell> {
    Some(match (declared, cell) {
        (_, Cell::Null) => Cell::Null,
        (DataType::Bool, Cell::Bool(_)) => cell.clone(),
        (DataType::Bool, Cell::Int(0 | 1)) => Cell::Bool(*cell == Cell::Int(1)),
        (DataType::Int32, cell) => match converted(&DataType::Int64, cell)? {
            Cell::Int(number) => Cell::Int(i32::try_from(number).ok()?.into()),
            other => other,
        },
        (DataType::Int64, Cell::Bool(flag)) => Cell::Int((*flag).into()),
        (DataType::Int64, Cell::Int(number)) => Cell::Int(i64::try_from(*number).ok()?.into()),
        (DataType::Int64, Cell::Float(bits)) => {
            let number = f64::from_bits(*bits);
            if number.is_nan() {
                return Some(Cell::Null);
            }
            let whole = number.fract() == 0.0 && number.is_finite() && number.abs() < 1e30;
            converted(declared, &Cell::Int(whole.then_some(number as i128)?))?
        }
        (DataType::Int64, Cell::Decimal(number, scale)) => {
            let (negative, digits, power) = digits(&plain(number, *scale))?;
            let zeros = "0".repeat(usize::try_from(power).ok()?);
            let number: i128 = format!("0{digits}{zeros}").parse().ok()?;
            converted(declared, &Cell::Int(if negative { -number } else { number }))?
        }
        (DataType::Float64, Cell::Float(_)) => cell.clone(),
        (DataType::Float64, Cell::Int(number)) => {
            let nearest = *number as f64;
            (nearest as i128 == *number).then(|| float(nearest))?
        }
        (DataType::Float64, Cell::Decimal(number, scale)) => float(plain(number, *scale).parse().ok()?),
        (DataType::Float32, cell) => {
            let number = match cell {
                Cell::Float(bits) => f64::from_bits(*bits),
                // These types are declared to get the nearest one.
                Cell::Int(number) => return Some(float((*number as f32).into())),
                Cell::Decimal(number, scale) => plain(number, *scale).parse().ok()?,
                _ => return None,
            };
            let single = number as f32;
            (single.is_finite() || !number.is_finite()).then(|| float(single.into()))?
        }
        (DataType::String, Cell::Text(_)) | (DataType::Bytes, Cell::Bytes(_)) => cell.clone(),
        (DataType::UnixTimestamp, Cell::Moment(nanos)) => moment(nanos.div_euclid(1_000))?,
        (DataType::UnixTimestamp, Cell::Int(seconds)) => moment(seconds * 1_000_000)?,
        (DataType::Decimal, Cell::Int(number)) => decimal(&number.to_string())?,
        (DataType::Decimal, Cell::Decimal(number, scale)) => decimal(&plain(number, *scale))?,
        (DataType::Decimal, Cell::Float(bits)) => match f64::from_bits(*bits) {
            number if number.is_nan() => Cell::Null,
            number if number.is_infinite() => Cell::Text(if number > 0.0 { "inf" } else { "-inf" }.to_owned()),
            number => decimal(&format!("{number:e}"))?,
        },
        (DataType::Decimal, Cell::Text(text)) if ["NaN", "inf", "-inf"].contains(&text.as_str()) => cell.clone(),
        (DataType::Decimal, Cell::Text(text)) => decimal(text)?,
        (DataType::Uuid, Cell::Text(text)) => uuid::Uuid::try_parse(text).ok().map(|_| cell.clone())?,
        (DataType::Uuid, Cell::Bytes(bytes)) => {
            Cell::Text(uuid::Uuid::from_slice(bytes).ok()?.hyphenated().to_string())
        }
        (DataType::Json, Cell::Text(text)) => Cell::Text(serde_json::from_str::<Json>(text).ok()?.to_string()),
        (DataType::Json, Cell::List(_) | Cell::Struct(_) | Cell::Map(_)) => Cell::Text(as_json(cell).to_string()),
        (DataType::Map, Cell::Text(text)) => {
            let json = serde_json::from_str::<Json>(text).ok().filter(Json::is_object)?;
            Some(json).filter(has_signed_integers).map(|json| Cell::Text(json.to_string()))?
        }
        (DataType::Map, Cell::Struct(_) | Cell::Map(_)) => {
            Some(as_json(cell)).filter(has_signed_integers).map(|json| Cell::Text(json.to_string()))?
        }
        (DataType::Array(element) | DataType::Set(element), Cell::List(cells)) => {
            Cell::List(cells.iter().map(|cell| converted(element, cell)).collect::<Option<_>>()?)
        }
        (DataType::Struct(members), Cell::Text(text)) => {
            let json = match serde_json::from_str::<Json>(text).ok()? {
                Json::Null => return Some(Cell::Null),
                json => Some(json).filter(Json::is_object)?,
            };
            let member = |(name, dtype): &(String, DataType)| {
                let found = match (&json[name], dtype) {
                    (Json::Null, _) => Some(Cell::Null),
                    (Json::Number(number), DataType::Int64) => number.as_i64().map(|number| Cell::Int(number.into())),
                    (Json::Number(number), DataType::Float64) => number.as_f64().map(float),
                    (Json::String(text), DataType::String) => Some(Cell::Text(text.clone())),
                    _ => None,
                };
                Some((name.clone(), found?))
            };
            Cell::Struct(members.iter().map(member).collect::<Option<_>>()?)
        }
        (DataType::Struct(members), Cell::Struct(cells)) => {
            let member = |(name, dtype): &(String, DataType)| {
                let found = cells.iter().find(|(known, _)| known == name);
                Some((name.clone(), found.map_or(Some(Cell::Null), |(_, cell)| converted(dtype, cell))?))
            };
            Cell::Struct(members.iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// A type without the way in which values are repeated.
fn unrepeated(kind: &ArrowType) -> &ArrowType {
    match kind {
        ArrowType::Dictionary(_, values) => unrepeated(values),
        kind => kind,
    }
}

/// Maps have no others.
fn has_signed_integers(json: &Json) -> bool {
    match json {
        Json::Number(number) => !number.is_u64() || number.is_i64(),
        Json::Array(elements) => elements.iter().all(has_signed_integers),
        Json::Object(members) => members.values().all(has_signed_integers),
        _ => true,
    }
}

fn moment(micros: i128) -> Option<Cell> {
    Some(Cell::Moment(i128::from(i64::try_from(micros).ok()?) * 1_000))
}

fn decimal(text: &str) -> Option<Cell> {
    let (negative, digits, power) = digits(text)?;
    Some(Cell::Text(format!("{}{digits}e{power}", if negative { "-" } else { "" })))
}

fn as_json(cell: &Cell) -> Json {
    match cell {
        Cell::Bool(flag) => json!(flag),
        Cell::Int(number) => number.to_string().parse::<serde_json::Number>().map_or(Json::Null, Json::Number),
        Cell::Float(bits) => json!(Some(f64::from_bits(*bits)).filter(|number| number.is_finite())),
        Cell::Text(text) => json!(text),
        Cell::List(cells) => cells.iter().map(as_json).collect(),
        Cell::Struct(members) | Cell::Map(members) => {
            Json::Object(members.iter().map(|(name, cell)| (name.clone(), as_json(cell))).collect())
        }
        _ => Json::Null,
    }
}

/// A value that was read, by what it says: decimals and JSON may have types of their own.
fn read_as(declared: &DataType, cell: Cell) -> Cell {
    match (declared, &cell) {
        (DataType::Decimal | DataType::Json | DataType::Map, Cell::Null) => Cell::Null,
        (DataType::Decimal | DataType::Json, cell) => {
            converted(declared, cell).unwrap_or_else(|| panic!("{cell:?} is read as {declared}"))
        }
        // Members that are null in all rows are there in one and not in another form.
        (DataType::Map, cell) => converted(declared, cell).unwrap_or_else(|| panic!("{cell:?} is read as {declared}")),
        (DataType::Array(element) | DataType::Set(element), Cell::List(cells)) => {
            Cell::List(cells.iter().map(|cell| read_as(element, cell.clone())).collect())
        }
        _ => cell,
    }
}

/// Texts of JSON by what they say, without members that are null, which a struct of several files may have for all.
fn without_nulls(declared: &DataType, cell: Cell) -> Cell {
    fn strip(json: &Json) -> Json {
        match json {
            Json::Array(elements) => elements.iter().map(strip).collect(),
            Json::Object(members) => {
                let kept: BTreeMap<&String, Json> = members
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (name, strip(value)))
                    .collect();
                json!(kept)
            }
            other => other.clone(),
        }
    }
    match (declared, &cell) {
        (DataType::Json | DataType::Map, Cell::Text(text)) => {
            Cell::Text(strip(&serde_json::from_str(text).unwrap()).to_string())
        }
        _ => cell,
    }
}

/// Whether two values are the same. Floats may have two shortest texts, which Python and Rust choose among.
fn alike(one: &Cell, other: &Cell) -> bool {
    match (one, other) {
        (Cell::Text(one), Cell::Text(other)) if one != other && one.len() > 16 => {
            let number = |text: &str| text.parse::<f64>().ok();
            number(one).is_some() && number(one) == number(other)
        }
        (Cell::List(one), Cell::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        _ => one == other,
    }
}

fn source() -> DataSource {
    DataSource {
        name: "s".into(),
        kind: SourceKind::File(FileSource { path: "s".into(), ..FileSource::default() }),
        timestamp_field: "ts".into(),
        created_timestamp_column: String::new(),
        field_mapping: BTreeMap::new(),
        date_partition_column: String::new(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    }
}

fn wanted(declared: &DataType, null_if_unfit: bool) -> Wanted {
    Wanted { column: "p".into(), role: Role::Value(declared.clone()), null_if_unfit }
}

/// All rows of the only column, and how many did not fit.
fn read(scan: Scan) -> Result<(Vec<Cell>, u64), String> {
    let scan = Arc::new(scan);
    let run = scan.run();
    let mut cells = Vec::new();
    let problem = |error: Problem| error.message;
    while let Some(mut part) = run.part().map_err(problem)? {
        while let Some(rows) = run.batch(&mut part).map_err(problem)? {
            cells.extend((0..rows.count).map(|row| cell(&rows.columns[0], row)));
        }
    }
    Ok((cells, scan.unfit()))
}

fn whereabouts(repo: &Path) -> Whereabouts {
    Whereabouts { repo: repo.to_owned(), postgres: None, buckets: Buckets::default(), environment: |_| None }
}

fn open(repo: &Path) -> OpenSource {
    OpenSource::open(&source(), &whereabouts(repo)).unwrap_or_else(|error| panic!("{}", error.message))
}

/// A folder with a file for each of the columns, which are called by their number.
fn folder(samples: &[&Sample]) -> Project {
    let project = Project::new(&[]);
    for (number, sample) in (1..).zip(samples) {
        write_parquet(&project, &format!("s/{number}.parquet"), vec![("p", Arc::clone(&sample.array))]);
    }
    project
}

fn takes(open: &OpenSource, declared: &DataType) -> bool {
    open.accepts(open.columns().get("p").unwrap(), &Role::Value(declared.clone()))
}

/// Words of what is below feastr.
const FOREIGN: [&str; 8] =
    ["DuckDB", "duckdb", "arrow", "Arrow", "Unsupported", "panicked", "Utf8", "Invalid argument"];

fn is_ours(message: &str) -> bool {
    !FOREIGN.iter().any(|word| message.contains(word))
}

/// What a map or an object may not hold as a feature of its own, whatever plan says.
fn is_compared(declared: &DataType, sample: &Sample) -> bool {
    // A map below a declared struct has members of its own types.
    !matches!((declared, sample.array.data_type()), (DataType::Struct(_), ArrowType::Map(..)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: super::seed(), max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_is_read_exactly_or_refused_by_a_value((one, other, declared) in pair()) {
        let project = folder(&[&one, &other]);
        let opened = open(project.folder.path());
        let taken = takes(&opened, &declared);
        let scan = opened.scan(vec![wanted(&declared, true)]);
        prop_assert_eq!(scan.is_ok(), taken);
        // Files go together if each of them goes with the declared type.
        let alone = [&one, &other].map(|sample| takes(&open(folder(&[sample]).folder.path()), &declared));
        let kinds = (one.array.data_type(), other.array.data_type());
        prop_assert_eq!(taken, alone == [true, true], "{} and {} under {}: {:?}", kinds.0, kinds.1, declared, alone);
        let Ok(scan) = scan else { return Ok(()) };
        prop_assume!(is_compared(&declared, &one) && is_compared(&declared, &other));

        let columns = [&one.array, &other.array];
        let cells: Vec<(usize, usize, Cell)> = columns
            .into_iter()
            .enumerate()
            .flat_map(|(file, array)| (0..array.len()).map(move |row| (file + 1, row + 1, cell(array, row))))
            .collect();
        let unfit: Vec<_> = cells.iter().filter(|(.., cell)| converted(&declared, cell).is_none()).collect();
        let read_cells = read(scan);
        let context = || format!("{} and {} under {declared}: {cells:?}", kinds.0, kinds.1);
        let (actual, counted) = match read_cells {
            Ok(read) => read,
            Err(message) => return Err(TestCaseError::fail(format!("{message}: {}", context()))),
        };
        prop_assert_eq!(actual.len(), cells.len());
        for ((.., cell), actual) in cells.iter().zip(actual) {
            let expected = converted(&declared, cell).unwrap_or(Cell::Null);
            let actual = without_nulls(&declared, read_as(&declared, actual));
            let expected = without_nulls(&declared, read_as(&declared, expected));
            prop_assert!(alike(&actual, &expected), "{:?} instead of {:?}: {}", actual, expected, context());
        }
        prop_assert_eq!(counted, unfit.len() as u64, "{}", context());

        let strict = read(opened.scan(vec![wanted(&declared, false)]).unwrap());
        match (unfit.first(), strict) {
            (None, Ok(_)) => {}
            (None, Err(message)) => prop_assert!(false, "{}: {}", message, context()),
            (Some(_), Ok(_)) => prop_assert!(false, "nothing is refused: {}", context()),
            (Some((file, row, _)), Err(message)) => {
                let place = format!("row {row} of s/{file}.parquet, column `p`: ");
                prop_assert!(message.starts_with(&place) && is_ours(&message), "{}: {}", message, context());
            }
        }
    }
}

/// A repo with a view over two files of each of the pairs.
fn repo(pairs: &[(Sample, Sample, DataType)]) -> Project {
    let project = Project::new(&[("feature_store.yaml", &settings("demo"))]);
    for (number, (one, other, declared)) in pairs.iter().enumerate() {
        for (file, sample) in [("1", one), ("2", other)] {
            let rows = sample.array.len();
            let first = if file == "1" { 0 } else { 10 };
            let columns =
                vec![("id", ints((first..).take(rows))), ("ts", days(rows)), ("p", Arc::clone(&sample.array))];
            write_parquet(&project, &format!("data/s{number}/{file}.parquet"), columns);
        }
        project.write(
            &format!("v{number}.yaml"),
            format!(
                "feature_views:\n  - name: v{number}\n    entities: [e]\n    ttl: 0\n    source: {{name: s{number}, \
                 type: file, path: data/s{number}, timestamp_field: ts}}\n    schema:\n      - {{name: p, dtype: \
                 \"{declared}\"}}\n"
            ),
        );
    }
    project.write("e.yaml", "entities: [{name: e, join_keys: [id], value_type: INT64}]\n");
    let ids: String = (0..5).chain(10..15).map(|id| format!("{id},2026-02-01\n")).collect();
    project.write("e.csv", format!("id,event_timestamp\n{ids}"));
    project
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, rng_seed: super::seed(), max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn what_plan_takes_is_materialized_and_joined(pairs in vec(pair(), 8..12)) {
        let project = repo(&pairs);
        let refused = project.feastr(&["plan"]);
        prop_assert!(is_ours(&refused.stderr), "{}", refused.stderr);
        let mut taken = Vec::new();
        for (number, (one, other, declared)) in pairs.iter().enumerate() {
            let name = format!("v{number}.yaml");
            let opened = OpenSource::open(
                &DataSource {
                    kind: SourceKind::File(FileSource { path: format!("data/s{number}"), ..FileSource::default() }),
                    ..source()
                },
                &whereabouts(project.folder.path()),
            );
            if takes(&opened.unwrap(), declared) {
                prop_assert!(!refused.stderr.contains(&format!("{name}:")), "{}: {}", name, refused.stderr);
                taken.push(number);
                continue;
            }
            // A finding about this file, up to the next one.
            let finding = refused.stderr.split("error: ").find(|finding| finding.contains(&format!("{name}:")));
            let finding = finding.ok_or_else(|| TestCaseError::fail(format!("{name} is not refused: {}", refused.stderr)))?;
            prop_assert!(finding.contains("`p`"), "{}", finding);
            if unrepeated(one.array.data_type()) != unrepeated(other.array.data_type()) {
                for file in ["1", "2"] {
                    prop_assert!(finding.contains(&format!("data/s{number}/{file}.parquet")), "{}", finding);
                }
            }
            std::fs::remove_file(project.path(&name)).unwrap();
        }
        project.feastr(&["apply"]).ok();
        for number in taken {
            let (one, other, declared) = &pairs[number];
            let arrays = [&one.array, &other.array];
            let fits = arrays.iter().all(|array| (0..array.len()).all(|row| converted(declared, &cell(array, row)).is_some()));
            let (view, feature) = (format!("v{number}"), format!("v{number}:p"));
            let about = || format!("{} and {} under {declared}", arrays[0].data_type(), arrays[1].data_type());
            for run in [
                &["materialize", super::EARLIER, super::LATER, "--views", &view][..],
                &["get-historical", "--entities", "e.csv", "--features", &feature, "--format", "jsonl"],
            ] {
                let output = project.feastr(run);
                prop_assert!(is_ours(&output.stderr), "{}: {}", about(), output.stderr);
                if !is_compared(declared, one) || !is_compared(declared, other) {
                    continue;
                }
                let place = format!(" of data/s{number}/");
                let placed = output.stderr.contains("row ") && output.stderr.contains(&place) && output.stderr.contains("column `p`: ");
                prop_assert_eq!(output.code == 0, fits, "{}: {}", about(), output.stderr);
                prop_assert!(fits || placed, "{}: {}", about(), output.stderr);
            }
        }
    }
}
