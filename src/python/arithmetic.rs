//! Python's operators on numbers, and the SQL that gives the same values.
//!
//! An integer that does not fit into 64 bits is an error in SQL, where pandas goes on with another number.

use super::{
    condition::Condition,
    sql::{Level, Sql},
    syntax::Binary,
    term::{Kind, Literal, MayBe, Number, Rules, Term},
};

/// What an operator makes of two values.
///
/// # Errors
/// When SQL has no equal for it; the error says why.
pub(super) fn binary(operator: Binary, left: Term, right: Term, rules: Rules) -> Result<Term, String> {
    if let (Term::Literal(left), Term::Literal(right)) = (&left, &right) {
        return folded(operator, left, right).map(Term::Literal);
    }
    match (operator, left.text(), right.text()) {
        (Binary::Add, Some(left), Some(right)) => {
            return Ok(Term::Text(left.binary("||", &right, Level::Concat)));
        }
        (_, None, None) => {}
        _ => return Err(format!("{} and {} are not computed with", left.described(), right.described())),
    }
    match (operator, &left, &right) {
        (_, Term::Condition(_), Term::Condition(_)) => Err("booleans are not numbers in SQL".to_owned()),
        (Binary::FloorDivide | Binary::Modulo, _, _) => whole_division(operator, left, right),
        (Binary::Power, _, _) => power(left, right, rules),
        (Binary::Add | Binary::Subtract | Binary::Multiply, _, _) => {
            let (left, right, kind) = promoted(operand(left)?, operand(right)?)?;
            Ok(computed(operator, &left, &right, kind))
        }
        (Binary::Divide, _, _) => divided(operand(left)?, operand(right)?, rules),
        (Binary::BitAnd | Binary::BitOr | Binary::And | Binary::Or, _, _) => {
            Err("only booleans are translated here".to_owned())
        }
    }
}

/// The sign of a number turned.
pub(super) fn negated(term: Term) -> Result<Term, String> {
    match operand(term)? {
        Operand::Literal(Literal::Integer(value)) => {
            value.checked_neg().map(|value| Term::Literal(Literal::Integer(value))).ok_or_else(too_large)
        }
        Operand::Literal(Literal::Float(value)) => Ok(Term::Literal(Literal::Float(-value))),
        Operand::Literal(literal) => Ok(Term::Literal(literal)),
        Operand::Number(number) => {
            let number = number.wide();
            Ok(Term::Number(Number::new(number.sql.unary("-", Level::Sign), number.kind, number.may_be)))
        }
    }
}

/// Something to compute with.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Literal),
    Number(Number),
}

impl Operand {
    fn may_be(&self) -> MayBe {
        match self {
            Self::Literal(literal) => literal.may_be(),
            Self::Number(number) => number.may_be,
        }
    }
}

/// A value as a number; a boolean counts as 0 or 1.
pub(super) fn operand(term: Term) -> Result<Operand, String> {
    Ok(match term {
        Term::Number(number) => Operand::Number(number),
        Term::Literal(literal) if literal.is_number() => Operand::Literal(literal),
        Term::Condition(condition) => Operand::Number(zero_or_one(&condition)),
        other => return Err(format!("{} is not computed with", other.described())),
    })
}

/// 1 where a condition is true, else 0.
pub(super) fn zero_or_one(condition: &Condition) -> Number {
    let sql = Sql::case(&condition.when(), &Sql::atom("1"), Some(&Sql::atom("0")));
    Number::new(sql, Kind::Narrow, MayBe { nan: false, infinite: false, zero: true })
}

