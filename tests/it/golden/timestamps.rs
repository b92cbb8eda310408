//! Moments as Feast serializes them.

use feastr::{
    feast::registry::messages::{Timestamp, decode},
    model,
};
use prost::Message;

use super::registry_rows::{bytes, golden_root, read_json};

#[test]
fn moments_have_the_recorded_bytes() {
    let recorded = read_json(&golden_root().join("vectors/timestamps.json"));
    let vectors = recorded["vectors"].as_array().unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let text = vector["utc"].as_str().or_else(|| vector["local"].as_str());
        let moment = moment(text.unwrap());
        let message = Timestamp::from(moment);
        assert_eq!(message.encode_to_vec(), bytes(vector), "{vector}");
        assert_eq!(decode::<Timestamp>(&bytes(vector)).unwrap(), message, "{vector}");
        assert_eq!(model::Timestamp::from(message), moment, "{vector}");
    }
    // Below a microsecond everything is cut off.
    let nanoseconds = recorded["nanosecond_inputs"].as_array().unwrap();
    assert!(!nanoseconds.is_empty());
    for vector in nanoseconds {
        let message = Timestamp::from(moment(vector["pandas_ns"].as_str().unwrap()));
        assert_eq!(message.encode_to_vec(), bytes(vector), "{vector}");
    }
}

fn moment(text: &str) -> model::Timestamp {
    model::Timestamp::parse(text, model::Timestamp::from_micros(0)).unwrap()
}
