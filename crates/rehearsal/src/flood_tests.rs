//! Answers are told by status and code, and connections that end without one too.

use super::*;

#[test]
fn an_answer_is_named_as_everywhere_else() {
    let answer =
        b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 30\r\n\r\n{\"code\":\"request-timeout\",\"x\":1}";
    assert_eq!(named(answer), "408 request-timeout");
    assert_eq!(named(b"HTTP/1.1 431 Too Large\r\n\r\n"), "431");
    assert_eq!(named(b""), "closed without an answer");
    assert_eq!(named(b"HTTP/1.1 4"), "closed without an answer");
}
