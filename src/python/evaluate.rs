//! What expressions are worth: a value of each row, as SQL.

use std::collections::BTreeMap;

use super::{
    Refused,
    arithmetic::{binary, negated},
    cast::{Dtype, cast},
    choice::{choose, clipped, filled, lossless, replaced},
    comparison::{compare, condition, is_in, is_missing, is_none, test},
    functions::{absolute, extreme, math, numpy, rounded},
    syntax::{Argument, Binary, Comparison, Expr, Node, Unary},
    term::{Kind, Literal, Number, Rules, Term},
};

/// What names mean where an expression stands.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// How values are computed.
    pub rules: Rules,
    /// What variables are worth, or why that is not translated.
    pub variables: BTreeMap<String, Result<Term, Refused>>,
    /// The columns of frames, by the variables that hold them.
    pub frames: BTreeMap<String, BTreeMap<String, Result<Term, Refused>>>,
    /// The modules, by the names they go by.
    pub modules: BTreeMap<String, Module>,
}

/// A module whose functions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Module {
    Pandas,
    Numpy,
    Math,
}

impl Module {
    pub(super) fn called(name: &str) -> Option<Self> {
        match name {
            "pandas" => Some(Self::Pandas),
            "numpy" => Some(Self::Numpy),
            "math" => Some(Self::Math),
            _ => None,
        }
    }
}

/// The arguments of a call, each taken once.
struct Arguments<'a> {
    of: &'a Expr,
    rest: Vec<&'a Argument>,
}

impl<'a> Arguments<'a> {
    fn new(of: &'a Expr, arguments: &'a [Argument]) -> Self {
        Self { of, rest: arguments.iter().collect() }
    }

    /// The next argument, or that of a name.
    fn take(&mut self, name: &str) -> Option<&'a Expr> {
        let position = self.rest.iter().position(|argument| argument.name.as_deref() == Some(name));
        let position = position.or_else(|| self.rest.first().filter(|first| first.name.is_none()).map(|_| 0))?;
        Some(&self.rest.remove(position).value)
    }

    fn need(&mut self, name: &str) -> Result<&'a Expr, Refused> {
        let of = self.of;
        self.take(name).ok_or_else(|| refused(of, "an argument is missing"))
    }

    fn end(self) -> Result<(), Refused> {
        match self.rest.first() {
            None => Ok(()),
            Some(_) => Err(refused(self.of, "it has arguments that are not translated")),
        }
    }
}

/// Why an expression is not translated.
pub(super) fn refused(expr: &Expr, reason: impl AsRef<str>) -> Refused {
    let text = expr.text.split_whitespace().collect::<Vec<_>>().join(" ");
    Refused { line: Some(expr.line), reason: format!("`{text}`: {}", reason.as_ref()) }
}

/// Longest SQL in bytes that somebody would still read.
const MAX_LENGTH: usize = 1000;

impl Scope {
    /// The value of an expression.
    ///
    /// # Errors
    /// When it is not plain, or SQL would give another value.
    pub(super) fn term(&self, expr: &Expr) -> Result<Term, Refused> {
        let term = self.evaluated(expr)?;
        if term.length() > MAX_LENGTH { Err(refused(expr, "its SQL would be too long to be read")) } else { Ok(term) }
    }

