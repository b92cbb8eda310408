/// Which view of which project: both are texts, and this keeps them from being taken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The view's name.
    pub name: &'a str,
}
