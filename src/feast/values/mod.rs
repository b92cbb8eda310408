//! Values, their types and entity keys as Feast stores them.

pub mod data_types;
pub mod decode;
pub mod encode;
pub mod entity_key;
mod event_time;
pub mod feature_hash;
mod infer;
pub(in crate::feast) mod python_text;
mod type_text;
pub mod value;
mod wire_value;

pub use event_time::EventTime;
pub use infer::infer;
pub use type_text::type_text;
pub use wire_value::WireValue;
