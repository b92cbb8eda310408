//! Definitions as they are written, every value with its place.
//!
//! These records are the format: the reader, the messages about unknown keys and the JSON Schema
//! are all made from them.

mod about;
mod collected;
mod dataset;
mod entity;
mod field;
mod file;
mod on_demand;
mod permission;
mod service;
mod source;
pub mod tags;
mod text_file;
pub mod values;
mod view;

pub use about::{RawAbout, RawLabels};
pub use collected::Collected;
pub use dataset::{RawSavedDataset, RawStorage, RawValidationReference};
pub use entity::RawEntity;
pub use field::RawField;
pub use file::{RawFile, RawProject};
pub use on_demand::{Input, Output, RawExpression, RawOnDemandFeatureView};
pub use permission::{RawPermission, RawPolicy};
pub use service::{Member, RawDestination, RawFeatureService, RawLoggingConfig};
pub use source::{
    RawBatchKeys, RawConnectionRef, RawFileSource, RawFormat, RawRequestSource, RawSource, RawTimeKeys, SourceRef,
};
pub use view::{
    RawAggregation, RawBatchFeatureView, RawFeatureView, RawLabelView, RawMaterialize, RawStoredKeys,
    RawStreamFeatureView,
};
