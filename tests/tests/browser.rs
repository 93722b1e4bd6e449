//! A clinical lead opens the dashboards in a browser and sees which site to call, with scripts and without.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Installation, Need, STUDY, Server, TENANT, python, screenshots};

/// The pages of the story and how many charts each draws.
struct Page {
    path: String,
    figures: u64,
}

struct Scene {
    python: PathBuf,
    installation: Installation,
    server: Server,
    folder: TempDir,
    pages: Vec<Page>,
}

impl Scene {
    fn open() -> Option<Self> {
        let (python, _driver) = (Need::Python.path()?, Need::Chromedriver.path()?);
        let installation = Installation::demonstration()?;
        let server = installation.serve();
        let folder = tempfile::tempdir().expect("the system gives temporary folders");
        let mut scene = Self { python, installation, server, folder, pages: Vec::new() };
        scene.pages = scene.pages_to_visit();
        Some(scene)
    }

    /// From the overview down to the rows of one subject, by the links that the pages themselves give.
    fn pages_to_visit(&self) -> Vec<Page> {
        let researcher = self.installation.demo_account(TENANT, "researcher");
        let mut reader = researcher.browser(&self.server);
        let mut link = |page: &str, beginning: &str| {
            let answer = reader.get(&self.server.url(page));
            assert_eq!(answer.status, 200, "{page}: {}", answer.body);
            // The shortest is the page itself; others go further down.
            let fitting =
                links(&answer.body).filter(|link| link.starts_with(beginning) && !link.contains('?'));
            let found = fitting.min_by_key(|link| link.len());
            assert!(found.is_some(), "{page} has no link to {beginning}");
            found.unwrap_or_default().to_owned()
        };
        let study = format!("/studies/{STUDY}");
        let quality = link(&study, &format!("{study}/quality"));
        let rbqm = link(&study, &format!("{study}/rbqm"));
        let indicator = link(&rbqm, &format!("{rbqm}/kri0001"));
        let [worst, _] = self.planted();
        let site = link(&indicator, &format!("{indicator}/sites/{worst}"));
        let subject = link(&site, &format!("{site}/subjects/"));
        let paths = [(study, 0), (quality, 1), (rbqm, 0), (indicator, 2), (site, 0), (subject, 0)];
        paths.map(|(path, figures)| Page { path, figures }).into()
    }

    /// The sites whose anomalies were planted, as the simulator wrote them down.
    fn planted(&self) -> [String; 2] {
        let truth = self.installation.data().join("simulated/truth.json");
        let truth = fs::read_to_string(truth).expect("the simulator writes down what it planted");
        let truth: Value = serde_json::from_str(&truth).expect("it is JSON");
        [0, 1].map(|at| truth["anomalies"][at]["site"].as_str().expect("an anomaly has a site").to_owned())
    }

    /// Signs in as the researcher and visits every page; the login itself is left out of the answer.
    fn visit(&self, further: &[&str]) -> Vec<Value> {
        let researcher = self.installation.demo_account(TENANT, "researcher");
        let (email, password) =
            (format!("email={}", researcher.email), format!("password={}", researcher.password));
        let base = self.server.url("");
        let out = screenshots().unwrap_or_else(|| self.folder.path().to_owned());
        let out = out.to_string_lossy().into_owned();
        let mut arguments =
            vec!["--base", &base, "--login", "/login", "--field", &email, "--field", &password];
        arguments.extend(["--out", &out, "--text"]);
        arguments.extend(further);
        arguments.extend(self.pages.iter().map(|page| page.path.as_str()));
        let report = python(&self.python, "browser.py", &arguments);
        let visited = report["pages"].as_array().expect("a report has pages");
        let problems: Vec<&Value> = visited
            .iter()
            .filter(|page| page["problems"].as_array().is_none_or(|found| !found.is_empty()))
            .collect();
        assert!(problems.is_empty() && report["ok"] == true, "{further:?}: {problems:#?}");
        assert_eq!(visited.len(), self.pages.len() + 1);
        visited[1..].to_vec()
    }
}

