//! From the source of a function to its syntax.

use tree_sitter::{Node as Raw, Parser};

use super::{
    Refused,
    syntax::{Action, Argument, Binary, Comparison, Expr, Function, Node, Statement, Target, Unary},
};

/// Longest source in bytes; what is longer is a program.
const MAX_LENGTH: usize = 64 << 10;

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 60;

/// The function in a source, which may stand below its decorators and beside imports.
///
/// # Errors
/// When there is not one function of one parameter.
pub(super) fn function(source: &str) -> Result<Function, Refused> {
    let refused = |line, reason: &str| Refused { line: Some(line), reason: reason.to_owned() };
    if source.len() > MAX_LENGTH {
        return Err(Refused { line: None, reason: "its source is too long".to_owned() });
    }
    let mut parser = Parser::new();
    let unreadable = || Refused { line: None, reason: "its source is not readable as Python".to_owned() };
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).map_err(|_| unreadable())?;
    let tree = parser.parse(source, None).ok_or_else(unreadable)?;
    let reader = Reader { source };
    let module = tree.root_node();
    if module.has_error() {
        return Err(unreadable());
    }
    let mut imports = Vec::new();
    let mut found = None;
    for node in named(module) {
        let node = if node.kind() == "decorated_definition" { field(node, "definition").unwrap_or(node) } else { node };
        match node.kind() {
            "import_statement" => imports.extend(reader.statements(node)),
            "function_definition" if found.is_none() => found = Some(node),
            "function_definition" => return Err(refused(line(node), "there is more than one function")),
            "comment" => {}
            _ => return Err(refused(line(node), "there is more than a function")),
        }
    }
    let definition = found.ok_or_else(|| Refused { line: None, reason: "there is no function".to_owned() })?;
    let parameters: Vec<Raw<'_>> = field(definition, "parameters").map(named).unwrap_or_default();
    let [parameter] = parameters.as_slice() else {
        return Err(refused(line(definition), "it has not one parameter"));
    };
    let parameter = match parameter.kind() {
        "identifier" => reader.text(*parameter),
        "typed_parameter" => match named(*parameter).first() {
            Some(name) if name.kind() == "identifier" => reader.text(*name),
            _ => return Err(refused(line(definition), "it has not one parameter")),
        },
        _ => return Err(refused(line(definition), "it has not one parameter")),
    };
    let body = field(definition, "body").map(named).unwrap_or_default();
    let body = imports.into_iter().chain(body.into_iter().flat_map(|node| reader.statements(node))).collect();
    Ok(Function { parameter, body })
}

/// The children that mean something.
fn named(node: Raw<'_>) -> Vec<Raw<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

fn field<'a>(node: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    node.child_by_field_name(name)
}

fn line(node: Raw<'_>) -> usize {
    node.start_position().row + 1
}

struct Reader<'a> {
    source: &'a str,
}

