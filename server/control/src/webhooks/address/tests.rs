use super::*;

#[track_caller]
fn check(text: &str, allowed: bool) {
    assert_eq!(checked(Reach::Public, text).is_ok(), allowed, "{text}");
}

/// By hand: forms in which addresses of inner networks are written to pass a guard.
const HOSTILE: [&str; 72] = [
    "",
    "hooks.example.org",
    "//hooks.example.org/x",
    "/x",
    "http://hooks.example.org/x",
    "ftp://hooks.example.org/x",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "javascript:alert(1)",
    "data:text/plain,x",
    "https://",
    "https:///x",
    "https://user@hooks.example.org/x",
    "https://user:password@hooks.example.org/x",
    "https://hooks.example.org@127.0.0.1/x",
    "https://127.0.0.1#@hooks.example.org/",
    "https://hooks.example.org\\@127.0.0.1/",
    "https://hooks.example.org/x#fragment",
    "https://hooks.example.org/x y",
    "https://hooks.example.org/\r\nHost: inner",
    "https://hooks.example.org:0/x",
    "https://hooks.example.org:65536/x",
    "https://hooks.example.org:/x",
    "https://localhost/x",
    "https://LOCALHOST/x",
    "https://localhost./x",
    "https://api.localhost/x",
    "https://printer.local/x",
    "https://vault.internal/x",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://router.lan/x",
    "https://router.home.arpa/x",
    "https://intranet/x",
    "https://kubernetes.default.svc.cluster.local/x",
    "https://127.0.0.1/x",
    "https://127.0.0.1:8443/x",
    "https://127.1/x",
    "https://127.0.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7f.0.0.1/x",
    "https://0x7f.1/x",
    "https://0177.0.0.1/x",
    "https://017700000001/x",
    "https://127.0.0.1./x",
    "https://0/x",
    "https://0.0.0.0/x",
    "https://10.0.0.1/x",
    "https://172.16.5.4/x",
    "https://192.168.0.1/x",
    "https://100.64.0.1/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/x",
    "https://224.0.0.1/x",
    "https://255.255.255.255/x",
    "https://[::1]/x",
    "https://[::]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:7f00:1]/x",
    "https://[::127.0.0.1]/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[2002:7f00:1::]/x",
    "https://[fe80::1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[fd00:ec2::254]/x",
    "https://[ff02::1]/x",
    "https://[::1/x",
    "https://ⓛocalhost/x",
    "https://127。0。0。1/x",
    "https://hooks..example.org/x",
    "https://-hooks.example.org/x",
    "https://hooks.example.org%00.evil.test/x",
];

#[test]
fn hostile_addresses_are_refused() {
    for text in HOSTILE {
        check(text, false);
    }
    check(&format!("https://hooks.example.org/{}", "x".repeat(MAX_LENGTH)), false);
}

#[test]
fn public_addresses_over_tls_are_allowed() {
    for text in [
        "https://hooks.example.org",
        "https://hooks.example.org/a/b?token=1",
        "https://hooks.example.org:8443/x",
        "https://HOOKS.Example.ORG/x",
        "https://xn--bcher-kva.example/x",
        "https://1.1.1.1/x",
        "https://[2606:4700:4700::1111]/x",
        "https://9to5.example.com/x",
    ] {
        check(text, true);
    }
}

#[test]
fn this_machine_is_reached_only_where_the_operator_says_so() {
    for text in
        ["http://127.0.0.1:8080/x", "http://localhost:8080/x", "http://[::1]:1/x", "https://127.0.0.1/x"]
    {
        check(text, false);
        assert!(checked(Reach::PublicAndLoopback, text).is_ok(), "{text}");
    }
    for text in ["http://hooks.example.org/x", "http://10.0.0.1/x", "https://192.168.0.1/x", "http://127.1/x"]
    {
        assert!(checked(Reach::PublicAndLoopback, text).is_err(), "{text}");
    }
}
