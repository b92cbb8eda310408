//! SQL expressions of on-demand views, checked without running them.

mod functions;

use std::ops::ControlFlow;

use sqlparser::{
    ast::{
        Expr, Function, FunctionArguments, Ident, LambdaSyntax, OneOrManyWithParens, Query, Spanned as _, Value, Visit,
        Visitor,
    },
    dialect::DuckDbDialect,
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Location, Span as SqlSpan, Token, TokenWithSpan, Tokenizer},
};

use super::inner_span;
use crate::{
    diagnostics::{Diagnostics, Span, closest, did_you_mean},
    expression::{Input, sql_type},
    model::DataType,
    yaml::Spanned,
};

/// Longest expression in characters; what is longer is a program.
const MAX_LENGTH: usize = 8192;

/// Longest expression whose parts, one inside the other, surely fit into an ordinary stack.
const SHORT: usize = 256;

/// Stack for longer ones, in bytes.
const LARGE_STACK: usize = 64 << 20;

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 50;

/// What expressions can use, and what they might mean by mistake.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    /// The columns that expressions may name.
    pub columns: Vec<Input>,
    /// Join keys of the views, which are not inputs.
    pub join_keys: Vec<String>,
}

/// Reports everything that keeps `sql` from being one deterministic value per row, made of `inputs`; whether that is
/// nothing.
pub(crate) fn check(sql: &Spanned<String>, inputs: &Inputs, diagnostics: &mut Diagnostics) -> bool {
    let mut found = Diagnostics::default();
    find(sql, inputs, &mut found);
    let is_sound = !found.has_errors();
    diagnostics.append(found);
    is_sound
}

fn find(sql: &Spanned<String>, inputs: &Inputs, diagnostics: &mut Diagnostics) {
    if sql.value.trim().is_empty() {
        diagnostics.error(&sql.span, "the expression is empty");
        return;
    }
    if sql.value.chars().count() > MAX_LENGTH {
        diagnostics.error(&sql.span, format!("the expression is longer than {MAX_LENGTH} characters"));
        return;
    }
    if sql.value.len() <= SHORT {
        check_here(sql, inputs, diagnostics);
        return;
    }
    // `1 + 1 + …` nests as deeply as it is long.
    let checked = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(LARGE_STACK);
        builder.spawn_scoped(scope, || check_here(sql, inputs, diagnostics)).map(std::thread::ScopedJoinHandle::join)
    });
    if !matches!(checked, Ok(Ok(()))) {
        diagnostics.error(&sql.span, "the expression is too long to be checked on this machine");
    }
}

fn check_here(sql: &Spanned<String>, inputs: &Inputs, diagnostics: &mut Diagnostics) {
    let Some(expression) = parse(sql, diagnostics) else { return };
    let mut checker = Checker { sql, inputs, parameters: Vec::new(), diagnostics };
    // Only a subquery ends the walk early; it is reported then.
    let _ = expression.visit(&mut checker);
}

fn parse(sql: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Expr> {
    const TOO_DEEP: &str = "the expression is nested too deeply";
    let dialect = DuckDbDialect {};
    let tokens = match Tokenizer::new(&dialect, &sql.value).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            let span = span_at(sql, error.location);
            diagnostics.error(&span, format!("not readable as SQL: {}", error.message));
            return None;
        }
    };
    let is_deep = nesting(&tokens) + 1 >= MAX_DEPTH;
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let parsed = parser.parse_expr();
    let next = parser.peek_token();
    match parsed {
        Ok(expression) if next.token == Token::EOF => return Some(expression),
        // Where it goes too deep, the parser may take the first word of a `CASE` for a name.
        Ok(_) | Err(_) if is_deep => diagnostics.error(&sql.span, TOO_DEEP),
        Err(ParserError::RecursionLimitExceeded) => diagnostics.error(&sql.span, TOO_DEEP),
        Ok(_) => refuse_rest(sql, &next, diagnostics),
        Err(ParserError::ParserError(message) | ParserError::TokenizerError(message)) => {
            refuse_unreadable(sql, &message, &next, diagnostics);
        }
    }
    None
}

/// Says what is wrong with text behind an expression, of which `next` is the first token.
fn refuse_rest(sql: &Spanned<String>, next: &TokenWithSpan, diagnostics: &mut Diagnostics) {
    let (message, help) = match next.token {
        Token::Comma => ("only one expression per output", Some("give each output an entry of its own".to_owned())),
        Token::SemiColon => ("an expression has no semicolon", None),
        _ => ("the expression should end here", None),
    };
    diagnostics.error_with_help(&span_of(sql, next), message, help);
}