#[test]
fn every_page_is_drawn_without_a_complaint_in_light_and_dark() {
    let Some(scene) = Scene::open() else { return };
    let schemes = [scene.visit(&[]), scene.visit(&["--dark"])];
    for visited in &schemes {
        for (page, found) in scene.pages.iter().zip(visited) {
            let path = &page.path;
            assert_eq!(found["figures"], page.figures, "charts of {path}: {found:#}");
            assert_eq!(found["drawn"], page.figures, "drawn charts of {path}");
            assert_eq!(found["violations"].as_array().map(Vec::len), Some(0), "{path}: {found:#}");
            assert_eq!(found["console"].as_array().map(Vec::len), Some(0), "{path}: {found:#}");
            check_has_rows(path, found);
        }
    }
    for (light, dark) in schemes[0].iter().zip(&schemes[1]) {
        let [light, dark] = [light, dark].map(|page| brightness(&page["background"]));
        assert!(
            light > 600 && dark < 250,
            "red, green and blue add up to {light} in light and {dark} in dark"
        );
    }
}

#[test]
fn every_page_is_whole_without_scripts() {
    let Some(scene) = Scene::open() else { return };
    let (with, without) = (scene.visit(&[]), scene.visit(&["--no-script"]));
    for ((page, with), without) in scene.pages.iter().zip(&with).zip(&without) {
        let path = &page.path;
        assert_eq!(without["drawn"], 0, "a script ran at {path}");
        check_has_rows(path, without);
        for part in ["title", "tables", "rows"] {
            assert_eq!(with[part], without[part], "{part} of {path}");
        }
        // What a chart shows stands in words and tables too; only the chart's own labels are gone.
        let text = |page: &Value| page["text"].as_str().unwrap_or_default().to_owned();
        let (with, without) = (text(with), text(without));
        let lost: Vec<&str> = without.lines().filter(|line| !with.contains(line.trim())).collect();
        assert!(lost.is_empty(), "{path} says without scripts only: {lost:?}");
        assert!(without.len() > 200, "{path} says only: {without}");
    }
}

#[test]
fn the_planted_sites_are_the_sites_to_call() {
    let Some(scene) = Scene::open() else { return };
    let rbqm = format!("/studies/{STUDY}/rbqm");
    let visited = scene.visit(&["--no-script"]);
    let page = visited.iter().find(|page| page["path"] == *rbqm).expect("the page was visited");
    let text = page["text"].as_str().expect("its text was asked for");
    let (_, calls) = text.split_once("Sites to call today").expect("the page says whom to call");
    let (calls, _) = calls.split_once("Every site and indicator").expect("the matrix follows");
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    let sites: Vec<String> =
        calls.lines().filter_map(|line| line.trim().strip_prefix("Site ").map(number)).collect();
    let [fewer_events, late_entry] = scene.planted();
    assert_eq!(sites.first(), Some(&fewer_events), "the sites to call are {sites:?}:\n{calls}");
    assert!(sites.contains(&late_entry), "the sites to call are {sites:?}:\n{calls}");
    // Four of the six planted anomalies move an indicator, and sixty sites have a few pairs of ambers by chance.
    assert!(sites.len() <= 8, "{sites:?} are too many calls for a day");
}

fn check_has_rows(path: &str, page: &Value) {
    for part in ["tables", "rows"] {
        assert!(page[part].as_u64() > Some(0), "{path} has no {part}: {page:#}");
    }
}

/// The sum of red, green and blue of `rgb(…)` or `rgba(…)`.
fn brightness(colour: &Value) -> u64 {
    let text = colour.as_str().unwrap_or_default();
    let numbers = text.trim_start_matches(|c: char| !c.is_ascii_digit()).split([',', ')']);
    numbers.take(3).filter_map(|number| number.trim().parse::<u64>().ok()).sum()
}

/// Where the links of a page lead.
fn links(html: &str) -> impl Iterator<Item = &str> {
    html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next())
}
