//! What a stored object says about itself whatever is in it: who is responsible, and what it needs of others.

use super::{
    card::{Card, Link, SourcePart},
    messages::DecodeError,
};
use crate::model::{DUMMY_ENTITY, ObjectKind, Use};

/// An object's owner and what it needs of other objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// Who is responsible; empty where nobody is named.
    pub owner: String,
    /// In the order of the message.
    pub uses: Vec<Use>,
}

/// Whose a stored object is and what it uses, also of one that definitions cannot declare.
///
/// # Errors
/// When the bytes are not a message of this kind.
pub fn uses(kind: ObjectKind, proto: &[u8]) -> Result<Uses, DecodeError> {
    let Card { owner, links, .. } = Card::read(kind, proto)?;
    Ok(Uses { owner, uses: links.into_iter().filter_map(used).collect() })
}

/// What a link needs: neither the entity that stands for none, nor what another source needs.
fn used(link: Link) -> Option<Use> {
    Some(match link {
        Link::Entity(name) if name == DUMMY_ENTITY => return None,
        Link::Source { part: SourcePart::Behind, .. } => return None,
        Link::Entity(name) => Use::Entity(name),
        Link::Source { name, .. } => Use::DataSource(name),
        Link::View { name: view, features } => Use::Features { view, features },
        Link::FeatureService(name) => Use::FeatureService(name),
        Link::SavedDataset(name) => Use::SavedDataset(name),
    })
}
