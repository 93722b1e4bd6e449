//! What every story needs: the programs it runs, a server of its own, and a visitor without a browser.
#![allow(dead_code, reason = "each story uses the part it needs")]

mod installation;

pub(crate) use installation::*;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use ureq::{
    Agent, RequestBuilder,
    http::{HeaderMap, Request, header},
};

const START_LIMIT: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Something outside the repository that a story needs, and that `./dev test` names in the environment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Need {
    /// The program under test.
    Cairn,
    /// A Python with the client packages of `tests/python/requirements.txt`.
    Python,
    /// The driver of a browser without a window.
    Chromedriver,
    /// The packages of an identity provider for node.
    IdentityProvider,
    /// The folder of independent answers.
    Oracles,
}

impl Need {
    const fn variable(self) -> &'static str {
        match self {
            Self::Cairn => "CAIRN_BIN",
            Self::Python => "CAIRN_PYTHON",
            Self::Chromedriver => "CHROMEDRIVER",
            Self::IdentityProvider => "CAIRN_OIDC_MODULES",
            Self::Oracles => "CAIRN_ORACLES",
        }
    }

    const fn absence(self) -> &'static str {
        match self {
            Self::Cairn => "not run: CAIRN_BIN is not set; use ./dev test",
            Self::Python => "not run: CAIRN_PYTHON is not set; use ./dev test",
            Self::Chromedriver => "not run: CHROMEDRIVER is not set; use ./dev test",
            Self::IdentityProvider => "not run: CAIRN_OIDC_MODULES is not set; use ./dev test",
            Self::Oracles => "not run: oracle data absent",
        }
    }

    /// Whether what is absent is a failure.
    pub(crate) fn in_ci() -> bool {
        environment("CI").as_deref() == Some("true")
    }

    /// Its path. Without it a story says so and ends; where `CI=true`, that is a failure.
    pub(crate) fn path(self) -> Option<PathBuf> {
        let path = environment(self.variable()).map(PathBuf::from);
        if path.is_none() {
            assert!(!Self::in_ci(), "{}", self.absence());
            eprintln!("{}", self.absence());
        }
        path
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's surroundings are named by ./dev test")]
fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Where screenshots are to be kept, when somebody wants to look at them.
pub(crate) fn screenshots() -> Option<PathBuf> {
    environment("CAIRN_SCREENSHOTS").map(PathBuf::from)
}

/// Runs one of the scripts in `tests/python` and gives back what it printed as JSON.
pub(crate) fn python<S: AsRef<OsStr>>(python: &Path, script: &str, arguments: &[S]) -> serde_json::Value {
    // Tests run in their package's folder. Its path when they were compiled may be that of another clone.
    let script = Path::new("python").join(script);
    let run = Command::new(python).arg(&script).args(arguments).stdin(Stdio::null()).output();
    let run = run.expect("the Python of ./dev test starts");
    let answer = serde_json::from_slice(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(answer.is_ok(), "{} printed no JSON and ended with {}:\n{errors}", script.display(), run.status);
    answer.unwrap_or_default()
}

/// A server with a data folder and ports of its own. It is killed when the story lets go of it.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where pages and REST answer.
    pub(crate) http: SocketAddr,
    /// Where Flight answers.
    pub(crate) flight: SocketAddr,
    child: Child,
    log: PathBuf,
    scratch: TempDir,
}

impl Server {
    /// Starts `cairn serve` over `data` and waits until it is ready.
    pub(crate) fn start(program: &Path, data: &Path) -> Self {
        Self::start_with(program, data, &[])
    }

    /// The same, with further arguments.
    pub(crate) fn start_with(program: &Path, data: &Path, arguments: &[&str]) -> Self {
        let mut server = Self::launch(program, data, arguments);
        server.wait_until_ready();
        server
    }

    /// The same, when the arguments make it answer over TLS, which a visitor does not speak.
    pub(crate) fn start_over_tls(program: &Path, data: &Path, arguments: &[&str]) -> Self {
        let mut server = Self::launch(program, data, arguments);
        let started = Instant::now();
        while !server.log().contains("dashboards and REST on https://") {
            let ended = server.child.try_wait().expect("a child process can be asked for its state");
            assert!(
                ended.is_none(),
                "the server ended with {ended:?} before it was ready:\n{}",
                server.log()
            );
            assert!(started.elapsed() < START_LIMIT, "the server was not ready:\n{}", server.log());
            thread::sleep(Duration::from_millis(25));
        }
        server
    }

    fn launch(program: &Path, data: &Path, arguments: &[&str]) -> Self {
        let scratch = tempfile::tempdir().expect("the system gives temporary folders");
        let log = scratch.path().join("serve.log");
        let [http, flight] = free_addresses();
        let output = File::create(&log).expect("the temporary folder takes files");
        let errors = output.try_clone().expect("a file handle can be shared");
        let child = Command::new(program)
            .arg("serve")
            .args([OsStr::new("--data"), data.as_os_str()])
            .args(["--http", &http.to_string(), "--flight", &flight.to_string()])
            .args(arguments)
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("the program that ./dev test built starts");
        Self { http, flight, child, log, scratch }
    }

    /// The address of a page or a REST path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks the server to end, as a service manager does.
    pub(crate) fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    /// Asks the server to read its certificates again.
    pub(crate) fn ask_to_read_again(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let asked = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the server got no signal {name}");
    }

    /// How the server ended, within a limit.
    pub(crate) fn wait_for_end(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(ended) = self.child.try_wait().expect("a child process can be asked for its state") {
                return Some(ended);
            }
            thread::sleep(Duration::from_millis(25));
        }
        None
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        // A server that is already gone is what was asked for.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        let mut visitor = Visitor::new();
        let address = self.url("/readyz");
        while visitor.try_get(&address).is_none_or(|answer| answer.status != 200) {
            let ended = self.child.try_wait().expect("a child process can be asked for its state");
            assert!(ended.is_none(), "the server ended with {ended:?} before it was ready:\n{}", self.log());
            let waited = started.elapsed();
            assert!(waited < START_LIMIT, "the server was not ready within {waited:?}:\n{}", self.log());
            thread::sleep(Duration::from_millis(25));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One answer of the server, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        let json = serde_json::from_str(&self.body);
        assert!(json.is_ok(), "status {} came without JSON:\n{}", self.status, self.body);
        json.unwrap_or_default()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Somebody who visits pages without a browser: follows no redirect, keeps the cookies they are given.
#[derive(Debug)]
pub(crate) struct Visitor {
    agent: Agent,
    cookies: BTreeMap<String, String>,
    bearer: Option<String>,
    header: Option<(&'static str, &'static str)>,
}

impl Visitor {
    /// A visitor whom nobody knows yet.
    pub(crate) fn new() -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(ANSWER_LIMIT))
            .build()
            .new_agent();
        Self { agent, cookies: BTreeMap::new(), bearer: None, header: None }
    }

    /// The same visitor with a bearer token in every request.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.bearer = Some(format!("Bearer {token}"));
        self
    }

    /// The same visitor with a cookie that no server gave.
    pub(crate) fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A cookie that they were given.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Puts one more header into every request from now on, or none.
    pub(crate) fn send_header(&mut self, header: Option<(&'static str, &'static str)>) {
        self.header = header;
    }

    /// Asks for a page.
    pub(crate) fn get(&mut self, url: &str) -> Answer {
        self.try_get(url).expect("the server answers")
    }

    /// Asks for a page that may not be there yet.
    pub(crate) fn try_get(&mut self, url: &str) -> Option<Answer> {
        let answer = self.identified(self.agent.get(url)).call().ok()?;
        Some(self.keep(answer))
    }

    /// Sends a form, as a page without scripts does: with the origin of that page, unless a header was put in.
    pub(crate) fn post_form(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = self.identified(self.agent.post(url));
        if self.header.is_none() {
            request = request.header(header::ORIGIN, origin_of(url));
        }
        let answer = request.send_form(fields.iter().copied()).expect("the server answers");
        self.keep(answer)
    }

    /// Sends JSON, as a client of the REST interface does.
    pub(crate) fn post_json(&mut self, url: &str, body: &serde_json::Value) -> Answer {
        let request = self.identified(self.agent.post(url)).content_type("application/json");
        let answer = request.send(body.to_string()).expect("the server answers");
        self.keep(answer)
    }

    /// Sends bytes, as a part of a file.
    pub(crate) fn put_bytes(&mut self, url: &str, bytes: &[u8]) -> Answer {
        let request = self.identified(self.agent.put(url)).content_type("application/octet-stream");
        let answer = request.send(bytes).expect("the server answers");
        self.keep(answer)
    }

    /// Sends any request: with further headers, and a body with its type.
    pub(crate) fn send(
        &mut self,
        (method, url): (&str, &str),
        headers: &[(String, String)],
        body: Option<(&str, &str)>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        for (name, value) in &self.cookies {
            request = request.header(header::COOKIE, format!("{name}={value}"));
        }
        let answer = match body {
            None => self.agent.run(request.body(()).expect("the request has its form")),
            Some((kind, text)) => {
                let request = request.header(header::CONTENT_TYPE, kind).body(text.to_owned());
                self.agent.run(request.expect("the request has its form"))
            }
        };
        self.keep(answer.expect("the server answers"))
    }

    /// The request with the visitor's cookies and token.
    fn identified<B>(&self, mut request: RequestBuilder<B>) -> RequestBuilder<B> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some((name, value)) = self.header {
            request = request.header(name, value);
        }
        match &self.bearer {
            Some(bearer) => request.header(header::AUTHORIZATION, bearer),
            None => request,
        }
    }

    fn keep(&mut self, mut answer: ureq::http::Response<ureq::Body>) -> Answer {
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            match pair.split_once('=') {
                Some((name, "")) => drop(self.cookies.remove(name)),
                Some((name, value)) => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
                None => {}
            }
        }
        let body =
            answer.body_mut().with_config().limit(256 << 20).read_to_vec().expect("the answer is whole");
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
    }
}

