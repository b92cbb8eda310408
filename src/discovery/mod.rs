//! Looking around in what is registered, as functions over objects that are read already: what is made of what
//! ([`Lineage`] in Feast's words, [`Graph`] for people), where a text is found ([`search`]), how much there is.

mod counts;
mod excerpt;
mod features;
mod filter;
mod focus;
mod graph;
mod known;
mod lineage;
mod search;
mod tags;
#[cfg(test)]
mod tests;

pub use counts::{Counts, counts};
pub use excerpt::{Direction, Excerpt, Node};
pub use features::{KnownFeature, features};
pub use filter::{ViewFilter, selects_from};
pub use focus::{Focus, find};
pub use graph::{Edge, Graph};
pub use known::{Known, views};
pub use lineage::{Lineage, Reference, Relation, Thing};
pub use search::{Found, Sought, search};
pub use tags::{PopularTag, popular_tags};
