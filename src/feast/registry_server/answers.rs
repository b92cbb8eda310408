//! Answers, made of the bytes of stored objects.

use bytes::Bytes;
use prost::Message as _;

use crate::{feast::wire::length_delimited, model::ObjectKind};

/// `PaginationMetadata`: where a page is in a list.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct PageInfo {
    /// From 1; 0 if there are no pages.
    #[prost(int32, tag = "1")]
    pub page: i32,
    /// How many entries a page has; 0 if there are no pages.
    #[prost(int32, tag = "2")]
    pub limit: i32,
    /// How many entries there are.
    #[prost(int32, tag = "3")]
    pub total_count: i32,
    /// How many pages there are.
    #[prost(int32, tag = "4")]
    pub total_pages: i32,
    /// Whether there is a page after this.
    #[prost(bool, tag = "5")]
    pub has_next: bool,
    /// Whether there is a page before this.
    #[prost(bool, tag = "6")]
    pub has_previous: bool,
}

/// `List…Response` of all kinds: entries, and where they are among all.
#[derive(Debug, Default)]
pub struct List(Vec<u8>);

impl List {
    /// One more entry.
    pub fn add(&mut self, entry: &[u8]) {
        self.0.extend(length_delimited(1, entry));
    }

    /// The whole answer.
    pub fn end(mut self, page: PageInfo) -> Bytes {
        self.0.extend(length_delimited(2, &page.encode_to_vec()));
        self.0.into()
    }
}

/// `AnyFeatureView` with a view of some kind; empty for what is no view.
pub fn any_view(kind: ObjectKind, proto: &[u8]) -> Vec<u8> {
    let number = match kind {
        ObjectKind::FeatureView => 1,
        ObjectKind::OnDemandFeatureView => 2,
        ObjectKind::StreamFeatureView => 3,
        ObjectKind::LabelView => 4,
        _ => return Vec::new(),
    };
    length_delimited(number, proto)
}

/// An answer that has nothing but a message in its first field, such as `GetAnyFeatureViewResponse`.
pub fn one_field(content: &[u8]) -> Bytes {
    length_delimited(1, content).into()
}