impl Reader<'_> {
    fn text(&self, node: Raw<'_>) -> String {
        self.source.get(node.byte_range()).unwrap_or_default().to_owned()
    }

    /// The statements of a line; texts for people are none.
    fn statements(&self, node: Raw<'_>) -> Vec<Statement> {
        let other = || Action::Other(self.text(node).lines().next().unwrap_or_default().to_owned());
        let children = named(node);
        let actions = match (node.kind(), children.as_slice()) {
            ("pass_statement", _) => Vec::new(),
            ("import_statement", _) => {
                let imports = children.iter().map(|child| match child.kind() {
                    "aliased_import" => {
                        let part = |name| field(*child, name).map(|part| self.text(part)).unwrap_or_default();
                        Action::Import { module: part("name"), name: part("alias") }
                    }
                    _ => Action::Import { module: self.text(*child), name: self.text(*child) },
                });
                imports.collect()
            }
            ("return_statement", [value]) => vec![Action::Return(self.expr(*value, 0))],
            ("expression_statement", [child]) => match child.kind() {
                "string" => Vec::new(),
                "assignment" => vec![self.assignment(*child).unwrap_or_else(other)],
                _ => vec![other()],
            },
            _ => vec![other()],
        };
        actions.into_iter().map(|action| Statement { line: line(node), action }).collect()
    }

    fn assignment(&self, node: Raw<'_>) -> Option<Action> {
        let left = self.expr(field(node, "left")?, 0);
        let value = self.expr(field(node, "right")?, 0);
        let target = match left.node {
            Node::Name(name) => Target::Name(name),
            Node::Item { holder, key } => match (holder.node, key.node) {
                (Node::Name(holder), Node::Text(key)) => Target::Item { holder, key },
                _ => return None,
            },
            _ => return None,
        };
        Some(Action::Assign { target, value })
    }

    fn expr(&self, node: Raw<'_>, depth: usize) -> Expr {
        let inner = if depth < MAX_DEPTH { self.node(node, depth + 1) } else { None };
        if let (Some(Node::Other), [inner]) = (&inner, named(node).as_slice())
            && node.kind() == "parenthesized_expression"
        {
            return self.expr(*inner, depth + 1);
        }
        Expr { line: line(node), text: self.text(node), node: inner.unwrap_or(Node::Other) }
    }

    /// What an expression is; `None` and [`Node::Other`] if it is not understood.
    fn node(&self, node: Raw<'_>, depth: usize) -> Option<Node> {
        let boxed = |child: Raw<'_>| Box::new(self.expr(child, depth));
        let part = |name: &str| field(node, name);
        let children = named(node);
        Some(match node.kind() {
            "none" => Node::None,
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "integer" => Node::Integer(self.text(node).replace('_', "").parse().ok()?),
            "float" => Node::Float(self.text(node).replace('_', "").parse().ok()?),
            "string" => Node::Text(self.string(node)?),
            "identifier" => Node::Name(self.text(node)),
            "attribute" => Node::Attribute { holder: boxed(part("object")?), name: self.text(part("attribute")?) },
            "subscript" => {
                let [_, _] = children.as_slice() else { return None };
                Node::Item { holder: boxed(part("value")?), key: boxed(part("subscript")?) }
            }
            "call" => {
                let arguments = part("arguments").filter(|list| list.kind() == "argument_list")?;
                let arguments = named(arguments).into_iter().map(|argument| self.argument(argument, depth));
                Node::Call { function: boxed(part("function")?), arguments: arguments.collect::<Option<_>>()? }
            }
            "unary_operator" | "not_operator" => {
                let operator = match part("operator").map(|operator| operator.kind()) {
                    Some("-") => Unary::Minus,
                    Some("+") => Unary::Plus,
                    Some("~") => Unary::Invert,
                    Some(_) => return None,
                    None => Unary::Not,
                };
                Node::Unary { operator, operand: boxed(part("argument")?) }
            }
            "binary_operator" | "boolean_operator" => Node::Binary {
                operator: binary(part("operator")?.kind())?,
                left: boxed(part("left")?),
                right: boxed(part("right")?),
            },
            "comparison_operator" => {
                let [left, right] = children.as_slice() else { return None };
                let operator = part("operators")?.kind();
                match (operator, right.kind()) {
                    ("is" | "is not", "none") => Node::IsNone { operand: boxed(*left), negated: operator == "is not" },
                    _ => Node::Compare { operator: comparison(operator)?, left: boxed(*left), right: boxed(*right) },
                }
            }
            "conditional_expression" => {
                let [then, test, otherwise] = children.as_slice() else { return None };
                Node::Conditional { test: boxed(*test), then: boxed(*then), otherwise: boxed(*otherwise) }
            }
            "list" | "tuple" => Node::List(children.into_iter().map(|item| self.expr(item, depth)).collect()),
            "dictionary" => {
                let pairs = children.into_iter().map(|pair| {
                    let key = field(pair, "key").filter(|key| key.kind() == "string")?;
                    Some((self.string(key)?, self.expr(field(pair, "value")?, depth)))
                });
                Node::Mapping(pairs.collect::<Option<_>>()?)
            }
            "lambda" => {
                let parameters = named(part("parameters")?);
                let [parameter] = parameters.as_slice() else { return None };
                let parameter = Some(parameter).filter(|parameter| parameter.kind() == "identifier")?;
                Node::Lambda { parameter: self.text(*parameter), body: boxed(part("body")?) }
            }
            "list_comprehension" => {
                let [element, clause] = children.as_slice() else { return None };
                let clause = Some(*clause).filter(|clause| clause.kind() == "for_in_clause")?;
                let left = field(clause, "left")?;
                let names = if left.kind() == "identifier" { vec![left] } else { named(left) };
                let names = names.into_iter().map(|name| (name.kind() == "identifier").then(|| self.text(name)));
                Node::Comprehension {
                    element: boxed(*element),
                    names: names.collect::<Option<_>>()?,
                    iterable: boxed(field(clause, "right")?),
                }
            }
            _ => Node::Other,
        })
    }

    fn argument(&self, node: Raw<'_>, depth: usize) -> Option<Argument> {
        Some(match node.kind() {
            "keyword_argument" => {
                Argument { name: Some(self.text(field(node, "name")?)), value: self.expr(field(node, "value")?, depth) }
            }
            "list_splat" | "dictionary_splat" => return None,
            _ => Argument { name: None, value: self.expr(node, depth) },
        })
    }

    /// The text of a string without prefix and escapes.
    fn string(&self, node: Raw<'_>) -> Option<String> {
        let mut text = String::new();
        for part in named(node) {
            match part.kind() {
                "string_start" if !matches!(self.text(part).as_str(), "\"" | "'" | "\"\"\"" | "'''") => return None,
                "string_start" | "string_end" => {}
                "string_content" if named(part).is_empty() => text.push_str(&self.text(part)),
                _ => return None,
            }
        }
        Some(text)
    }
}

fn binary(operator: &str) -> Option<Binary> {
    Some(match operator {
        "+" => Binary::Add,
        "-" => Binary::Subtract,
        "*" => Binary::Multiply,
        "/" => Binary::Divide,
        "//" => Binary::FloorDivide,
        "%" => Binary::Modulo,
        "**" => Binary::Power,
        "&" => Binary::BitAnd,
        "|" => Binary::BitOr,
        "and" => Binary::And,
        "or" => Binary::Or,
        _ => return None,
    })
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterEqual,
        _ => return None,
    })
}
