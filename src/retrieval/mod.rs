//! From feature references or a service to what is fetched from where, under which name.
//!
//! Training data and online values go through the same [`resolve`], so they cannot differ.

mod arrow_file;
mod collecting;
mod entities;
mod reference;
mod resolve;
mod selected;

pub use collecting::Collecting;
pub use entities::{EVENT_TIMESTAMP, Entities};
pub use reference::FeatureReference;
pub use resolve::{Alias, FeatureRequest, Purpose, Selection, inputs_of_stored, resolve, view};
pub use selected::{
    InputFrom, JoinKey, Retrieval, SelectedFeature, SelectedInput, SelectedOnDemand, SelectedView, Shown,
};