/// Two operands whose SQL is of types that give a result of the kind, which is Python's.
pub(super) fn promoted(left: Operand, right: Operand) -> Result<(Number, Number, Kind), String> {
    let kind = kind_of(&left, &right);
    let number = |number: Number, beside: Option<Kind>| match (kind, beside) {
        // Beside a float of 64 bits, or an integer of them, SQL widens an integer by itself.
        (Kind::Double, Some(beside)) if number.kind.is_integer() && !beside.is_integer() => number,
        (Kind::Integer, Some(Kind::Integer)) => number,
        (Kind::Double, _) => number.double(),
        (Kind::Integer, _) => number.wide(),
        (Kind::Narrow | Kind::Single, _) => number,
    };
    let literal = |literal: &Literal| match kind {
        Kind::Single => {
            let sql = literal.single().ok_or_else(|| "the number does not fit into 32 bits".to_owned())?;
            Ok::<_, String>(Number::new(sql, kind, literal.may_be()))
        }
        _ => Ok(Number::new(literal.sql(), kind, literal.may_be())),
    };
    let (left, right) = match (left, right) {
        (Operand::Number(left), Operand::Number(right)) => {
            let of_right = right.kind;
            let left = number(left, Some(of_right));
            let of_left = left.kind;
            (left, number(right, Some(of_left)))
        }
        (Operand::Number(left), Operand::Literal(right)) => (number(left, None), literal(&right)?),
        (Operand::Literal(left), Operand::Number(right)) => (literal(&left)?, number(right, None)),
        (Operand::Literal(left), Operand::Literal(right)) => {
            let typed = |literal: &Literal| Number::new(literal.typed(), kind, literal.may_be());
            (typed(&left), typed(&right))
        }
    };
    Ok((left, right, kind))
}

/// The kind of what two numbers make, as numpy decides it: literals follow columns.
fn kind_of(left: &Operand, right: &Operand) -> Kind {
    let is_float = |literal: &Literal| matches!(literal, Literal::Float(_));
    match (left, right) {
        (Operand::Number(left), Operand::Number(right)) => match (left.kind, right.kind) {
            (Kind::Single, Kind::Single) => Kind::Single,
            (left, right) if left.is_integer() && right.is_integer() => Kind::Integer,
            _ => Kind::Double,
        },
        (Operand::Number(number), Operand::Literal(literal)) | (Operand::Literal(literal), Operand::Number(number)) => {
            match number.kind {
                Kind::Narrow | Kind::Integer if is_float(literal) => Kind::Double,
                Kind::Narrow => Kind::Integer,
                kind => kind,
            }
        }
        (Operand::Literal(left), Operand::Literal(right)) => {
            if is_float(left) || is_float(right) {
                Kind::Double
            } else {
                Kind::Integer
            }
        }
    }
}

/// What a sum, a difference or a product may be.
fn computed(operator: Binary, left: &Number, right: &Number, kind: Kind) -> Term {
    let (l, r) = (left.may_be, right.may_be);
    let (sign, level, undefined) = match operator {
        Binary::Subtract => ("-", Level::Sum, l.infinite && r.infinite),
        Binary::Multiply => ("*", Level::Product, (l.infinite && r.zero) || (l.zero && r.infinite)),
        _ => ("+", Level::Sum, l.infinite && r.infinite),
    };
    let may_be = MayBe { nan: l.nan || r.nan || undefined, infinite: !kind.is_integer(), zero: true };
    Term::Number(Number::new(left.sql.binary(sign, &right.sql, level), kind, may_be))
}

fn divided(left: Operand, right: Operand, rules: Rules) -> Result<Term, String> {
    let is_integer = |operand: &Operand, narrow_counts: bool| match operand {
        Operand::Number(number) => number.kind == Kind::Integer || (narrow_counts && number.kind == Kind::Narrow),
        Operand::Literal(literal) => narrow_counts && matches!(literal, Literal::Integer(_)),
    };
    let both = is_integer(&left, true) && is_integer(&right, true);
    if rules.is_element() && both && (is_integer(&left, false) || is_integer(&right, false)) {
        return Err("Python divides large integers more exactly than SQL: write float(…) around one".to_owned());
    }
    let (l, r) = (left.may_be(), right.may_be());
    let (left, right, kind) = if both { whole(left, right) } else { promoted(left, right)? };
    let nan = l.nan || r.nan || (l.zero && r.zero) || (l.infinite && r.infinite);
    let may_be = MayBe { nan, infinite: true, zero: true };
    Ok(Term::Number(Number::new(left.sql.binary("/", &right.sql, Level::Product), kind, may_be)))
}

/// Integers to divide: SQL makes a float of 64 bits of them by itself.
fn whole(left: Operand, right: Operand) -> (Number, Number, Kind) {
    let plain = |operand: Operand| match operand {
        Operand::Number(number) => number,
        Operand::Literal(literal) => Number::new(literal.sql(), Kind::Integer, literal.may_be()),
    };
    (plain(left), plain(right), Kind::Double)
}

