//! The part of Python's syntax that may be plain enough for SQL, as values. What is not understood is kept by its
//! text alone, so that a message can show it.

/// A function of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Function {
    /// What the function calls its inputs.
    pub parameter: String,
    /// What it does, one after the other.
    pub body: Vec<Statement>,
}

/// One line of a function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    /// Its line in the source, from 1.
    pub line: usize,
    /// What it does.
    pub action: Action,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// `name = value`, `name["key"] = value`.
    Assign { target: Target, value: Expr },
    /// `return value`.
    Return(Expr),
    /// `import module as name`.
    Import { module: String, name: String },
    /// Anything else, by its first line.
    Other(String),
}

/// What a value is given to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// A variable.
    Name(String),
    /// An entry of what a variable holds.
    Item { holder: String, key: String },
}

/// An expression with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    /// Its line in the source, from 1.
    pub line: usize,
    /// As it is written.
    pub text: String,
    /// What it is.
    pub node: Node,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A variable, a function or a module.
    Name(String),
    /// `holder.name`.
    Attribute { holder: Box<Expr>, name: String },
    /// `holder[key]`.
    Item { holder: Box<Expr>, key: Box<Expr> },
    /// `function(arguments)`.
    Call { function: Box<Expr>, arguments: Vec<Argument> },
    /// An operator before its operand.
    Unary { operator: Unary, operand: Box<Expr> },
    /// An operator between its operands.
    Binary { operator: Binary, left: Box<Expr>, right: Box<Expr> },
    /// A comparison of two values.
    Compare { operator: Comparison, left: Box<Expr>, right: Box<Expr> },
    /// `value is None`, or its opposite.
    IsNone { operand: Box<Expr>, negated: bool },
    /// `then if test else otherwise`.
    Conditional { test: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// `[a, b]`, `(a, b)`.
    List(Vec<Expr>),
    /// `{"key": value}`.
    Mapping(Vec<(String, Expr)>),
    /// `lambda parameter: body`.
    Lambda { parameter: String, body: Box<Expr> },
    /// `[element for names in iterable]`.
    Comprehension { element: Box<Expr>, names: Vec<String>, iterable: Box<Expr> },
    /// What is none of these.
    Other,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    /// The parameter it is for, if it is named.
    pub name: Option<String>,
    /// Its value.
    pub value: Expr,
}

/// Operators before an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `~`
    Invert,
    /// `not`
    Not,
}

/// Operators between operands, comparisons apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `//`
    FloorDivide,
    /// `%`
    Modulo,
    /// `**`
    Power,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `and`
    And,
    /// `or`
    Or,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}
