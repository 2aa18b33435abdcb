//! The filter's rules, one by one; what they do to deliveries is tested through the pipeline.

use super::*;
use crate::{
    domain::{
        action::Action,
        resource::{Column, OnTruncate},
    },
    policy::logged_row::{LoggedRow, described},
};

/// For as long as the test runs.
fn input(row: &'static str, old: Option<&'static str>, action: Action) -> FilterInput<'static> {
    let definition = Box::leak(Box::new(described(&[])));
    let row = Box::leak(Box::new(LoggedRow::parse(definition, row, old).unwrap()));
    FilterInput::new(
        row,
        Box::leak(Box::new("RUN_STEP".parse().unwrap())),
        action,
    )
}

const ROW: &str = r#"{"id": 7, "status": "done", "qty": null, "amount": 10.50, "whole": 100.0, "big": 9007199254740993,
    "huge": 18446744073709551615, "beyond": 123456789012345678901234567890, "far": 1e999, "flag": true,
    "tags": ["a", {"k": [1, 2]}], "at": "2026-04-26T19:33:42.1+00:00"}"#;
const OLD: &str = r#"{"status": "new", "qty": 3}"#;

fn judged(text: &str) -> Result<bool, FilterFailure> {
    let filter = Filter::compile(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    filter.judge(&input(ROW, Some(OLD), Action::Update))
}

fn table() -> ResourceDefinition {
    let column = |(name, data_type): (&str, &str)| Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
    };
    ResourceDefinition {
        table: "public.run_steps".to_owned(),
        columns: [
            ("id", "bigint"),
            ("status", "text"),
            ("flag", "boolean"),
            ("Order No", "text"),
        ]
        .map(column)
        .to_vec(),
        key: vec!["id".to_owned()],
        etag: None,
        exclude: vec!["password".to_owned()],
        on_truncate: OnTruncate::Rows,
    }
}

fn fault(text: &str) -> FilterFault {
    Filter::checked(text, &table()).expect_err(text)
}

#[test]
fn values_are_what_the_row_says() {
    for text in [
        "new.status == 'done' && old.status == 'new'",
        "old.id == 7 && new.id == 7",
        "old.qty == 3 && new.qty == null",
        "new.big == 9007199254740993 && new.big != 9007199254740992",
        "new.huge == 18446744073709551615u && type(new.huge) == uint",
        "type(new.beyond) == double && new.beyond > 1.0e29",
        "new.far > 1e300",
        "new.amount == 10.5 && new.amount > 10 && new.whole == 100",
        "new.flag",
        "new.tags[1].k[1] == 2 && 'a' in new.tags",
        "new.at < '2026-04-27' && new.at > '2026-04-26T19:33:42+00:00'",
        "resource == 'RUN_STEP' && action == 'UPDATE'",
        "has(new.qty) && !has(new.nothing)",
        "new.status.matches('^d.n') && matches(new.status, '(?i)DONE')",
        "new.tags.exists(one, one == 'a') && new.tags.filter(one, one == 'a').size() == 1",
        "type(new.qty) == null_type && type(new.status) == string && type(new.tags) == list",
        "type(new) == map && type(1 > 0) == bool && type(1.5) == double && type(b'a') == bytes",
        "type(type(1)) == type && bool('true') && bytes('a') == b'a' && dyn(1) == 1 && uint(1) == 1u",
    ] {
        assert_eq!(judged(text), Ok(true), "{text}");
    }
    let created = input(ROW, None, Action::Create);
    let deleted = input(ROW, None, Action::Delete);
    let both = Filter::compile("old == null ? new.id == 7 : new == null && old.id == 7").unwrap();
    assert_eq!(both.judge(&created), Ok(true));
    assert_eq!(both.judge(&deleted), Ok(true));
    let which = Filter::compile("old == null").unwrap();
    assert_eq!(
        (which.judge(&created), which.judge(&deleted)),
        (Ok(true), Ok(false))
    );
}

#[test]
fn a_failure_is_told_without_a_value_of_the_row() {
    for (text, part) in [
        ("new.qty > 5", "test for null first"),
        ("new.status > 5", "`>` can not be applied to (string, int)"),
        (
            "new.status + 1 == 'x'",
            "`add` of string and int is not possible",
        ),
        ("new.amount * 2 > 1", "`mul` of double and int"),
        ("new.nothing == 1", "no member \"nothing\""),
        ("new.tags[7] == 1", "an index is outside of its list"),
        (
            "new.big * 9007199254740993 > 0",
            "leaves the range of 64 bits",
        ),
        ("1 / (new.id - 7) == 1", "a division by zero"),
        (
            "new.status.matches(new.status + '(')",
            "`matches` can not be applied",
        ),
        ("new.tags[0]", "it came to string"),
        ("old.qty ? true : false", "bool is needed where int is"),
        ("int(new.status) > 1", "`int` can not be applied"),
        ("new[new.status] == 1", "no member of that name"),
    ] {
        let failure = judged(text).expect_err(text).to_string();
        assert!(failure.contains(part), "{text}: {failure}");
        assert!(!failure.contains("done"), "{text}: {failure}");
    }
    let created = input(ROW, None, Action::Create);
    for text in [
        "old.status == 'x'",
        "has(old.status)",
        "old['status'] == 'x'",
    ] {
        let failure = Filter::compile(text).unwrap().judge(&created).unwrap_err();
        assert!(
            failure.to_string().contains("a member of null"),
            "{text}: {failure}"
        );
    }
}

