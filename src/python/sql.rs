//! Pieces of SQL that know how strongly they hold together, so that brackets stand only where they are needed.

/// How strongly an expression holds together, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Compare,
    Concat,
    Sum,
    Product,
    Sign,
    Atom,
}

/// An expression of DuckDB's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sql {
    /// As it is written.
    pub text: String,
    level: Level,
    /// Of a `CASE` what follows that word, so that one inside another becomes one more branch.
    branches: Option<String>,
    /// Whether it is the name of an input.
    pub is_input: bool,
}

impl Sql {
    /// The name of an input, in quotes where it needs some.
    pub(super) fn input(name: String) -> Self {
        Self { is_input: true, ..Self::atom(name) }
    }

    /// A literal or a call.
    pub(super) fn atom(text: impl Into<String>) -> Self {
        Self { text: text.into(), level: Level::Atom, branches: None, is_input: false }
    }

    /// A function of arguments.
    pub(super) fn call(function: &str, arguments: &[&Self]) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(|argument| argument.text.as_str()).collect();
        Self::atom(format!("{function}({})", arguments.join(", ")))
    }

    /// `CAST(inner AS type)`.
    pub(super) fn cast(&self, sql_type: &str) -> Self {
        Self::atom(format!("CAST({} AS {sql_type})", self.text))
    }

    /// `left operator right`, of operators that hold together from the left.
    pub(super) fn binary(&self, operator: &str, right: &Self, level: Level) -> Self {
        let text = format!("{} {operator} {}", self.inside(level), right.inside_of_right(level));
        Self { level, ..Self::atom(text) }
    }

    /// `operator inner`, or `operatorinner` for signs.
    pub(super) fn unary(&self, operator: &str, level: Level) -> Self {
        Self { level, ..Self::atom(format!("{operator}{}", self.inside_of_right(level))) }
    }

    /// `inner operator`, such as `x IS NULL`.
    pub(super) fn followed(&self, operator: &str) -> Self {
        let text = format!("{} {operator}", self.inside_of_right(Level::Compare));
        Self { level: Level::Compare, ..Self::atom(text) }
    }

    /// `CASE WHEN condition THEN then ELSE otherwise END`; without the last part where that is `None`.
    pub(super) fn case(condition: &Self, then: &Self, otherwise: Option<&Self>) -> Self {
        let end = match otherwise {
            None => "END".to_owned(),
            Some(Self { branches: Some(branches), .. }) => branches.clone(),
            Some(otherwise) => format!("ELSE {} END", otherwise.text),
        };
        let branches = format!("WHEN {} THEN {} {end}", condition.text, then.text);
        Self { branches: Some(branches.clone()), ..Self::atom(format!("CASE {branches}")) }
    }

    fn inside(&self, level: Level) -> String {
        if self.level < level { format!("({})", self.text) } else { self.text.clone() }
    }

    fn inside_of_right(&self, level: Level) -> String {
        if self.level <= level && self.level != Level::Atom { format!("({})", self.text) } else { self.text.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_stand_where_the_order_needs_them() {
        let [a, b, c] = ["a", "b", "c"].map(Sql::atom);
        let difference = b.binary("-", &c, Level::Sum);
        assert_eq!(a.binary("-", &difference, Level::Sum).text, "a - (b - c)");
        assert_eq!(difference.binary("-", &a, Level::Sum).text, "b - c - a");
        assert_eq!(difference.binary("*", &a, Level::Product).text, "(b - c) * a");
        assert_eq!(a.binary("*", &b, Level::Product).binary("+", &c, Level::Sum).text, "a * b + c");
        assert_eq!(difference.unary("-", Level::Sign).text, "-(b - c)");
        assert_eq!(a.unary("-", Level::Sign).unary("-", Level::Sign).text, "-(-a)");
        assert_eq!(difference.followed("IS NULL").text, "b - c IS NULL");
    }

    #[test]
    fn cases_in_cases_are_branches() {
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(Sql::atom);
        let inner = Sql::case(&c, &d, Some(&e));
        assert_eq!(Sql::case(&a, &b, Some(&inner)).text, "CASE WHEN a THEN b WHEN c THEN d ELSE e END");
        assert_eq!(Sql::case(&a, &inner, None).text, "CASE WHEN a THEN CASE WHEN c THEN d ELSE e END END");
    }
}
