//! A function carried out on symbols: which columns it gives back, and what each is worth.

use std::collections::BTreeMap;

use super::{
    Refused,
    evaluate::{Module, Scope, refused},
    syntax::{Action, Expr, Function, Node, Statement, Target},
    term::{Rules, Term},
};

/// Columns by name, with the reason where one is not translated.
pub(super) type Columns = BTreeMap<String, Result<Term, Refused>>;

/// What a function returns, given its inputs.
///
/// # Errors
/// When it does more than to compute columns.
pub(super) fn run(function: &Function, inputs: &Columns, rules: Rules) -> Result<Columns, Refused> {
    let mut modules: BTreeMap<String, Module> = BTreeMap::new();
    // Feast brings these itself.
    for (name, module) in [("pd", "pandas"), ("pandas", "pandas"), ("np", "numpy"), ("numpy", "numpy")] {
        modules.extend(Module::called(module).map(|module| (name.to_owned(), module)));
    }
    let scope = Scope {
        rules: Rules::Column,
        variables: BTreeMap::new(),
        frames: BTreeMap::from([(function.parameter.clone(), inputs.clone())]),
        modules,
    };
    let mut run = Run { scope, inputs: function.parameter.clone(), lists: rules.is_element() };
    for statement in &function.body {
        if let Some(returned) = run.statement(statement)? {
            return Ok(returned);
        }
    }
    let line = function.body.last().map(|statement| statement.line);
    Err(Refused { line, reason: "it returns nothing".to_owned() })
}

/// Where a function has come to.
struct Run {
    scope: Scope,
    /// The variable of the inputs.
    inputs: String,
    /// Whether columns are lists of Python, not series of pandas.
    lists: bool,
}

impl Run {
    /// Carries out a statement; what it returns, if it does.
    fn statement(&mut self, statement: &Statement) -> Result<Option<Columns>, Refused> {
        let refuse = |reason: String| Err(Refused { line: Some(statement.line), reason });
        match &statement.action {
            Action::Import { module, name } => {
                match Module::called(module) {
                    Some(module) => self.scope.modules.insert(name.clone(), module),
                    None => self.scope.modules.remove(name),
                };
                Ok(None)
            }
            Action::Other(text) => refuse(format!("`{}` is not translated", text.trim())),
            Action::Return(value) => self
                .frame(value)?
                .map_or_else(|| Err(refused(value, "it is no frame of columns")), |columns| Ok(Some(columns))),
            Action::Assign { target: Target::Item { holder, key }, value } => {
                let column = self.made(value)?;
                let Some(columns) = self.scope.frames.get_mut(holder) else {
                    return refuse(format!("`{holder}` is no frame of columns"));
                };
                let is_constant = matches!(column, Ok(Term::Literal(_)));
                if is_constant && (self.lists || columns.is_empty()) {
                    return refuse(format!("`{key}` is given the same value in every row before there are rows"));
                }
                columns.insert(key.clone(), column);
                Ok(None)
            }
            Action::Assign { target: Target::Name(name), value } => {
                if *name == self.inputs {
                    return refuse(format!("`{name}` is given another value"));
                }
                let frame = match &value.node {
                    // One frame under two names: from here on it goes by the new one.
                    Node::Name(old) => self.scope.frames.remove(old),
                    _ => self.frame(value)?,
                };
                let column = if frame.is_none() { Some(self.made(value)?) } else { None };
                self.scope.frames.remove(name);
                self.scope.variables.remove(name);
                self.scope.modules.remove(name);
                self.scope.frames.extend(frame.map(|columns| (name.clone(), columns)));
                self.scope.variables.extend(column.map(|column| (name.clone(), column)));
                Ok(None)
            }
        }
    }

    /// A column, or why it is not translated.
    ///
    /// # Errors
    /// When what is not translated may change a frame.
    fn made(&self, value: &Expr) -> Result<Result<Term, Refused>, Refused> {
        let made = self.column(value);
        match made {
            Err(refused) if self.may_change_frames(value) => Err(refused),
            made => Ok(made),
        }
    }

