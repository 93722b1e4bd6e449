//! What the server does with more than it can take: too many requests, bodies too large, requests that do not end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Installation, OTHER_TENANT, Server, TENANT, Visitor};

#[test]
fn control_28_a_noisy_tenant_is_told_when_to_come_back_and_its_neighbour_notices_nothing() {
    let Some(installation) = Installation::demonstration() else { return };
    let few = ["--tenant-requests-per-second", "2"];
    let server = Server::start_with(&installation.program, &installation.data(), &few);
    let of = |tenant| installation.demo_account(tenant, "researcher").client(&server);
    let (mut noisy, mut neighbour) = (of(TENANT), of(OTHER_TENANT));
    let address = server.url("/api/v1/studies");
    let answers: Vec<_> = (0..30).map(|_| noisy.get(&address)).collect();
    let first = &answers[0];
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.header("ratelimit-policy"), Some("\"tenant\";q=10;w=5"));
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    // Ten at once, and two a second while the thirty were sent.
    assert!(!refused.is_empty() && answers.iter().filter(|answer| answer.status == 200).count() >= 10);
    for answer in &refused {
        assert_eq!(answer.json()["code"], "too_many_requests");
        let wait: u64 = answer.header("retry-after").expect("it says when").parse().expect("in seconds");
        assert!((1..=5).contains(&wait), "{wait}");
    }
    assert_eq!(neighbour.get(&address).status, 200);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(noisy.get(&address).status, 200, "the quota came back");
}

#[test]
fn control_43_what_no_handler_can_read_is_refused_as_a_problem_that_says_why() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let mut visitor = Visitor::new();
    let address = server.url("/api/v1/login");
    let cases = [
        (visitor.post_json(&address, &serde_json::json!({"email": 1})), 422, "email"),
        (visitor.post_form(&address, &[("email", "a")]), 415, "application/json"),
        (visitor.post_json(&address, &serde_json::json!({"email": "a".repeat(70_000)})), 413, "limit"),
        (visitor.put_bytes(&address, b"{}"), 405, ""),
    ];
    for (answer, status, word) in cases {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.body);
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{problem}");
        assert!(problem["trace_id"].as_str().is_some_and(|id| id.len() == 32), "{problem}");
    }
    assert_eq!(visitor.get(&server.url("/healthz")).status, 200);
}

#[test]
fn control_43_headers_without_end_are_refused() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let mut stream = TcpStream::connect(server.http).expect("the server listens");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n").expect("a line");
    let line = format!("x-{}: b\r\n", "a".repeat(8_000));
    // The server closes while more is sent: that is an error of writing, which is what is wanted.
    let sent = (0..2_000).take_while(|_| stream.write_all(line.as_bytes()).is_ok()).count();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(sent < 2_000 || answer.starts_with("HTTP/1.1 431"), "{sent} lines were taken: {answer}");
    assert_eq!(Visitor::new().get(&server.url("/healthz")).status, 200);
}

#[test]
fn control_49_a_server_that_is_asked_to_end_finishes_what_is_under_way_and_ends() {
    let Some(installation) = Installation::demonstration() else { return };
    let mut server =
        Server::start_with(&installation.program, &installation.data(), &["--drain-seconds", "2"]);
    // One request that never ends, and one connection that waits for nothing.
    let mut half = TcpStream::connect(server.http).expect("the server listens");
    half.write_all(b"POST /api/v1/login HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{")
        .expect("a start");
    let mut idle = Visitor::new();
    assert_eq!(idle.get(&server.url("/readyz")).status, 200);
    let asked = Instant::now();
    server.ask_to_end();
    let ended = server.wait_for_end(Duration::from_secs(20));
    assert!(ended.is_some_and(|ended| ended.success()), "{ended:?}\n{}", server.log());
    assert!(asked.elapsed() < Duration::from_secs(15));
    // Nothing of the ledger was lost, and the next start is a plain one.
    installation.must(&["audit", "verify"]);
    let again = installation.serve();
    assert_eq!(Visitor::new().get(&again.url("/readyz")).status, 200);
}
