use std::fmt::Display;

/// A number with its noun: `1 entity`, `2 entities`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == N::from(1) => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0u64, 1, 2].map(|count| counted(count, "entity")), ["0 entities", "1 entity", "2 entities"]);
        assert_eq!([1usize, 3].map(|count| counted(count, "row")), ["1 row", "3 rows"]);
    }
}
