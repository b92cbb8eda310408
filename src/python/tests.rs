use super::*;
use crate::{
    expression::testing::{computed, request, view},
    model::DataType,
};

const OUTPUTS: [(&str, DataType); 5] = [
    ("f", DataType::Float64),
    ("i", DataType::Int64),
    ("b", DataType::Bool),
    ("s", DataType::String),
    ("r", DataType::Float32),
];

/// What becomes of the outputs whose names are in a source.
fn translated(mode: PythonMode, source: &str) -> String {
    let features = [
        ("rate", DataType::Float32),
        ("x", DataType::Float64),
        ("y", DataType::Float64),
        ("a", DataType::Int64),
        ("n", DataType::Int32),
        ("flag", DataType::Bool),
        ("city", DataType::String),
        ("order", DataType::Int64),
        ("at", DataType::UnixTimestamp),
    ];
    let sources =
        vec![view("v", &features), view("w", &[("x", DataType::Float64)]), request("now", &[("val", DataType::Int64)])];
    let wanted = OUTPUTS.into_iter().filter(|(name, _)| source.contains(&format!("\"{name}\"")));
    let outputs: Vec<(&str, DataType, &str)> = wanted.map(|(name, dtype)| (name, dtype, "")).collect();
    let function = PythonFunction { mode, source: source.to_owned() };
    let translation = translate(&function, &computed(sources, &outputs));
    let outputs = translation.outputs.into_iter().map(|(_, sql)| sql.unwrap_or_else(|refused| format!("! {refused}")));
    outputs.collect::<Vec<_>>().join("\n")
}

/// The expression of one output, or why there is none, of a column of pandas.
fn column(output: &str, value: &str) -> String {
    let body = format!("    df = pd.DataFrame()\n    df[\"{output}\"] = {value}\n    return df\n");
    translated(PythonMode::Pandas, &format!("def f(inputs: pd.DataFrame) -> pd.DataFrame:\n{body}"))
}

/// The same of a list of Python.
fn list(output: &str, value: &str) -> String {
    let body = format!("    import math\n    return {{\"{output}\": {value}}}\n");
    translated(PythonMode::Python { singleton: false }, &format!("def f(inputs):\n{body}"))
}

#[track_caller]
fn assert_all(translated: fn(&str, &str) -> String, cases: &[(&str, &str, &str)]) {
    for (output, value, expected) in cases {
        assert_eq!(translated(output, value), *expected, "{value}");
    }
}

#[test]
fn numbers_have_the_types_that_numpy_gives_them() {
    let cases = [
        ("f", "inputs['rate'] + inputs['val']", "CAST(rate AS DOUBLE) + val"),
        ("f", "inputs['rate'] * 100", "rate * 100"),
        ("f", "inputs['rate'] * 0.1", "rate * CAST(0.1 AS FLOAT)"),
        ("f", "inputs['v__x'] - (inputs['y'] - 1.5)", "v__x - (y - 1.5)"),
        ("f", "inputs['y'] * 0.12345678901234567", "y * 1.2345678901234566e-1"),
        ("f", "inputs['a'] * 1.5", "CAST(a AS DOUBLE) * 1.5"),
        ("f", "inputs['a'] / inputs['n']", "a / n"),
        ("i", "inputs['n'] + inputs['n']", "CAST(n AS BIGINT) + n"),
        ("i", "inputs['a'] + inputs['val'] * -2", "a + val * -2"),
        ("i", "-inputs['n']", "-CAST(n AS BIGINT)"),
        ("i", "inputs['order'] % 60", "(\"order\" % 60 + 60) % 60"),
        ("f", "inputs['y'] * (60 * 60 / 7)", "y * 5.142857142857143e2"),
        ("r", "(inputs['y'] / 2).astype('float32')", "CAST(y / 2 AS FLOAT)"),
        ("i", "inputs['y'].astype(int)", "CAST(trunc(y) AS BIGINT)"),
        ("f", "np.sqrt(inputs['y'] ** 2)", "sqrt(y * y)"),
        ("i", "(inputs['y'] > 1).astype(int) + inputs['a']", "CASE WHEN y > 1 THEN 1 ELSE 0 END + a"),
    ];
    assert_all(column, &cases);
}