    fn column(&self, value: &Expr) -> Result<Term, Refused> {
        if !self.lists {
            return self.scope.term(value);
        }
        match &value.node {
            Node::Comprehension { element, names, iterable } => {
                let columns = match &iterable.node {
                    Node::Call { function, arguments } if matches!(&function.node, Node::Name(name) if name == "zip") => {
                        arguments.iter().map(|argument| &argument.value).collect()
                    }
                    _ => vec![iterable.as_ref()],
                };
                if columns.len() != names.len() {
                    return Err(refused(value, "it does not name each of the lists"));
                }
                let mut scope = Scope { rules: Rules::Element, frames: BTreeMap::new(), ..self.scope.clone() };
                scope.variables.clear();
                for (name, column) in names.iter().zip(columns) {
                    scope.modules.remove(name);
                    scope.variables.insert(name.clone(), Ok(self.column(column)?));
                }
                match scope.term(element)? {
                    Term::Literal(_) => Err(refused(value, "it is the same value in every row")),
                    term => Ok(term),
                }
            }
            Node::Name(_) | Node::Item { .. } => self.scope.term(value),
            _ => Err(refused(value, "only lists over the inputs are translated")),
        }
    }

    /// The columns of a frame, if an expression is one.
    fn frame(&self, value: &Expr) -> Result<Option<Columns>, Refused> {
        Ok(match &value.node {
            Node::Name(name) => self.scope.frames.get(name).cloned(),
            Node::Mapping(entries) if self.lists => Some(self.columns(entries)?),
            Node::Item { holder, key } => match (&holder.node, &key.node) {
                (Node::Name(holder), Node::List(keys)) => {
                    let Some(columns) = self.scope.frames.get(holder) else { return Ok(None) };
                    let selected = keys.iter().map(|key| match &key.node {
                        Node::Text(name) => match columns.get(name) {
                            Some(column) => Ok((name.clone(), column.clone())),
                            None => Err(refused(key, "there is no such column")),
                        },
                        _ => Err(refused(key, "only names are translated here")),
                    });
                    Some(selected.collect::<Result<_, _>>()?)
                }
                _ => None,
            },
            Node::Call { function, arguments } => match &function.node {
                Node::Attribute { holder, name } if name == "DataFrame" && self.is_pandas(holder) => {
                    let mut columns = Columns::new();
                    for argument in arguments {
                        match (argument.name.as_deref(), &argument.value.node) {
                            (None | Some("data"), Node::Mapping(entries)) => columns = self.columns(entries)?,
                            (Some("index"), Node::Attribute { holder, name })
                                if name == "index" && self.is_frame(holder) => {}
                            _ => return Err(refused(&argument.value, "this argument is not translated")),
                        }
                    }
                    Some(columns)
                }
                Node::Attribute { holder, name } if name == "copy" && arguments.is_empty() => self.frame(holder)?,
                _ => None,
            },
            _ => None,
        })
    }

    fn columns(&self, entries: &[(String, Expr)]) -> Result<Columns, Refused> {
        entries.iter().map(|(name, value)| Ok((name.clone(), self.made(value)?))).collect()
    }

    fn is_pandas(&self, holder: &Expr) -> bool {
        matches!(&holder.node, Node::Name(name) if self.scope.modules.get(name) == Some(&Module::Pandas))
    }

    fn is_frame(&self, holder: &Expr) -> bool {
        matches!(&holder.node, Node::Name(name) if self.scope.frames.contains_key(name))
    }

    /// Whether something that is not understood has a frame in its hands.
    fn may_change_frames(&self, expr: &Expr) -> bool {
        let any = |exprs: &[&Expr]| exprs.iter().any(|expr| self.may_change_frames(expr));
        match &expr.node {
            Node::Name(name) => self.scope.frames.contains_key(name),
            Node::Item { holder, key } if self.is_frame(holder) => !matches!(key.node, Node::Text(_) | Node::List(_)),
            Node::Item { holder, key } => any(&[holder, key]),
            Node::Attribute { holder, name } => !(self.is_frame(holder) && name == "index") && any(&[holder]),
            Node::Call { function, arguments } => {
                any(&[function]) || arguments.iter().any(|argument| self.may_change_frames(&argument.value))
            }
            Node::Unary { operand, .. } | Node::IsNone { operand, .. } => any(&[operand]),
            Node::Binary { left, right, .. } | Node::Compare { left, right, .. } => any(&[left, right]),
            Node::Conditional { test, then, otherwise } => any(&[test, then, otherwise]),
            Node::List(items) => any(&items.iter().collect::<Vec<_>>()),
            Node::Mapping(entries) => entries.iter().any(|(_, value)| self.may_change_frames(value)),
            Node::Lambda { body, .. } => any(&[body]),
            Node::Comprehension { element, iterable, .. } => any(&[element, iterable]),
            Node::Other => self.scope.frames.keys().any(|name| expr.text.contains(name.as_str())),
            Node::None | Node::Bool(_) | Node::Integer(_) | Node::Float(_) | Node::Text(_) => false,
        }
    }
}