    fn evaluated(&self, expr: &Expr) -> Result<Term, Refused> {
        let unknown = || refused(expr, "this is not translated");
        match &expr.node {
            Node::None if self.rules.is_element() => Ok(Term::Literal(Literal::Missing)),
            Node::Bool(value) => Ok(Term::Literal(Literal::Bool(*value))),
            Node::Integer(value) => Ok(Term::Literal(Literal::Integer(*value))),
            Node::Float(value) => Ok(Term::Literal(Literal::Float(*value))),
            Node::Text(text) => Ok(Term::Literal(Literal::Text(text.clone()))),
            Node::Name(name) if self.frames.contains_key(name) => Err(refused(expr, "only its columns are translated")),
            Node::Name(name) => self.variables.get(name).cloned().unwrap_or_else(|| Err(unknown())),
            Node::Item { holder, key } => self.column(expr, holder, key),
            Node::Attribute { holder, name } => self.attribute(expr, holder, name),
            Node::Call { function, arguments } => self.call(expr, function, Arguments::new(expr, arguments)),
            Node::Unary { operator, operand } => {
                let term = self.term(operand)?;
                self.unary(*operator, term).map_err(|reason| refused(expr, reason))
            }
            Node::Binary { operator, left, right } => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                self.binary(*operator, left, right).map_err(|reason| refused(expr, reason))
            }
            Node::Compare { operator, left, right } => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                let compared = compare(*operator, &left, &right, self.rules);
                compared.map(Term::Condition).map_err(|reason| refused(expr, reason))
            }
            Node::IsNone { operand, negated } if self.rules.is_element() => {
                let term = self.term(operand)?;
                if self.rules == Rules::Applied && matches!(term, Term::Number(_)) {
                    return Err(refused(expr, "a missing number is NaN here, and not None"));
                }
                is_none(&term, *negated).map(Term::Condition).map_err(|reason| refused(expr, reason))
            }
            Node::Conditional { test: condition, then, otherwise } if self.rules.is_element() => {
                let (condition, then) = (self.term(condition)?, self.term(then)?);
                let otherwise = self.term(otherwise)?;
                let chosen = test(condition).and_then(|condition| choose(&condition, then, otherwise, self.rules));
                chosen.map_err(|reason| refused(expr, reason))
            }
            _ => Err(unknown()),
        }
    }

    fn unary(&self, operator: Unary, term: Term) -> Result<Term, String> {
        match (operator, self.rules) {
            (Unary::Minus, _) => negated(term),
            (Unary::Plus, _) if matches!(term, Term::Number(_)) => Ok(term),
            (Unary::Invert, Rules::Column) => condition(term).map(|inner| Term::Condition(inner.not())),
            (Unary::Not, rules) if rules.is_element() => test(term).map(|inner| Term::Condition(inner.not())),
            _ => Err("this is not translated".to_owned()),
        }
    }

    fn binary(&self, operator: Binary, left: Term, right: Term) -> Result<Term, String> {
        let both = |left, right| Ok::<_, String>((condition(left)?, condition(right)?));
        match (operator, self.rules) {
            (Binary::BitAnd, _) | (Binary::And, Rules::Element | Rules::Applied) => {
                both(left, right).map(|(left, right)| Term::Condition(left.and(right)))
            }
            (Binary::BitOr, _) | (Binary::Or, Rules::Element | Rules::Applied) => {
                both(left, right).map(|(left, right)| Term::Condition(left.or(right)))
            }
            _ => binary(operator, left, right, self.rules),
        }
    }

    fn column(&self, expr: &Expr, holder: &Expr, key: &Expr) -> Result<Term, Refused> {
        let (Node::Name(holder), Node::Text(key)) = (&holder.node, &key.node) else {
            return Err(refused(expr, "this is not translated"));
        };
        let Some(columns) = self.frames.get(holder) else { return Err(refused(expr, "this is not translated")) };
        match columns.get(key).cloned() {
            Some(Err(Refused { line: None, reason })) => Err(refused(expr, reason)),
            Some(column) => column,
            None => Err(refused(expr, "it is none of the view's inputs")),
        }
    }

    fn module(&self, expr: &Expr) -> Option<Module> {
        match &expr.node {
            Node::Name(name) if !self.variables.contains_key(name) => self.modules.get(name).copied(),
            _ => None,
        }
    }

    fn attribute(&self, expr: &Expr, holder: &Expr, name: &str) -> Result<Term, Refused> {
        match (self.module(holder), name) {
            (Some(Module::Numpy | Module::Math), "nan") => Ok(Term::Literal(Literal::Missing)),
            (Some(Module::Numpy | Module::Math), "inf") => Ok(Term::Literal(Literal::Float(f64::INFINITY))),
            (None, "values") if self.rules == Rules::Column => self.term(holder),
            (None, _) => self.term(holder).and(Err(refused(expr, "this is not translated"))),
            _ => Err(refused(expr, "this is not translated")),
        }
    }

    fn call(&self, expr: &Expr, function: &Expr, mut arguments: Arguments<'_>) -> Result<Term, Refused> {
        match &function.node {
            Node::Name(name) if !["abs", "float", "int"].contains(&name.as_str()) => {
                Err(refused(expr, "this function is not translated"))
            }
            Node::Name(name) if !self.variables.contains_key(name) => {
                let term = self.term(arguments.need("x")?)?;
                let result = match (name.as_str(), self.rules) {
                    ("abs", _) => absolute(term),
                    ("float", rules) if rules.is_element() || matches!(term, Term::Literal(_)) => {
                        cast(term, Dtype::Number(Kind::Double))
                    }
                    ("int", rules) if rules.is_element() => cast(term, Dtype::Number(Kind::Integer)),
                    _ => Err("this function is not translated".to_owned()),
                };
                let term = result.map_err(|reason| refused(expr, reason))?;
                arguments.end().map(|()| term)
            }
            Node::Attribute { holder, name } => match self.module(holder) {
                Some(module) => self.function(expr, module, name, arguments),
                None => {
                    let term = self.term(holder)?;
                    self.method(expr, term, name, arguments)
                }
            },
            _ => Err(refused(expr, "this is not translated")),
        }
    }

    /// A function of a module.
    fn function(&self, expr: &Expr, module: Module, name: &str, mut arguments: Arguments<'_>) -> Result<Term, Refused> {
        let columns = self.rules == Rules::Column;
        let first = self.term(arguments.need("x")?)?;
        let result = match (module, name) {
            (Module::Numpy, "where") if columns => {
                let then = self.term(arguments.need("x")?)?;
                let otherwise = self.term(arguments.need("y")?)?;
                test(first).and_then(|condition| choose(&condition, then, otherwise, self.rules))
            }
            (Module::Numpy, "maximum" | "minimum") if columns => {
                let operator = if name == "maximum" { Comparison::Less } else { Comparison::Greater };
                let second = self.term(arguments.need("y")?)?;
                extreme(operator, first, second)
            }
            (Module::Numpy, "logical_and" | "logical_or") if columns => {
                let operator = if name == "logical_and" { Binary::BitAnd } else { Binary::BitOr };
                let second = self.term(arguments.need("y")?)?;
                self.binary(operator, first, second)
            }
            (Module::Numpy, "logical_not") if columns => self.unary(Unary::Invert, first),
            (Module::Numpy, "isnan") => numpy(name, first),
            (Module::Numpy, _) if columns => numpy(name, first),
            (Module::Pandas, "isna" | "isnull") => is_missing(&first, false).map(Term::Condition),
            (Module::Pandas, "notna" | "notnull") => is_missing(&first, true).map(Term::Condition),
            (Module::Math, _) if !columns => math(name, first),
            _ => Err("this function is not translated".to_owned()),
        };
        let term = result.map_err(|reason| refused(expr, reason))?;
        arguments.end().map(|()| term)
    }

    /// A method of a column.
    fn method(&self, expr: &Expr, term: Term, name: &str, mut arguments: Arguments<'_>) -> Result<Term, Refused> {
        if self.rules != Rules::Column {
            return Err(refused(expr, "this method is not translated"));
        }
        let result = match name {
            "copy" | "to_numpy" => Ok(term),
            "abs" => absolute(term),
            "isna" | "isnull" => is_missing(&term, false).map(Term::Condition),
            "notna" | "notnull" => is_missing(&term, true).map(Term::Condition),
            "astype" => {
                let dtype = Dtype::of(arguments.need("dtype")?);
                dtype.ok_or_else(|| "this type is not translated".to_owned()).and_then(|dtype| cast(term, dtype))
            }
            "fillna" => {
                let value = self.term(arguments.need("value")?)?;
                filled(term, value)
            }
            "where" | "mask" => {
                let wanted = self.term(arguments.need("cond")?)?;
                let other = arguments.take("other").map(|other| self.term(other)).transpose()?;
                kept(term, wanted, other.unwrap_or(Term::Literal(Literal::Missing)), name == "mask")
            }
            "clip" => {
                let lower = arguments.take("lower").map(|bound| self.bound(bound)).transpose()?.flatten();
                let upper = arguments.take("upper").map(|bound| self.bound(bound)).transpose()?.flatten();
                clipped(term, lower, upper)
            }
            "between" => {
                let (left, right) = (self.term(arguments.need("left")?)?, self.term(arguments.need("right")?)?);
                let from = compare(Comparison::GreaterEqual, &term, &left, self.rules);
                let to = compare(Comparison::LessEqual, &term, &right, self.rules);
                from.and_then(|from| Ok(Term::Condition(from.and(to?))))
            }
            "isin" => {
                let values = self.literals(arguments.need("values")?)?;
                is_in(&term, &values).map(Term::Condition)
            }
            "replace" => {
                let from = self.literals(arguments.need("to_replace")?)?;
                let to = self.term(arguments.need("value")?)?;
                from.iter().try_fold(term, |term, from| replaced(term, from, to.clone()))
            }
            "round" => match arguments.take("decimals").map(|decimals| &decimals.node) {
                None | Some(Node::Integer(0)) => rounded(term),
                Some(_) => Err("SQL rounds to other decimals".to_owned()),
            },
            "apply" | "map" => {
                let lambda = arguments.need("func")?;
                return arguments.end().and_then(|()| self.applied(expr, term, lambda));
            }
            _ => match (operator(name), comparison(name)) {
                (Some(operator), _) => {
                    let other = self.term(arguments.need("other")?)?;
                    self.binary(operator, term, other)
                }
                (_, Some(operator)) => {
                    let other = self.term(arguments.need("other")?)?;
                    compare(operator, &term, &other, self.rules).map(Term::Condition)
                }
                _ => Err("this method is not translated".to_owned()),
            },
        };
        let term = result.map_err(|reason| refused(expr, reason))?;
        arguments.end().map(|()| term)
    }

    /// What a function makes of the values of a column one by one.
    fn applied(&self, expr: &Expr, term: Term, lambda: &Expr) -> Result<Term, Refused> {
        let Node::Lambda { parameter, body } = &lambda.node else {
            return Err(refused(expr, "only a lambda is translated here"));
        };
        let element = match term {
            Term::Number(number) if number.kind == Kind::Single => {
                Term::Number(Number { is_column: number.is_column, ..number.double() })
            }
            term @ (Term::Number(_) | Term::Text(_)) => term,
            other => return Err(refused(expr, format!("{} is not computed with", other.described()))),
        };
        let variables = BTreeMap::from([(parameter.clone(), Ok(element))]);
        let scope = Self { rules: Rules::Applied, variables, frames: BTreeMap::new(), modules: self.modules.clone() };
        scope.term(body)
    }

    /// A literal; `None` where no bound is said.
    fn bound(&self, expr: &Expr) -> Result<Option<Literal>, Refused> {
        if expr.node == Node::None {
            return Ok(None);
        }
        match self.term(expr)? {
            Term::Literal(literal) if literal.is_number() => Ok(Some(literal)),
            _ => Err(refused(expr, "only numbers are translated as bounds")),
        }
    }

    /// A literal or a list of them.
    fn literals(&self, expr: &Expr) -> Result<Vec<Literal>, Refused> {
        let items = match &expr.node {
            Node::List(items) => items.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        let literals = items.iter().map(|item| match self.term(item)? {
            Term::Literal(Literal::Missing) if matches!(item.node, Node::Attribute { .. }) => {
                Ok(Literal::Float(f64::NAN))
            }
            Term::Literal(literal) => Ok(literal),
            _ => Err(refused(item, "only literals are translated here")),
        });
        literals.collect()
    }
}

