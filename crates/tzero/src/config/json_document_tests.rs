//! Every value keeps its line; what is not JSON is named with its own.

use super::*;

#[test]
fn members_and_values_know_their_lines() {
    let text =
        "{\n \"a\\\"}\": [1,\n  -2.5, null, [], {}],\n\n \"ä\" : { \"b\": true,\n\"c\":\"x, \\\\\"}\n}";
    let members = read(text).unwrap();
    let [first, second] = members.as_slice() else { panic!("{members:?}") };
    assert_eq!((first.name.as_str(), first.line), ("a\"}", 2));
    let Node::List(values) = &first.value.node else { panic!("{first:?}") };
    assert_eq!(values.iter().map(|value| value.line).collect::<Vec<_>>(), [2, 3, 3, 3, 3]);
    assert!(matches!(values[1].node, Node::Number(number) if number == -2.5), "{values:?}");
    let Node::Table(inner) = &second.value.node else { panic!("{second:?}") };
    assert_eq!((second.name.as_str(), second.line, inner[0].line, inner[1].line), ("ä", 5, 5, 6));
    assert!(matches!(&inner[1].value.node, Node::Text(text) if text == "x, \\"), "{inner:?}");
}

#[test]
fn what_is_not_json_or_no_object_is_named_with_its_line() {
    let broken = |text: &str| read(text).unwrap_err().remove(0);
    assert_eq!(broken("{\n \"a\": 1\n \"b\": 2 }"), (3, "expected `,` or `}`".to_owned()));
    assert_eq!(broken("[]"), (1, "must be one object, { … }".to_owned()));
    assert_eq!(broken("").0, 1);
}

#[test]
fn a_mark_at_the_beginning_of_the_file_is_passed_over() {
    assert_eq!(read("\u{feff}{\n\"a\": 1}").unwrap()[0].line, 2);
}

#[test]
fn a_member_that_stands_twice_is_named_with_both_lines() {
    let text = "{\n \"a\": 1,\n \"b\": [{ \"c\": 1, \"d\": 2,\n  \"c\": 3 }],\n \"a\": 2\n}";
    let again = |line, name, first| {
        (line, format!("the member {name:?} stands here again; it is in line {first} already"))
    };
    assert_eq!(read(text).unwrap_err(), [again(4, "c", 3), again(5, "a", 2)]);
}
