//! Settings that Feast stores as the text of a JSON object.

use std::collections::BTreeMap;

use crate::feast::values::python_text;

/// An object of texts; `None` when the bytes are anything else.
pub(crate) fn json_object(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    serde_json::from_slice(bytes).ok()
}

/// An object of texts in the given order, spaced and escaped as Feast's Python does.
pub(crate) fn json_text(settings: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::from("{");
    for (index, (name, value)) in settings.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        python_text::json_string(name, &mut text);
        text.push_str(": ");
        python_text::json_string(value, &mut text);
    }
    text.push('}');
    text.into_bytes()
}