#[test]
fn comparisons_with_what_is_missing_are_python_s() {
    let cases = [
        ("b", "inputs['y'] > 0.5", "COALESCE(y > 0.5, FALSE)"),
        ("b", "inputs['rate'] != 0.1", "COALESCE(rate <> CAST(0.1 AS FLOAT), TRUE)"),
        ("b", "inputs['a'] == 3.0", "COALESCE(a = 3, FALSE)"),
        ("b", "inputs['a'] < 0.5", "COALESCE(CAST(a AS DOUBLE) < 0.5, FALSE)"),
        ("b", "(inputs['y'] / inputs['v__x']) > 0.5", "COALESCE(NULLIF(y / v__x, CAST('NaN' AS DOUBLE)) > 0.5, FALSE)"),
        ("b", "(inputs['y'] / inputs['v__x']) < 0.5", "COALESCE(y / v__x < 0.5, FALSE)"),
        ("b", "~(inputs['city'] == \"it's\")", "NOT COALESCE(city = 'it''s', FALSE)"),
        ("b", "inputs['y'].isna() | inputs['city'].isin(['a'])", "y IS NULL OR COALESCE(city IN ('a'), FALSE)"),
        ("i", "np.where((inputs['y'] > 1) & (inputs['a'] > 1), 1, 0)", "CASE WHEN y > 1 AND a > 1 THEN 1 ELSE 0 END"),
        ("b", "inputs['flag'].fillna(False)", "COALESCE(flag, FALSE)"),
    ];
    assert_all(column, &cases);
}

#[test]
fn values_are_chosen() {
    let cases = [
        ("s", "np.where(inputs['a'] > 1, 'many', 'few')", "CASE WHEN a > 1 THEN 'many' ELSE 'few' END"),
        (
            "f",
            "np.where(inputs['y'] > 0.5, inputs['y'], np.where(inputs['a'] > 1, 2, 0.5))",
            "CASE WHEN y > 0.5 THEN y WHEN a > 1 THEN 2 ELSE CAST(0.5 AS DOUBLE) END",
        ),
        ("f", "np.where(inputs['y'] > 1, inputs['a'], np.nan)", "CASE WHEN y > 1 THEN CAST(a AS DOUBLE) END"),
        ("f", "inputs['y'].clip(0, 1)", "CASE WHEN y < 0 THEN 0 WHEN y > 1 THEN 1 ELSE y END"),
        ("f", "(inputs['y'] / inputs['a'].replace(0, np.nan)).fillna(0)", "COALESCE(y / NULLIF(a, 0), 0)"),
        ("f", "np.maximum(inputs['y'], 0)", "CASE WHEN y < 0 THEN 0 WHEN y >= 0 THEN y END"),
        ("s", "inputs['city'] + '_' + inputs['city'].fillna('?')", "city || '_' || COALESCE(city, '?')"),
        ("i", "inputs['y'].apply(lambda v: 1 if v > 0.5 else 0)", "CASE WHEN y > 0.5 THEN 1 ELSE 0 END"),
    ];
    assert_all(column, &cases);
}

#[test]
fn lists_are_computed_as_python_does() {
    let cases = [
        ("f", "[a + b for a, b in zip(inputs['rate'], inputs['val'])]", "CAST(rate AS DOUBLE) + val"),
        ("i", "[0 if a is None else a for a in inputs['a']]", "CASE WHEN a IS NULL THEN 0 ELSE a END"),
        ("b", "[a == b for a, b in zip(inputs['a'], inputs['val'])]", "a IS NOT DISTINCT FROM val"),
        ("f", "[math.log(x) if x > 0 else 0.0 for x in inputs['y']]", "CASE WHEN y > 0 THEN ln(y) ELSE 0.0 END"),
        ("f", "[x ** 2 for x in inputs['y']]", "pow(y, 2)"),
    ];
    assert_all(list, &cases);
}

#[test]
fn what_is_not_surely_the_same_is_refused() {
    let columns = [
        ("f", "inputs['x']", "! line 3: `inputs['x']`: several sources have an input of this name"),
        ("f", "inputs['driver_id']", "! line 3: `inputs['driver_id']`: it is none of the view's inputs"),
        ("i", "inputs['y'] * 2", "! it makes a float of an output that is declared Int64"),
        (
            "f",
            "np.log(inputs['y'])",
            "! line 3: `np.log(inputs['y'])`: numpy computes it to other last digits than SQL",
        ),
        ("f", "inputs['y'].rolling(3).mean()", "! line 3: `inputs['y'].rolling(3)`: this method is not translated"),
        (
            "i",
            "inputs['at'].dt.hour",
            "! line 3: `inputs['at']`: `at` has values of type UnixTimestamp, which are not translated",
        ),
        ("f", "1.0", "! line 3: `f` is given the same value in every row before there are rows"),
        (
            "f",
            "inputs['rate'].where(inputs['a'] > 1, inputs['a'])",
            "! line 3: `inputs['rate'].where(inputs['a'] > 1, inputs['a'])`: columns of two types become one of whichever \
             type holds all values",
        ),
        (
            "b",
            "inputs['flag'] & (inputs['a'] > 1)",
            "! line 3: `inputs['flag'] & (inputs['a'] > 1)`: a boolean may be missing: write .fillna(False) behind it",
        ),
        (
            "f",
            "inputs['y'] // 2",
            "! line 3: `inputs['y'] // 2`: `//` and `%` are translated for an integer and a positive number",
        ),
        ("b", "0 < inputs['y'] < 1", "! line 3: `0 < inputs['y'] < 1`: this is not translated"),
        ("s", "inputs['a'].astype(str)", "! line 3: `inputs['a'].astype(str)`: this type is not translated"),
    ];
    assert_all(column, &columns);
    let lists = [
        (
            "f",
            "[a / 2 for a in inputs['a']]",
            "! line 3: `a / 2`: Python divides large integers more exactly than SQL: write float(…) around one",
        ),
        (
            "f",
            "[0.0 if a is None else a for a in inputs['y']]",
            "! line 3: `a is None`: NaN is not None, and a float in SQL is missing in both cases",
        ),
        (
            "b",
            "[x != y for x, y in zip(inputs['v__x'], inputs['y'])]",
            "! line 3: `x != y`: None equals None, and NaN does not equal NaN, which are one in SQL",
        ),
        (
            "f",
            "[1.0 for a in inputs['y']]",
            "! line 3: `[1.0 for a in inputs['y']]`: it is the same value in every row",
        ),
        ("f", "[min(x, 1) for x in inputs['y']]", "! line 3: `min(x, 1)`: this function is not translated"),
    ];
    assert_all(list, &lists);
}

