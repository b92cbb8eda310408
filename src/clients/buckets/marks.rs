//! Names of objects that say how it is with a folder. A bucket has no folders that could take a name at once, so what is
//! written to one is whole when its writer says so. Readers leave such names out, as all that begin with `_`.

/// The folder is being filled, or who did was stopped: what is in it is not whole, and not to be read.
pub const INCOMPLETE: &str = "_INCOMPLETE";

/// All files of the folder are there, as Hadoop and Spark say it.
pub const SUCCESS: &str = "_SUCCESS";
