//! Requests as they are written, answers as they are read.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{Connection, get, post, read};

#[test]
fn heads_are_read_whatever_the_case_of_their_names() {
    assert_eq!(read("HTTP/1.1 409 Conflict\r\nContent-Length: 12"), Some((409, 12)));
    assert_eq!(read("HTTP/1.1 200 OK\r\nx: y\r\ncontent-length:0"), Some((200, 0)));
    assert_eq!(read("HTTP/1.1 200 OK\r\nx: y"), None);
    assert_eq!(read("SSH-2.0"), None);
}

#[test]
fn a_request_names_the_length_of_its_body() {
    let written = String::from_utf8(post("/a", Some("t"), "{}")).unwrap();
    assert!(written.ends_with(
        "\r\nauthorization: Bearer t\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    ));
    assert!(String::from_utf8(get("/b")).unwrap().starts_with("GET /b HTTP/1.1\r\n"));
}

#[test]
fn an_answer_that_comes_in_pieces_is_read_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1_024];
        assert!(stream.read(&mut request).unwrap() > 0);
        for piece in ["HTTP/1.1 200 OK\r\ncontent-", "length: 4\r\n\r\nab", "cd"] {
            stream.write_all(piece.as_bytes()).unwrap();
            stream.flush().unwrap();
        }
    });
    let mut connection = Connection::open(address).unwrap();
    let answer = connection.ask(&get("/")).unwrap();
    assert_eq!((answer.status, answer.bytes, answer.body.as_str()), (200, 42, "abcd"));
    server.join().unwrap();
    assert!(connection.ask(&get("/")).is_err(), "whoever is gone gives no answer");
}
