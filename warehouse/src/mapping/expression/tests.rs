//! What each form of an expression gives, by hand.

use arrow::datatypes::{DataType, Field, Schema};

use super::*;

fn batch(columns: &[(&str, &[Option<&str>])]) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays =
        columns.iter().map(|(_, texts)| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("the columns are of one length")
}

fn expression(text: &str) -> Expression {
    #[derive(Deserialize)]
    struct Line {
        e: Expression,
    }
    let line: Line = toml::from_str(&format!("e = {text}")).expect("the expression is well formed");
    line.e
}

#[track_caller]
fn check_texts(text: &str, batch: &RecordBatch, expected: &[Option<&str>]) {
    let texts = expression(text).texts(batch, &Context::default(), &mut Counts::default());
    assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn an_expression_makes_one_text_for_each_row() {
    let rows = batch(&[
        ("A", &[Some("Y"), Some("n"), None, Some("U")]),
        ("B", &[Some("1"), None, Some("1"), Some("1")]),
    ]);
    check_texts("'a'", &rows, &[Some("Y"), Some("n"), None, Some("U")]);
    check_texts("'ABSENT'", &rows, &[None; 4]);
    check_texts("{ from = 'A', as = 'yes_no' }", &rows, &[Some("true"), Some("false"), None, None]);
    check_texts(
        "{ from = 'A', as = 'is_missing' }",
        &rows,
        &[Some("false"), Some("false"), Some("true"), Some("false")],
    );
    check_texts("{ from = 'A', map = { Y = 'y' } }", &rows, &[Some("y"), None, None, None]);
    check_texts(
        "{ first = ['A', 'B', { const = 'c' }] }",
        &rows,
        &[Some("Y"), Some("n"), Some("1"), Some("U")],
    );
    check_texts("{ template = '{B}:{A}' }", &rows, &[Some("1:Y"), None, None, Some("1:U")]);
    check_texts("{ occurrence = ['B'], plus = 1 }", &rows, &[Some("1"), Some("1"), Some("2"), Some("3")]);
}

#[test]
fn what_an_expression_gives_may_be_looked_up_translated_and_converted_again() {
    let rows = batch(&[("A", &[Some("Y"), Some("n"), None]), ("B", &[Some("1"), Some("0"), Some("2")])]);
    check_texts(
        "{ from = { first = ['A', 'B'] }, map = { Y = 'yes', 2 = 'two' } }",
        &rows,
        &[Some("yes"), None, Some("two")],
    );
    check_texts(
        "{ from = { from = 'A', as = 'is_present' }, map = { true = 'HERE', false = 'GONE' } }",
        &rows,
        &[Some("HERE"), Some("HERE"), Some("GONE")],
    );
    check_texts("{ from = 'B', as = 'nonzero' }", &rows, &[Some("1"), None, Some("2")]);
}

// 2012-03-01 is the day after 2012-02-29.
#[test]
fn numbers_and_days_are_calculated() {
    let rows = batch(&[
        ("A", &[Some("24"), Some("2012-03-01"), Some("2012-03"), None, Some("1")]),
        ("B", &[Some("12"), Some("2012-02-28"), Some("2012-02-28"), Some("1"), Some("0")]),
    ]);
    check_texts("{ quotient = ['A', 'B'] }", &rows, &[Some("2"), None, None, None, None]);
    check_texts("{ difference = ['A', 'B'] }", &rows, &[Some("12"), Some("2"), None, None, Some("1")]);
    check_texts(
        "{ difference = ['A', 'B'], plus = 1 }",
        &rows,
        &[Some("13"), Some("3"), None, None, Some("2")],
    );
}

#[test]
fn a_template_fills_up_with_zeros() {
    let rows = batch(&[("Y", &[Some("1998")]), ("M", &[Some("4")]), ("D", &[Some("9")])]);
    check_texts("{ template = '{Y}-{M:2}-{D:2}' }", &rows, &[Some("1998-04-09")]);
    check_texts("{ template = '{Y:6}{N}' }", &rows, &[None]);
}

#[test]
fn dates_times_and_signs_are_taken_apart() {
    let rows = batch(&[(
        "A",
        &[
            Some("2013-12-31T04:32"),
            Some("2002-10-15T00:00:00"),
            Some("2002-10"),
            Some("<= 5.1"),
            Some("<LLOQ"),
        ],
    )]);
    check_texts(
        "{ from = 'A', as = 'day' }",
        &rows,
        &[Some("2013-12-31"), Some("2002-10-15"), None, None, None],
    );
    check_texts("{ from = 'A', as = 'year' }", &rows, &[Some("2013"), Some("2002"), None, None, None]);
    check_texts(
        "{ from = 'A', as = 'moment' }",
        &rows,
        &[Some("2013-12-31T04:32"), Some("2002-10-15"), None, None, None],
    );
    check_texts("{ from = 'A', as = 'operator' }", &rows, &[None, None, None, Some("<="), None]);
}

/// Of four rows one is not asked for, one has no value, and one has a value that is not listed.
#[test]
fn values_without_a_translation_are_counted_of_the_rows_that_are_asked_for() {
    let rows = batch(&[
        ("A", &[Some("8507"), Some("0"), None, Some("0")]),
        ("B", &[Some("M"), None, None, Some("M")]),
    ]);
    let translated = "{ from = 'A', map = { 8507 = 'M' }, count_as = 'unmapped concept' }";
    let tally = |text: &str| {
        let expression = expression(text);
        let mut counts = Counts::default();
        let asked = [true, true, true, false];
        expression.texts_of(&rows, &asked, &Context::default(), &mut counts);
        counts.tallies["unmapped concept"]
    };
    assert_eq!(tally(translated), Tally { rows: 1, of: 2 });
    assert_eq!(tally(&format!("{{ first = ['B', {translated}] }}")), Tally { rows: 1, of: 1 });
}

#[test]
fn all_columns_that_an_expression_reads_are_known() {
    let read = |text: &str| expression(text).sources();
    assert_eq!(
        read("{ first = ['A', { template = '{B}-{C:2}' }, { from = 'A', as = 'upper' }] }"),
        ["A", "B", "C"]
    );
    assert_eq!(read("{ quotient = ['A', { occurrence = ['D'] }] }"), ["A", "D"]);
    assert!(read("{ const = 'A' }").is_empty());
}

#[test]
fn a_time_that_is_not_known_is_none() {
    let rows =
        batch(&[("A", &[Some("2014-12-27T-:-"), Some("2014-12-27T10"), Some("2014-12-27 10:05:01Z")])]);
    let expected = [Some("2014-12-27"), Some("2014-12-27"), Some("2014-12-27T10:05:01Z")];
    check_texts("{ from = 'A', as = 'moment' }", &rows, &expected);
}

#[test]
fn digits_and_durations_are_read() {
    let rows = batch(&[("A", &[Some("VISIT 2.1"), Some("Screening"), Some("P2W"), Some("P3D")])]);
    check_texts("{ from = 'A', as = 'digits' }", &rows, &[Some("2.1"), None, Some("2"), Some("3")]);
    check_texts("{ from = 'A', as = 'duration_days' }", &rows, &[None, None, Some("14"), Some("3")]);
}
