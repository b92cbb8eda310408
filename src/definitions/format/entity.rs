use super::{about::RawAbout, values::EntityValueType};
use crate::yaml::{Spanned, record};

record! {
    /// A thing that features describe, such as a driver or a customer.
    pub(crate) struct RawEntity, "an entity";
    required {
        /// Unique among the entities of the project.
        name: Spanned<String>,
    }
    optional {
        /// The column with the identity of the entity: exactly one; by default its name is the entity's.
        join_keys: Spanned<Vec<Spanned<String>>>,
        /// Type of the join key; by default taken from the view's schema or its source.
        value_type: Spanned<EntityValueType>,
    }
    flatten { about: RawAbout, }
}