/// The values of a column where a condition is true, or with `mask` where it is not.
fn kept(term: Term, wanted: Term, other: Term, mask: bool) -> Result<Term, String> {
    let wanted = condition(wanted)?;
    let is_integer = matches!(&term, Term::Number(number) if number.kind.is_integer());
    if is_integer && matches!(other, Term::Literal(Literal::Missing)) {
        return Err(
            "whether integers become floats here depends on the rows: say what stands in their place".to_owned()
        );
    }
    let other = match &term {
        Term::Number(number) => lossless(other, number.kind)?,
        _ => other,
    };
    if mask { choose(&wanted, other, term, Rules::Column) } else { choose(&wanted, term, other, Rules::Column) }
}

/// The operator that a method is another name for.
fn operator(method: &str) -> Option<Binary> {
    Some(match method {
        "add" => Binary::Add,
        "sub" | "subtract" => Binary::Subtract,
        "mul" | "multiply" => Binary::Multiply,
        "div" | "divide" | "truediv" => Binary::Divide,
        "floordiv" => Binary::FloorDivide,
        "mod" => Binary::Modulo,
        "pow" => Binary::Power,
        _ => return None,
    })
}

/// The comparison that a method is another name for.
fn comparison(method: &str) -> Option<Comparison> {
    Some(match method {
        "eq" => Comparison::Equal,
        "ne" => Comparison::NotEqual,
        "lt" => Comparison::Less,
        "le" => Comparison::LessEqual,
        "gt" => Comparison::Greater,
        "ge" => Comparison::GreaterEqual,
        _ => return None,
    })
}
