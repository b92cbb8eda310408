use super::tags::WrittenTags;
use crate::{
    model::DataType,
    yaml::{Spanned, record},
};

record! {
    /// A named, typed column.
    pub(crate) struct RawField, "a schema column";
    required {
        /// Unique in the view.
        name: Spanned<String>,
        /// Type of the values, such as Int64, Float32, String or Array(Float32).
        dtype: Spanned<DataType>,
    }
    optional {
        /// Whether the column is indexed for similarity search; at most one column of a view is.
        vector_index: Spanned<bool>,
    }
    defaulted {
        /// What the values mean.
        description: String,
        /// Free labels.
        tags: WrittenTags,
        /// Number of elements of each vector.
        vector_length: i32,
        /// How vectors are compared, such as cosine or l2.
        vector_search_metric: String,
    }
}
