"""Visits pages as a person with a browser would, and prints what it saw as JSON.

    browser.py --base http://127.0.0.1:8080 --login /login --field account=a --field password=b \\
        --out shots /studies/X/quality /studies/X/rbqm

For each page it waits until every `.figure` is drawn, collects the console and every violation of the content
security policy, and takes a screenshot. With --no-script it runs no script of the page, and gives back its
visible text and how many tables and rows it has. It ends with 1 when a page was not whole, with 2 when it was
called wrongly or the browser did not start.
"""

import argparse
import json
import os
import re
import sys
import time
from base64 import b64decode
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FIGURES = ".figure"
DRAWN = ".main-svg"  # Plotly's drawing, inside of its `.js-plotly-plot`.
WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener('securitypolicyviolation', event => window.policyViolations.push(
  `${event.effectiveDirective} refused ${event.blockedURI} in ${event.sourceFile}:${event.lineNumber}`));
"""


def main():
    arguments = parse_arguments()
    try:
        browser = start_browser(arguments)
    except WebDriverException as error:
        print(f"the browser did not start: {error.msg}", file=sys.stderr)
        return 2
    try:
        report = visit_all(browser, arguments)
    finally:
        browser.quit()
    json.dump(report, sys.stdout)
    print()
    return 0 if report["ok"] else 1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="the address that paths are relative to")
    parser.add_argument("--login", help="the path of the login form")
    parser.add_argument("--field", action="append", default=[], metavar="NAME=VALUE", help="a field of that form")
    parser.add_argument("--out", type=Path, help="the folder for screenshots")
    parser.add_argument("--wait", type=float, default=20.0, help="seconds for a page's figures to be drawn")
    parser.add_argument("--width", type=int, default=1360)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--dark", action="store_true", help="prefer the dark scheme")
    parser.add_argument("--no-script", action="store_true", help="run no script of the page")
    parser.add_argument("--text", action="store_true", help="give back the visible text with scripts, too")
    parser.add_argument("paths", nargs="+")
    return parser.parse_args()


def start_browser(arguments):
    options = Options()
    options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    for flag in ("--headless=new", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                 f"--window-size={arguments.width},{arguments.height}"):
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's sandbox refuses to start as root.
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if arguments.no_script:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    browser = webdriver.Chrome(options, Service(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")))
    browser.set_page_load_timeout(60)
    if not arguments.no_script:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH_POLICY})
    scheme = "dark" if arguments.dark else "light"
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    return browser


def visit_all(browser, arguments):
    pages = []
    if arguments.login is not None:
        pages.append(log_in(browser, arguments))
    pages += [visit(browser, path, arguments) for path in arguments.paths]
    return {"ok": all(not page["problems"] for page in pages), "pages": pages}


def log_in(browser, arguments):
    browser.get(arguments.base + arguments.login)
    field = None
    for given in arguments.field:
        name, value = given.split("=", 1)
        field = browser.find_element(By.NAME, name)
        field.clear()
        field.send_keys(value)
    problems = []
    if field is None:
        problems.append("no --field was given for the login form")
    else:
        before = browser.current_url
        field.find_element(By.XPATH, "./ancestor::form//*[self::button or @type='submit']").click()
        try:
            WebDriverWait(browser, arguments.wait).until(lambda b: b.current_url != before)
        except TimeoutException:
            problems.append("the login form led nowhere: " + visible_text(browser)[:300])
    seen = console(browser)
    return {"path": arguments.login, "led_to": browser.current_url, "console": seen,
            "problems": problems + errors_in(seen)}


def visit(browser, path, arguments):
    browser.get(arguments.base + path)
    page = {"path": path, "title": browser.title, "problems": []}
    page["figures"] = len(browser.find_elements(By.CSS_SELECTOR, FIGURES))
    page["tables"] = len(browser.find_elements(By.CSS_SELECTOR, "table"))
    page["rows"] = len(browser.find_elements(By.CSS_SELECTOR, "table tbody tr"))
    page["background"] = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    if arguments.no_script:
        page["drawn"] = len(browser.find_elements(By.CSS_SELECTOR, DRAWN))
        if page["drawn"]:
            page["problems"].append("a script ran although scripts are off")
    else:
        page["drawn"] = wait_until_drawn(browser, page["figures"], arguments.wait)
        if page["drawn"] < page["figures"]:
            page["problems"].append(f"{page['drawn']} of {page['figures']} figures were drawn")
        page["violations"] = browser.execute_script("return window.policyViolations || []")
        page["problems"] += [f"content security policy: {text}" for text in page["violations"]]
    if arguments.no_script or arguments.text:
        page["text"] = visible_text(browser)
    if arguments.out is not None:
        page["screenshot"] = str(take_screenshot(browser, path, arguments))
    page["console"] = console(browser)
    page["problems"] += errors_in(page["console"])
    return page


def wait_until_drawn(browser, figures, seconds):
    def drawn():
        found = browser.find_elements(By.CSS_SELECTOR, FIGURES)
        return sum(bool(figure.find_elements(By.CSS_SELECTOR, DRAWN)) for figure in found)

    end = time.monotonic() + seconds
    while drawn() < figures and time.monotonic() < end:
        time.sleep(0.05)
    return drawn()


def visible_text(browser):
    # The driver may evaluate this also where the page's own scripts are off.
    return browser.execute_script("return document.body.innerText")


def console(browser):
    return [{"level": entry["level"], "source": entry.get("source", ""), "message": entry["message"]}
            for entry in browser.get_log("browser")]


def errors_in(entries):
    return [f"console: {entry['message']}" for entry in entries
            if entry["level"] == "SEVERE" or "Content Security Policy" in entry["message"]]


def take_screenshot(browser, path, arguments):
    arguments.out.mkdir(parents=True, exist_ok=True)
    variant = "".join([".dark" * arguments.dark, ".no-script" * arguments.no_script])
    file = arguments.out / f"{re.sub(r'[^A-Za-z0-9]+', '-', path).strip('-') or 'index'}{variant}.png"
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
    file.write_bytes(b64decode(shot["data"]))
    return file


if __name__ == "__main__":
    sys.exit(main())
