use super::known;
use crate::{
    app::{Caller, Failure, FeatureStore},
    diagnostics::did_you_mean,
    discovery::{Direction, Excerpt, Focus, Graph, Known, find},
    model::printable,
    problem::{Kind, Problem},
};

/// Whose lineage is wanted.
#[derive(Debug, Clone, Copy)]
pub struct LineageRequest<'a> {
    /// A name, `kind:name`, `view:feature`, or the name of a feature.
    pub object: &'a str,
    /// Which way.
    pub direction: Direction,
    /// How many steps; `None` for all.
    pub depth: Option<usize>,
}

/// What an object of the project is made of, and what is made of it.
///
/// # Errors
/// [`Kind::NotFound`] when there is none of this name, [`Kind::Invalid`] when there are several; when the registry
/// cannot be read, or a row is damaged.
pub fn lineage(store: &FeatureStore, _: &Caller, request: LineageRequest<'_>) -> Result<Excerpt, Failure> {
    let known = known(&store.registry_to_read().snapshot(store.project())?.rows)?;
    let focus = the_one(&known, request.object)?;
    Ok(Excerpt::of(&Graph::of(&known), focus, request.direction, request.depth.unwrap_or(usize::MAX)))
}

fn the_one(known: &[Known], text: &str) -> Result<Focus, Problem> {
    match <[Focus; 1]>::try_from(find(known, text)) {
        Ok([focus]) => Ok(focus),
        Err(none) if none.is_empty() => {
            let features = known.iter().flat_map(|known| known.card.features.iter().map(|field| field.name.as_str()));
            let names = known.iter().map(|known| known.id.name.as_str()).chain(features);
            let message = format!("there is no object and no feature `{}` in the registry", printable(text));
            // As many names as one likes to read would not be those that are meant.
            let help = crate::diagnostics::closest(last_part(text), names).and_then(|name| did_you_mean(name, [name]));
            Err(Problem::new(Kind::NotFound, message, help))
        }
        Err(several) => {
            let names: Vec<String> =
                several.iter().map(|focus| format!("`{}`", printable(&focus.to_string()))).collect();
            let message = format!("`{}` may be {}", printable(text), names.join(" or "));
            Err(Problem::new(Kind::Invalid, message, "say which one, as it is written there".to_owned()))
        }
    }
}

/// What is a name in `kind:name` and `view:feature`.
fn last_part(text: &str) -> &str {
    text.rsplit_once(':').map_or(text, |(_, name)| name)
}
