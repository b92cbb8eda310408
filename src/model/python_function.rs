use serde::Serialize;

/// A function of Python that computes a view, as the registry has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PythonFunction {
    /// How Feast calls it.
    pub mode: PythonMode,
    /// Its source; empty where only the pickled function was stored.
    pub source: String,
}

/// How Feast calls a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PythonMode {
    /// With a frame of pandas, for one.
    Pandas,
    /// With a mapping of lists, for one.
    Python {
        /// With the values of one row instead.
        singleton: bool,
    },
}