/// Says what the parser said, at the place it means; `next` is where it stopped.
fn refuse_unreadable(sql: &Spanned<String>, message: &str, next: &TokenWithSpan, diagnostics: &mut Diagnostics) {
    if message.ends_with("found: EOF") {
        let length = sql.value.trim_end().chars().count();
        let span = inner_span::span_inside(sql, length - 1, length);
        let expected = message.trim_end_matches(", found: EOF").trim_start_matches("Expected: ");
        diagnostics.error(&span, format!("the expression ends too early: expected {expected}"));
        return;
    }
    // The message ends with a position inside the expression, which the span says better.
    let (message, position) = match message.rsplit_once(" at Line: ") {
        Some((message, position)) => (message, parse_position(position)),
        None => (message, None),
    };
    let span = position.map_or_else(|| span_of(sql, next), |location| span_of_token(sql, location));
    diagnostics.error(&span, format!("not readable as an SQL expression: {}", lower_first(message)));
}

/// The token that begins at a location, or the character there if none does.
fn span_of_token(sql: &Spanned<String>, location: Location) -> Span {
    let tokens = Tokenizer::new(&DuckDbDialect {}, &sql.value).tokenize_with_location().unwrap_or_default();
    let token = tokens.into_iter().find(|token| token.span.start == location);
    token.map_or_else(|| span_at(sql, location), |token| span_of(sql, &token))
}

/// The character at a location.
fn span_at(sql: &Spanned<String>, location: Location) -> Span {
    let at = offset(&sql.value, location);
    inner_span::span_inside(sql, at, at + 1)
}

/// How many brackets and `CASE`s are open at the most.
fn nesting(tokens: &[TokenWithSpan]) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => open += 1,
            Token::RParen | Token::RBracket | Token::RBrace => open = open.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::CASE => open += 1,
            Token::Word(word) if word.keyword == Keyword::END => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// `3, Column: 7`.
fn parse_position(text: &str) -> Option<Location> {
    let (line, column) = text.split_once(", Column: ")?;
    Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
}

fn lower_first(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// The character at a line and column, both from 1; the end of the text for places beyond it.
fn offset(text: &str, location: Location) -> usize {
    let (mut line, mut column) = (1, 1);
    for (index, c) in text.chars().enumerate() {
        if line == location.line && column == location.column {
            return index;
        }
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    text.trim_end().chars().count()
}

fn span_of(sql: &Spanned<String>, token: &TokenWithSpan) -> Span {
    part(sql, token.span)
}

/// The part of the file that a part of the expression stands at.
fn part(sql: &Spanned<String>, span: SqlSpan) -> Span {
    if span == SqlSpan::empty() {
        return sql.span.clone();
    }
    inner_span::span_inside(sql, offset(&sql.value, span.start), offset(&sql.value, span.end))
}

/// Walks over an expression and reports what it may not hold.
struct Checker<'a> {
    sql: &'a Spanned<String>,
    inputs: &'a Inputs,
    /// Names that enclosing lambdas bind.
    parameters: Vec<Vec<String>>,
    diagnostics: &'a mut Diagnostics,
}

impl Visitor for Checker<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let span = part(self.sql, query.span());
        let help = "an expression sees one row of its inputs".to_owned();
        self.diagnostics.error_with_help(&span, "a subquery cannot stand in an expression", help);
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(name) => self.check_name(name),
            Expr::CompoundIdentifier(names) => self.check_path(names),
            Expr::Function(function) => self.check_function(function),
            Expr::Lambda(lambda) => {
                if lambda.syntax == LambdaSyntax::Arrow {
                    let help = "write a lambda as `lambda x: x + 1`, and take parts of JSON with `json_extract`";
                    let names = lambda.params.iter().map(|parameter| parameter.name.span);
                    let span = names.fold(lambda.body.span(), |span, name| span.union(&name));
                    self.refuse(span, "`->` is not a lambda in every DuckDB", help);
                }
                let names = match &lambda.params {
                    OneOrManyWithParens::One(parameter) => vec![parameter.name.value.to_lowercase()],
                    OneOrManyWithParens::Many(parameters) => {
                        parameters.iter().map(|parameter| parameter.name.value.to_lowercase()).collect()
                    }
                };
                self.parameters.push(names);
            }
            Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
                self.refuse(value.span, "an expression has no parameters", "name an input instead");
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                self.refuse(expression.span(), "`*` is not a value", "name the inputs one by one");
            }
            Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Prior(_)
            | Expr::OuterJoin(_)
            | Expr::MatchAgainst { .. } => {
                self.refuse(expression.span(), "this cannot stand in an expression over one row", "leave it out");
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if matches!(expression, Expr::Lambda(_)) {
            self.parameters.pop();
        }
        ControlFlow::Continue(())
    }
}