/// Where a page's form says that it comes from.
fn origin_of(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// Two addresses of this machine on which nobody listens.
fn free_addresses() -> [SocketAddr; 2] {
    // Both are held until both are known, so that they differ.
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free"));
    listeners.map(|listener| listener.local_addr().expect("a listener has an address"))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use super::*;

    /// Answers each connection with the next of `answers`, and gives back what was asked.
    fn answering(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let serve = move || answers.iter().map(|answer| exchange(&listener, answer)).collect();
        (format!("http://{address}/"), thread::spawn(serve))
    }

    fn exchange(listener: &TcpListener, answer: &str) -> String {
        let (mut stream, _): (TcpStream, _) = listener.accept().expect("the visitor comes");
        let mut request = [0; 4096];
        let read = stream.read(&mut request).expect("the visitor asks");
        let head = "HTTP/1.1 303 See Other\r\nconnection: close\r\ncontent-length: 2\r\n";
        stream.write_all(format!("{head}{answer}\r\nok").as_bytes()).expect("the visitor listens");
        String::from_utf8_lossy(&request[..read]).to_lowercase()
    }

    #[test]
    fn a_visitor_keeps_cookies_and_follows_no_redirect() {
        let (url, server) = answering(&["location: /home\r\nset-cookie: session=abc; HttpOnly\r\n", ""]);
        let mut visitor = Visitor::new().with_token("t0k");
        let answer = visitor.post_form(&url, &[("name", "a b")]);
        assert_eq!(
            (answer.status, answer.header("location"), answer.body.as_str()),
            (303, Some("/home"), "ok")
        );
        visitor.get(&url);
        let asked = server.join().expect("the server ends");
        assert!(asked[0].contains("authorization: bearer t0k"), "{}", asked[0]);
        assert!(!asked[0].contains("cookie:"), "{}", asked[0]);
        assert!(asked[1].contains("cookie: session=abc\r\n"), "{}", asked[1]);
    }

    #[test]
    fn a_server_of_its_own_has_addresses_of_its_own() {
        let [http, flight] = free_addresses();
        assert_ne!(http, flight);
    }
}