#[test]
fn and_and_or_need_only_the_side_that_decides() {
    assert_eq!(judged("new.qty > 5 || true"), Ok(true));
    assert_eq!(judged("new.qty > 5 && false"), Ok(false));
    assert_eq!(judged("new.qty != null && new.qty > 5"), Ok(false));
}

#[test]
fn what_can_be_known_is_refused_with_its_place() {
    for (text, line, column, message) in [
        (
            "new.statsu == 'x'",
            1,
            5,
            "names no column of public.run_steps: \"statsu\"; did you mean \"status\"?",
        ),
        (
            "true &&\n  has( old . colour )",
            2,
            14,
            "\"colour\"; its columns are id, status, flag, Order No",
        ),
        ("new['Order Nr'] == 'é'", 1, 6, "did you mean \"Order No\"?"),
        ("new.password == 'x'", 1, 5, "is excluded"),
        ("'é' == new.nope", 1, 12, "names no column"),
        ("status == 'x'", 1, 1, "write new.status or old.status"),
        ("nwe.status == 'x'", 1, 1, "did you mean \"new\"?"),
        (
            "new.status == x",
            1,
            15,
            "names no variable: \"x\"; there are",
        ),
        ("[1].exists(a, a == b)", 1, 20, "names no variable: \"b\""),
        (
            "new.status.startWith('a')",
            1,
            12,
            "did you mean \"startsWith\"?",
        ),
        ("timestamp(new.status) > 1", 1, 1, "compare as texts"),
        ("new.status.contains()", 1, 12, "0 arguments; it takes 1"),
        ("size(1, 2) == 1", 1, 1, "2 arguments; it takes 1"),
        (
            "exists(new.status)",
            1,
            1,
            "write list.exists(x, condition)",
        ),
        (
            "optional.of(1) == 1",
            1,
            1,
            "names no variable: \"optional\"",
        ),
        ("Thing{a: 1} == 1", 1, 6, "names no type"),
        ("new.status.matches('a(')", 1, 20, "unclosed group"),
        (
            "new.status.matches('[[:alpha:]]{500}{500}')",
            1,
            20,
            "too large",
        ),
        (
            "[1].all(a, [2].exists(b, a == b))",
            1,
            22,
            "loops within a loop",
        ),
        ("new.status", 1, 5, "a column of type text"),
        ("true && new.id", 1, 13, "a column of type bigint"),
        ("!(new.status == 'x' ? true : 'false')", 1, 30, "a text"),
        ("'x'", 1, 1, "a text"),
        ("1 + 1", 1, 3, "a sum"),
        ("new", 1, 1, "a row"),
        ("[new.id]", 1, 1, "a list"),
        ("new.status = 'x'", 1, 12, "`==` compares"),
        ("new.flag & new.flag", 1, 10, "`&&`"),
        ("new.status == 'x", 1, 15, "not closed"),
        ("new.status ==", 1, 14, "ends too early"),
        ("new.in == 1", 1, 5, "can not be read"),
        ("new.?status == 'x'", 1, 4, "unsupported"),
    ] {
        let fault = fault(text);
        assert!(fault.message.contains(message), "{text}: {fault}");
        let place = fault.place.unwrap();
        assert_eq!(
            (place.line, place.column),
            (line, column),
            "{text}: {}",
            fault.message
        );
    }
    assert_eq!(
        fault("new.statsu == 'x'")
            .to_string()
            .lines()
            .skip(1)
            .collect::<Vec<_>>(),
        ["new.statsu == 'x'", "    ^"]
    );
}

#[test]
fn what_is_right_passes() {
    for text in [
        "new.flag",
        "!new.flag || has(new.status)",
        "new['Order No'] != null",
        "old != new",
        "true",
        "new.exists(name, name == 'id')",
        "[1].filter(new, new + 1 > 1).exists(x, x > 0)",
        "new[old.status] == 1",
        "['a'].filter(x, x.startsWith('a')).exists(x, new.status == x) // done",
    ] {
        Filter::checked(text, &table()).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    }
}

