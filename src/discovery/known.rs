use std::sync::Arc;

use crate::{
    feast::registry::{Card, DecodeError},
    model::{ObjectId, ObjectKind},
};

/// A registered object, with what it says of itself. Copies share that.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its kind and name.
    pub id: ObjectId,
    /// What it says.
    pub card: Arc<Card>,
}

impl Known {
    /// Reads a stored message, also of an object that definitions cannot declare.
    ///
    /// # Errors
    /// When the bytes are not a message of this kind.
    pub fn read(kind: ObjectKind, name: &str, proto: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { id: ObjectId::new(kind, name), card: Card::read(kind, proto)?.into() })
    }

    /// Whether it is of this kind.
    pub(super) fn is(&self, kind: ObjectKind) -> bool {
        self.id.kind == kind
    }
}

/// The kinds of views in the order in which Feast lists all of them.
const VIEWS: [ObjectKind; 4] =
    [ObjectKind::FeatureView, ObjectKind::StreamFeatureView, ObjectKind::OnDemandFeatureView, ObjectKind::LabelView];

/// All views, a kind after the other as Feast lists them.
pub fn views(known: &[Known]) -> impl Iterator<Item = &Known> {
    VIEWS.into_iter().flat_map(|kind| known.iter().filter(move |known| known.is(kind)))
}
