//! Definitions as they are written, every value with its place.
//!
//! These records are the format: the reader, the messages about unknown keys and the JSON Schema
//! are all made from them.

mod about;
mod collected;
mod dataset;
mod delta;
mod entity;
mod field;
mod file;
mod on_demand;
mod permission;
mod service;
mod source;
pub(crate) mod tags;
mod text_file;
pub(crate) mod values;
mod view;

pub(crate) use about::{RawAbout, RawLabels};
pub(crate) use collected::Collected;
pub(crate) use dataset::{RawSavedDataset, RawStorage, RawValidationReference};
pub(crate) use entity::RawEntity;
pub(crate) use field::RawField;
pub(crate) use file::{RawFile, RawProject};
pub(crate) use on_demand::{Input, Output, RawExpression, RawOnDemandFeatureView};
pub(crate) use permission::{RawPermission, RawPolicy};
pub(crate) use service::{Member, RawDestination, RawFeatureService, RawLoggingConfig};
pub(crate) use source::{
    RawBatchKeys, RawConnectionRef, RawFileSource, RawFormat, RawRequestSource, RawSource, RawSparkSource, RawTimeKeys,
    SourceRef,
};
pub(crate) use view::{
    RawAggregation, RawBatchFeatureView, RawFeatureView, RawLabelView, RawMaterialize, RawStoredKeys,
    RawStreamFeatureView,
};