#[test]
fn frames_are_followed_from_line_to_line() {
    let source = "
@on_demand_feature_view(sources=[v], schema=[])
def f(inputs: pd.DataFrame) -> pd.DataFrame:
    \"\"\"What it is about.\"\"\"
    import numpy
    half = inputs['y'] / 2  # a comment
    df = inputs.copy()
    df[\"f\"] = half + df['a']
    df[\"b\"] = df['f'] > half
    inputs['y'] = inputs['y'] * 100
    df[\"i\"] = numpy.where(inputs['y'] > 1, 1, 0)
    df['unused'] = df['y'].rank()
    return df[[\"f\", \"b\", \"i\"]]
";
    let expected = "y / 2 + a\nCASE WHEN y * 100 > 1 THEN 1 ELSE 0 END\nCOALESCE(y / 2 + a > y / 2, FALSE)";
    assert_eq!(translated(PythonMode::Pandas, source), expected);
}

#[test]
fn nothing_is_translated_of_what_does_more_than_compute_columns() {
    for (body, expected) in [
        (
            "    for c in ['y']:\n        df[\"f\"] = inputs[c]\n    return df",
            "! line 2: `for c in ['y']:` is not translated",
        ),
        (
            "    df = inputs\n    df[\"f\"] = df.pop('y')\n    return df",
            "! line 3: `df`: only its columns are translated",
        ),
        (
            "    inputs.fillna(0, inplace=True)\n    return inputs[[\"f\"]]",
            "! line 2: `inputs.fillna(0, inplace=True)` is not translated",
        ),
        ("    if True:\n        return inputs\n    \"f\"", "! line 2: `if True:` is not translated"),
        (
            "    df = pd.DataFrame()\n    df[\"f\"] = helper(inputs)\n    return df",
            "! line 3: `helper(inputs)`: this function is not translated",
        ),
        ("    \"f\"", "! it returns nothing"),
        ("    return \"f\"", "! line 2: `\"f\"`: it is no frame of columns"),
        ("    return (\"f\"", "! its source is not readable as Python"),
    ] {
        assert_eq!(translated(PythonMode::Pandas, &format!("def f(inputs):\n{body}\n")), expected, "{body}");
    }
    let lambda = "compute = lambda inputs: inputs[[\"f\"]]";
    assert_eq!(translated(PythonMode::Pandas, lambda), "! line 1: there is more than a function");
    assert_eq!(translated(PythonMode::Pandas, "\"f\""), "! line 1: there is more than a function");
    assert_eq!(translated(PythonMode::Pandas, "def f(a, b): \"f\""), "! line 1: it has not one parameter");
    let singleton = PythonMode::Python { singleton: true };
    let refused = "! it computes one row by itself, which Feast does for serving only";
    assert_eq!(translated(singleton, "def f(inputs): return {\"f\": inputs['y']}"), refused);
}

#[test]
fn sources_of_any_depth_end_in_words() {
    let deep = format!("{}inputs['y']{}", "(".repeat(5000), ")".repeat(5000));
    assert!(column("f", &deep).starts_with('!'));
    let long = vec!["inputs['y']"; 3000].join(" + ");
    assert!(column("f", &long).starts_with('!'));
    let doubled = (0..40).fold("inputs['y']".to_owned(), |value, _| value).to_owned();
    let squares = (0..40).map(|_| "    v = v + v\n").collect::<String>();
    let source = format!("def f(inputs):\n    v = {doubled}\n{squares}    return pd.DataFrame({{\"f\": v}})\n");
    assert!(translated(PythonMode::Pandas, &source).starts_with('!'));
}