/// Above it sums of rests might not fit.
const MAX_DIVISOR: i64 = 1 << 53;

/// `//` and `%`, which in Python round down and in SQL towards zero.
fn whole_division(operator: Binary, left: Term, right: Term) -> Result<Term, String> {
    let (Ok(Operand::Number(number)), Term::Literal(Literal::Integer(divisor))) = (operand(left), &right) else {
        return Err("`//` and `%` are translated for an integer and a positive number".to_owned());
    };
    if !number.kind.is_integer() || !(1..=MAX_DIVISOR).contains(divisor) {
        return Err("`//` and `%` are translated for an integer and a positive number".to_owned());
    }
    let number = number.wide();
    let divisor = Literal::Integer(*divisor).sql();
    let rest = number.sql.binary("%", &divisor, Level::Product).binary("+", &divisor, Level::Sum);
    let rest = rest.binary("%", &divisor, Level::Product);
    let may_be = MayBe { nan: false, infinite: false, zero: true };
    let sql = match operator {
        Binary::Modulo => rest,
        _ => number.sql.binary("-", &rest, Level::Sum).binary("//", &divisor, Level::Product),
    };
    Ok(Term::Number(Number::new(sql, Kind::Integer, may_be)))
}

/// Squares, and roots; other powers are computed to other last digits.
fn power(base: Term, exponent: Term, rules: Rules) -> Result<Term, String> {
    let unknown = || "only the square of a column is translated".to_owned();
    let (Operand::Number(base), Term::Literal(exponent)) = (operand(base)?, &exponent) else { return Err(unknown()) };
    let is = |value: f64| match exponent {
        Literal::Integer(exponent) => *exponent as f64 == value,
        Literal::Float(exponent) => *exponent == value,
        _ => false,
    };
    let base = base.wide();
    if is(0.5) && !rules.is_element() && !base.kind.is_integer() {
        return Ok(Term::Number(root(&base)));
    }
    if rules.is_element() && base.kind == Kind::Double && exponent.is_number() {
        let sql = Sql::call("pow", &[&base.sql, &exponent.sql()]);
        return Ok(Term::Number(Number::new(sql, Kind::Double, MayBe { nan: true, infinite: true, zero: true })));
    }
    let is_square = matches!(exponent, Literal::Integer(2)) || (is(2.0) && !base.kind.is_integer());
    if !is_square || !base.is_column {
        return Err(unknown());
    }
    Ok(computed(Binary::Multiply, &base, &base, base.kind))
}

/// The square root, NaN of negative numbers.
pub(super) fn root(number: &Number) -> Number {
    let sql = Sql::call("sqrt", &[&number.sql]);
    let may_be = MayBe { nan: true, ..number.may_be };
    match number.kind {
        Kind::Single => Number::new(sql.cast("FLOAT"), Kind::Single, may_be),
        _ => Number::new(sql, Kind::Double, may_be),
    }
}

fn too_large() -> String {
    "the number is too large".to_owned()
}

/// What two literals make, computed as Python does.
fn folded(operator: Binary, left: &Literal, right: &Literal) -> Result<Literal, String> {
    let unknown = || "these literals are not computed with".to_owned();
    if let (Literal::Integer(left), Literal::Integer(right)) = (left, right)
        && operator != Binary::Divide
    {
        let value = match operator {
            Binary::Add => left.checked_add(*right),
            Binary::Subtract => left.checked_sub(*right),
            Binary::Multiply => left.checked_mul(*right),
            Binary::Power => u32::try_from(*right).ok().and_then(|right| left.checked_pow(right)),
            _ => return Err(unknown()),
        };
        return value.map(Literal::Integer).ok_or_else(too_large);
    }
    const EXACT: u64 = 1 << 53;
    let float = |literal: &Literal| match literal {
        Literal::Integer(value) if value.unsigned_abs() <= EXACT => Ok(*value as f64),
        Literal::Float(value) => Ok(*value),
        _ => Err(unknown()),
    };
    let (left, right) = (float(left)?, float(right)?);
    Ok(Literal::Float(match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide if right != 0.0 => left / right,
        _ => return Err(unknown()),
    }))
}
