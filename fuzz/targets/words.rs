use feastr::{
    feast::values::{data_types, value::Map},
    model::{DataType, Timestamp, Ttl},
};

/// What people write in single values: types, durations, times, JSON values.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(dtype) = text.parse::<DataType>() {
        let written = dtype.to_string();
        assert_eq!(written.parse::<DataType>().ok(), Some(dtype.clone()), "{written}");
        let wire = data_types::to_wire(&dtype);
        drop(data_types::from_wire(wire.number, &wire.tags.into_iter().collect()));
    }
    if let Ok(ttl) = text.parse::<Ttl>() {
        assert_eq!(ttl.to_string().parse::<Ttl>().ok(), Some(ttl), "{ttl}");
    }
    drop(data_types::parse_value_type(&text));
    drop(Timestamp::parse(&text, Timestamp::from_micros(0)));
    drop(Map::from_json(&text));
}