impl Checker<'_> {
    fn refuse(&mut self, span: SqlSpan, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.error_with_help(&part(self.sql, span), message, help.into());
    }

    fn is_parameter(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.parameters.iter().flatten().any(|parameter| *parameter == name)
    }

    /// A name must be that of one input.
    fn check_name(&mut self, name: &Ident) {
        let text = name.value.as_str();
        if self.is_parameter(text) {
            return;
        }
        match self.inputs.columns.iter().find(|input| is_called(input, text)) {
            Some(input) if sql_type(&input.dtype).is_none() => {
                let message = format!("`{text}` has values of type {}, which expressions cannot use", input.dtype);
                self.diagnostics.error(&part(self.sql, name.span), message);
            }
            Some(_) => {}
            None => self.unknown(name),
        }
    }

    fn unknown(&mut self, name: &Ident) {
        let text = name.value.as_str();
        let inputs = &self.inputs.columns;
        let ending = format!("__{}", text.to_lowercase());
        let candidates: Vec<String> = inputs
            .iter()
            .filter(|input| input.name.to_lowercase().ends_with(&ending))
            .map(|input| format!("`{}`", input.name))
            .collect();
        if candidates.len() > 1 {
            let message = format!("`{text}` could come from several inputs");
            self.refuse(name.span, message, format!("write {}", candidates.join(" or ")));
            return;
        }
        if name.quote_style.is_none() && functions::VOLATILE.contains(&text.to_lowercase()) {
            self.volatile(text, name.span);
            return;
        }
        let help = if self.inputs.join_keys.iter().any(|key| key == text) {
            let help = "join keys are not inputs; declare the column as a feature, or bring it with a request source";
            Some(help.to_owned())
        } else {
            did_you_mean(text, inputs.iter().map(|input| input.name.as_str()))
        };
        let message = format!("there is no input `{text}`");
        self.diagnostics.error_with_help(&part(self.sql, name.span), message, help);
    }

    /// Dots only lead to the members of a struct.
    fn check_path(&mut self, names: &[Ident]) {
        let [first, rest @ ..] = names else { return };
        let inputs = self.inputs;
        let is_struct = |input: &Input| matches!(input.dtype, DataType::Struct(_)) && is_called(input, &first.value);
        if self.is_parameter(&first.value) || inputs.columns.iter().any(is_struct) {
            self.check_name(first);
            return;
        }
        let qualified = rest.first().map(|second| (second, format!("{}__{}", first.value, second.value)));
        match qualified.filter(|(_, meant)| inputs.columns.iter().any(|input| is_called(input, meant))) {
            Some((second, meant)) => {
                let message = format!("`{}.{}` is not how an input is written", first.value, second.value);
                self.refuse(first.span.union(&second.span), message, format!("write `{meant}`"));
            }
            None => self.check_name(first),
        }
    }

    fn check_function(&mut self, function: &Function) {
        let span = function.name.span();
        let [part] = function.name.0.as_slice() else {
            self.refuse(span, "a function is called by its plain name", "write `upper(x)`, not `x.upper()`");
            return;
        };
        let name = part.as_ident().map(|ident| ident.value.to_lowercase()).unwrap_or_default();
        let name = name.as_str();
        if functions::AGGREGATE.contains(name) {
            let many = format!("list_{name}");
            let help = match functions::SCALAR.contains(&many) {
                true => {
                    format!("an expression sees one row of its inputs; for the elements of an array write `{many}`")
                }
                false => "an expression sees one row of its inputs".to_owned(),
            };
            self.refuse(span, format!("the aggregate `{name}` cannot stand in an expression"), help);
        } else if functions::WINDOW.contains(name) || function.over.is_some() {
            let help = "an expression sees one row of its inputs";
            self.refuse(span, format!("the window function `{name}` cannot stand in an expression"), help);
        } else if functions::TABLE.contains(name) {
            let help = "an expression makes one value of one row of its inputs, and reads nothing else";
            self.refuse(span, format!("`{name}` cannot stand in an expression"), help);
        } else if functions::VOLATILE.contains(name) {
            self.volatile(name, span);
        } else if name == "age" && arguments(function) < 2 {
            // With one argument it measures from today.
            self.volatile("age(x)", span);
        } else if !functions::SCALAR.contains(name) {
            let help = closest(name, functions::SCALAR.names()).map(|meant| format!("did you mean `{meant}`?"));
            let span = self::part(self.sql, span);
            self.diagnostics.error_with_help(&span, format!("there is no function `{name}` for expressions"), help);
        } else if function.filter.is_some() || !function.within_group.is_empty() {
            self.refuse(span, format!("`{name}` is not an aggregate"), "leave out what follows its arguments");
        }
    }

    fn volatile(&mut self, name: &str, span: SqlSpan) {
        self.refuse(
            span,
            format!("the value of `{name}` depends on when and where it is computed"),
            "training data and online values must agree: bring it with a request source",
        );
    }
}

fn is_called(input: &Input, name: &str) -> bool {
    input.name == name || input.qualified.iter().any(|qualified| qualified == name)
}

fn arguments(function: &Function) -> usize {
    match &function.args {
        FunctionArguments::List(list) => list.args.len(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => 0,
    }
}

#[cfg(test)]
mod tests;
