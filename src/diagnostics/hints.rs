/// The candidate most like `wanted`, if one is close enough to be meant.
pub fn closest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted_lower = wanted.to_lowercase();
    let candidates: Vec<&str> = candidates.into_iter().collect();
    // The beginning of one name alone is an abbreviation of it.
    let mut begun = candidates.iter().filter(|name| name.to_lowercase().starts_with(&wanted_lower));
    if let (Some(only), None, true) = (begun.next(), begun.next(), wanted.len() >= SHORTEST_BEGINNING) {
        return Some(only);
    }
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted_lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed_distance(wanted, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Fewer characters than this could begin anything.
const SHORTEST_BEGINNING: usize = 3;

/// A third of the longer word may differ, so that short names are not matched with anything.
fn allowed_distance(wanted: &str, candidate: &str) -> usize {
    wanted.chars().count().max(candidate.chars().count()).div_ceil(3)
}

/// A sentence that offers the closest candidate, or else lists what there is.
pub fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const LISTED: usize = 12;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(candidate) = closest(wanted, candidates.iter().copied()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    match candidates.as_slice() {
        [] => None,
        [only] => Some(format!("there is only `{only}`")),
        some if some.len() <= LISTED => Some(format!("there are {}", quoted_list(some))),
        many => Some(format!("there are {} and {} more", quoted_list(&many[..LISTED]), many.len() - LISTED)),
    }
}

fn quoted_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(closest("conv_rte", ["acc_rate", "conv_rate"]), Some("conv_rate"));
        assert_eq!(closest("Int46", ["Int64", "Int32"]), Some("Int64"));
        assert_eq!(closest("x", ["driver"]), None);
        assert_eq!(closest("desc", ["name", "description"]), Some("description"));
        assert_eq!(closest("dri", ["driver_fresh_stats", "driver_hourly_stats"]), None);
        assert_eq!(did_you_mean("zzz", ["a_long_name"]).as_deref(), Some("there is only `a_long_name`"));
        assert_eq!(did_you_mean("zzz", []), None);
    }
}
