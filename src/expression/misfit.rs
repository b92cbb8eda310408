/// An expression that cannot be computed, or not as what is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The position of the output.
    pub output: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether it is computed as declared, and only not by the engine elsewhere that joins training data.
    pub only_elsewhere: bool,
}
