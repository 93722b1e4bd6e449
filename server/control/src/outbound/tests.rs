use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use super::*;

/// A server on this machine that answers every request so, after a time; its address.
fn server(answer: Vec<u8>, pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the system gives a port");
    let address = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            // What is asked does not matter; whoever has gone away does not either.
            drop(stream.read(&mut buffer));
            thread::sleep(pause);
            drop(stream.write_all(&answer));
        }
    });
    format!("http://{address}/")
}

fn client(reach: Reach) -> Outbound {
    let limits = OutboundLimits { reach, patience: Duration::from_millis(800), answer_bytes: 64 };
    Outbound::trusting(&limits, Vec::new())
}

fn whole(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = server(whole("200 OK", b"inner"), Duration::ZERO);
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
    let address = server(answer.into_bytes(), Duration::ZERO);
    let answered = client(Reach::PublicAndLoopback).post(&address, &[], b"{}").expect("it answers");
    assert_eq!((answered.status, answered.body.as_deref()), (302, Some(b"".as_slice())));
}

#[test]
fn an_answer_that_is_too_large_or_too_slow_is_let_go_of() {
    let large = server(whole("200 OK", &[b'x'; 65]), Duration::ZERO);
    let answered = client(Reach::PublicAndLoopback).get(&large, &[]).expect("it answers");
    assert_eq!((answered.status, answered.body), (200, None));
    let fits = server(whole("503 Busy", &[b'x'; 64]), Duration::ZERO);
    let answered = client(Reach::PublicAndLoopback).get(&fits, &[]).expect("it answers");
    assert_eq!((answered.status, answered.body.map(|body| body.len())), (503, Some(64)));
    let slow = server(whole("200 OK", b""), Duration::from_secs(20));
    let began = Instant::now();
    assert!(client(Reach::PublicAndLoopback).get(&slow, &[]).is_err());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn this_machine_is_out_of_reach_for_what_others_have_named() {
    let address = server(whole("200 OK", b""), Duration::ZERO);
    assert!(client(Reach::Operators).get(&address, &[]).is_ok());
    let by_name = address.replace("127.0.0.1", "localhost");
    // Resolvers read these as 127.0.0.1.
    let short = address.replace("127.0.0.1", "127.1");
    let number = address.replace("127.0.0.1", "2130706433");
    for address in [&address, &by_name, &short, &number] {
        let refused = client(Reach::Public).get(address, &[]).err().expect("it is refused");
        assert!(refused.to_string().contains("this machine"), "{address}: {refused}");
    }
}
