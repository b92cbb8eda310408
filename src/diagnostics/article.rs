/// A noun with its article, as messages say what something is not: `an Int64`, `a time`. Names of what cannot be counted
/// stay without one.
pub fn with_article(noun: &str) -> String {
    const UNCOUNTED: [&str; 2] = ["Bytes", "base64"];
    if UNCOUNTED.contains(&noun) {
        noun.to_owned()
    } else if noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) {
        format!("an {noun}")
    } else {
        format!("a {noun}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_go_by_the_sound() {
        let nouns = ["Int64", "Array(Int64)", "Uuid", "time like `%d`", "Bytes"].map(with_article);
        assert_eq!(nouns, ["an Int64", "an Array(Int64)", "a Uuid", "a time like `%d`", "Bytes"]);
    }
}
