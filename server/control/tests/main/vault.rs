//! As much of Vault's transit engine as the program asks for, over plain HTTP on this machine. Written after
//! <https://developer.hashicorp.com/vault/api-docs/secret/transit>; it shares no code with the client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use control::{KeySettings, VaultSettings};
use serde_json::{Value, json};

pub(super) struct Vault {
    address: String,
    version: Arc<AtomicU64>,
    oldest: Arc<AtomicU64>,
}

/// What was encrypted, by ciphertext: version, plaintext and associated data.
type Sealed = Arc<Mutex<Vec<(u64, Value, Value)>>>;

impl Vault {
    /// Serves the keys `cairn` and `mocks` to whoever has the token.
    pub(super) fn start(token: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (version, oldest) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(1)));
        let (at, from, sealed) = (Arc::clone(&version), Arc::clone(&oldest), Sealed::default());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (at, from) = (at.load(Ordering::SeqCst), from.load(Ordering::SeqCst));
                answer(stream, token, (at, from), &sealed);
            }
        });
        Self { address, version, oldest }
    }

    pub(super) fn settings(&self, token_file: PathBuf, key: &str) -> KeySettings {
        KeySettings::Vault(VaultSettings {
            address: self.address.clone(),
            mount: "transit".to_owned(),
            key: key.to_owned(),
            token_file,
            ca_file: None,
        })
    }

    pub(super) fn rotate(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn forget_the_first_version(&self) {
        self.oldest.store(2, Ordering::SeqCst);
    }
}

fn answer(stream: TcpStream, token: &str, versions: (u64, u64), sealed: &Sealed) {
    let mut reader = BufReader::new(stream);
    let (mut path, mut length, mut given) = (String::new(), 0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            None => path = line.split(' ').nth(1).unwrap_or_default().to_owned(),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap_or(0);
            }
            Some((name, value)) if name.eq_ignore_ascii_case("x-vault-token") => given = value.to_owned(),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = if given == token {
        operate(&path, &asked, versions, sealed)
    } else {
        (403, json!({ "errors": ["permission denied"] }))
    };
    let text = answer.to_string();
    let head = format!("HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let _ = write!(reader.into_inner(), "{head}Content-Length: {}\r\n\r\n{text}", text.len());
}

fn operate(path: &str, asked: &Value, (version, oldest): (u64, u64), sealed: &Sealed) -> (u16, Value) {
    let mut sealed = sealed.lock().expect("nobody panics with it");
    let refused = (400, json!({ "errors": ["cipher: message authentication failed"] }));
    match path {
        "/v1/transit/encrypt/cairn" => {
            sealed.push((version, asked["plaintext"].clone(), asked["associated_data"].clone()));
            (200, json!({ "data": { "ciphertext": format!("vault:v{version}:{}", sealed.len() - 1) } }))
        }
        "/v1/transit/decrypt/cairn" => {
            let number =
                asked["ciphertext"].as_str().and_then(|text| text.rsplit(':').next()?.parse::<usize>().ok());
            match number.and_then(|number| sealed.get(number)) {
                Some((at, plain, bound)) if *at >= oldest && bound == &asked["associated_data"] => {
                    (200, json!({ "data": { "plaintext": plain } }))
                }
                _ => refused,
            }
        }
        "/v1/transit/encrypt/mocks" => (200, json!({ "data": { "ciphertext": "vault:v1:0" } })),
        "/v1/transit/decrypt/mocks" => (200, json!({ "data": { "plaintext": "bm90IGEga2V5" } })),
        _ => (404, json!({ "errors": [] })),
    }
}
