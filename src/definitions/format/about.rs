use super::tags::WrittenTags;
use crate::yaml::{Spanned, record};

record! {
    /// Keys of objects that somebody is responsible for.
    pub(crate) struct RawAbout, "an object";
    defaulted {
        /// What it is, in words.
        description: String,
        /// Who is responsible, usually an e-mail address.
        owner: String,
    }
    flatten { labels: RawLabels, }
}

record! {
    /// Keys of every object but the project.
    pub(crate) struct RawLabels, "an object";
    optional {
        /// The name it had before: plan shows a rename instead of a deletion and a new object.
        renamed_from: Spanned<String>,
    }
    defaulted {
        /// Free labels.
        tags: WrittenTags,
        /// Whether feastr refuses to delete or break it.
        protect: bool,
    }
}