#[test]
fn size_is_bounded() {
    let too_large = |text: String| Filter::compile(&text).expect_err(&text[..40]).message;
    assert!(too_large(format!("new.status == '{}'", "x".repeat(MAX_BYTES))).contains("bytes long"));
    assert!(too_large(vec!["new.id"; 400].join("+")).contains("more than 600"));
    assert!(too_large(vec!["1"; 100].join("+")).contains("levels deep"));
    assert!(too_large(format!("{}1{}", "(".repeat(200), ")".repeat(200))).contains("too deep"));
    assert!(too_large(" ".repeat(50)).contains("is empty"));
    let long = vec!["new.status == 'a'"; 80].join(" || ");
    assert!(Filter::compile(&long).is_ok(), "long, and shallow");
}

/// A little text that would make very much of a small row.
#[test]
fn work_is_bounded() {
    let refused = |text: String| Filter::compile(&text).expect_err(&text).message;
    let doubling = ".map(x, x + x + x + x)".repeat(15);
    let bomb = format!("[new.status]{doubling}.exists(x, size(x) > 5)");
    assert!(refused(bomb).contains("uses map"));
    assert!(refused("new.tags.map(x, x == 1, [x, x]) == []".to_owned()).contains("uses map"));
    let sums = ["size(new.tags + new.tags) > 0"; 17].join(" || ");
    assert!(refused(sums).contains("17 sums"));
    let patterns = ["new.status.matches('a')"; 5].join(" || ");
    assert!(refused(patterns).contains("5 regular expressions"));
    for text in [
        "new.tags.map(x, x) == []",
        "new.tags.filter(x, x != 1) == []",
    ] {
        assert!(
            Filter::compile(text).is_ok(),
            "{text}: no more than there was"
        );
    }
}

#[test]
fn rows_that_are_too_large_are_not_judged() {
    let row = |bytes: usize| -> &'static str {
        let text = "x".repeat(bytes);
        Box::leak(format!(r#"{{"status":"{text}","tags":["a"]}}"#).into_boxed_str())
    };
    let judged = |text: &str, bytes: usize| {
        let row = input(row(bytes), None, Action::Create);
        Filter::compile(text).unwrap().judge(&row)
    };
    let loops = "new.tags.exists(x, x == 'a')";
    assert_eq!(judged(loops, MAX_LOOPED_ROW - 100), Ok(true));
    let failure = judged(loops, MAX_LOOPED_ROW).unwrap_err().to_string();
    assert!(failure.contains("reads at most 32768"), "{failure}");
    assert_eq!(judged("new.status != 'a'", MAX_LOOPED_ROW), Ok(true));
    assert!(judged("new.status != 'a'", MAX_ROW).is_err());
    assert_eq!(judged("new.status.matches('^x')", 60 << 10), Ok(true));
    assert!(judged("new.status.matches('^x')", 65 << 10).is_err());
}

/// The worst that passes the limits, in as little stack as any thread of rowhook has. An overflow is no
/// failure of this test alone: it ends the process.
#[test]
fn what_passes_runs_in_a_small_stack() {
    let chain = |begin: &str, link: &str, end: &str| {
        let fits = |count: &usize| {
            let text = format!("{begin}{}{end}", link.repeat(*count));
            Filter::compile(&text).is_ok()
        };
        let most = (1..60).take_while(fits).last().unwrap();
        format!("{begin}{}{end}", link.repeat(most))
    };
    let nested = |open: &str, inner: &str, close: &str, end: &str| {
        let text = |count: usize| {
            let (open, close) = (open.repeat(count), close.repeat(count));
            format!("{open}{inner}{close}{end}")
        };
        let most = (1..60)
            .take_while(|count| Filter::compile(&text(*count)).is_ok())
            .last();
        text(most.unwrap())
    };
    let filters = [
        chain("1", "+1", " == 1"),
        chain("new.tags", "[0]", " == 1"),
        chain("new.tags", ".filter(x, true)", " == []"),
        nested("[", "1", "]", " == []"),
        nested("new.flag ? ", "true", " : false", ""),
        nested("dyn(", "true", ")", ""),
    ];
    let run = move || {
        let row = input(ROW, None, Action::Create);
        for text in &filters {
            // Whatever it comes to.
            let _verdict = Filter::compile(text).map(|filter| filter.judge(&row));
        }
    };
    let small = std::thread::Builder::new().stack_size(1 << 20).spawn(run);
    small.unwrap().join().unwrap();
}

#[test]
fn a_text_is_compiled_once() {
    let mut filters = Filters::default();
    let first = filters.get("new.id == 7");
    assert!(Arc::ptr_eq(&first, &filters.get("new.id == 7")));
    let row = input(ROW, Some(OLD), Action::Update);
    assert_eq!(filters.judge("new.id == 7", &row), Ok(true));
    let failure = filters.judge("new.id ==", &row).unwrap_err();
    assert_eq!(failure.to_string(), "the expression ends too early");
}
