//! Where OpenLineage events go: a file that grows by one line for each, or an endpoint that takes them by POST. What
//! cannot be sent is logged; no build fails for it.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Failure, Result};
use crate::work::blocking;

/// An endpoint that does not take an event within this time is passed over.
const PATIENCE: Duration = Duration::from_secs(5);

/// The namespace of jobs and tables, and where events about them go.
#[derive(Debug, Clone)]
pub struct OpenLineage {
    /// The namespace.
    pub namespace: String,
    target: Target,
}

#[derive(Debug, Clone)]
enum Target {
    File(PathBuf),
    Http { authority: String, path: String },
}

impl OpenLineage {
    /// Sends to `target`, a file's path or an `http://` address.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an address of another kind.
    pub fn to(target: &str, namespace: String) -> Result<Self> {
        let target = match target.split_once("://") {
            None => Target::File(PathBuf::from(target)),
            Some(("http", rest)) => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
                if authority.is_empty() || authority.contains('@') || !plain(rest) {
                    return Err(wrong(target));
                }
                Target::Http { authority: authority.to_owned(), path: format!("/{path}") }
            }
            Some(_) => return Err(wrong(target)),
        };
        Ok(Self { namespace, target })
    }

    /// Sends events in their order.
    pub async fn send(&self, events: Vec<Value>) {
        let target = self.target.clone();
        if let Err(failure) = blocking(move || target.send(&events)).await {
            tracing::warn!(error = failure.chain(), "OpenLineage events could not be sent");
        }
    }
}

fn wrong(target: &str) -> Failure {
    Failure::Usage(format!(
        "`{target}` takes no OpenLineage events: name a file, or an address such as http://marquez:5000/api/v1/lineage; put \
         a proxy that speaks TLS before an endpoint elsewhere"
    ))
}

impl Target {
    fn send(&self, events: &[Value]) -> Result<()> {
        match self {
            Self::File(path) => {
                let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
                let file = OpenOptions::new().create(true).append(true).open(path);
                file.and_then(|mut file| file.write_all(lines.as_bytes()))
                    .map_err(Failure::io("write the file of OpenLineage events"))
            }
            Self::Http { authority, path } => {
                events.iter().try_for_each(|event| post(authority, path, event))
            }
        }
    }
}

/// One request on a connection of its own: a build sends a handful.
fn post(authority: &str, path: &str, event: &Value) -> Result<()> {
    let failed = |source| Failure::Io { step: format!("send an OpenLineage event to `{authority}`"), source };
    let with_port = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let address = with_port.to_socket_addrs().map_err(failed)?.next();
    let address = address.ok_or_else(|| failed(std::io::Error::other("it has no address")))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .map_err(failed)?;
    let body = event.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(failed)?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).map_err(failed)?;
    // `HTTP/1.1 201`
    if answer[9] == b'2' {
        return Ok(());
    }
    let status = String::from_utf8_lossy(&answer[9..]).into_owned();
    Err(failed(std::io::Error::other(format!("it answered {status}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_file_or_a_plain_address() {
        let to = |target: &str| OpenLineage::to(target, "cairn".into());
        assert!(matches!(to("runs.ndjson").expect("a file").target, Target::File(_)));
        let Target::Http { authority, path } =
            to("http://marquez:5000/api/v1/lineage").expect("an address").target
        else {
            unreachable!("it is an address")
        };
        assert_eq!((authority.as_str(), path.as_str()), ("marquez:5000", "/api/v1/lineage"));
        for wrong in
            ["https://marquez/", "http:///x", "http://user@marquez/", "http://marquez/a b", "ftp://x/"]
        {
            assert!(to(wrong).is_err(), "{wrong}");
        }
    }
}
