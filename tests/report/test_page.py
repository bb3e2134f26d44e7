"""The page works in a real browser, from disk, without a network: search, filter, sort, open, link."""

import shutil
from pathlib import Path

import pytest

from seven_terms.report.page import write_page

from .fabricate import fabricate

PAPER = Path(__file__).parents[2] / "paper"
CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    path = folder / "index.html"
    write_page(fabricate(folder / "laptop"), PAPER, path)
    return path


def test_the_page_holds_everything_itself(page):
    text = page.read_text(encoding="utf-8")
    assert 'lang="en"' in text
    assert "<details" in text
    assert not [word for word in ('src="http', "@import", 'rel="stylesheet"', "fetch(") if word in text]


def test_the_page_is_the_same_bytes_when_it_is_made_again(page, tmp_path):
    write_page(page.parent / "laptop", PAPER, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver")
    if not (CHROMIUM and DRIVER):
        pytest.skip("no Chromium with its driver; `apt-get install chromium chromium-driver` brings both")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "window-size=1280,900",
        f"user-data-dir={tmp_path}/user",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield driver
    driver.quit()


def shown(browser) -> list[str]:
    script = "return [...document.querySelectorAll('#list > details:not(.hidden)')].map((row) => row.id)"
    return browser.execute_script(script)


def choose(browser, name: str, value: str) -> None:
    script = "const e = document.getElementById(arguments[0]); e.value = arguments[1]; "
    script += "e.dispatchEvent(new Event('input', {bubbles: true}))"
    browser.execute_script(script, name, value)


def test_a_reader_searches_filters_sorts_opens_and_links(page, browser):
    browser.get(page.as_uri())
    everything = shown(browser)
    assert "BN1-fair" in everything
    choose(browser, "search", "temporal order")
    assert set(shown(browser)) < set(everything)
    choose(browser, "search", "")
    choose(browser, "term", "Batch normalization")
    assert "GC2" not in shown(browser)
    assert "BN1-fair" in shown(browser)
    choose(browser, "verdict", "refuted")
    assert (
        browser.execute_script("return document.getElementById('shown').textContent") == f"{len(shown(browser))} shown"
    )
    choose(browser, "verdict", "")
    choose(browser, "term", "")
    choose(browser, "sort", "up")
    script = "return [...document.querySelectorAll('#list > details')].map((row) => +row.dataset.effect)"
    effects = browser.execute_script(script)
    assert effects == sorted(effects)
    browser.get(f"{page.as_uri()}#GC2")
    assert browser.execute_script("return document.getElementById('GC2').open")
    text = browser.execute_script("return document.getElementById('GC2').textContent")
    assert "supported if the interval lies" in text
    assert "gradient_clipping/temporal_order" in text
    assert "A recurrent network of 50 tanh units" in text
    browser.execute_script("document.querySelector('#BN1-fair summary').click()")
    assert (
        browser.execute_script("return new Promise((done) => setTimeout(() => done(location.hash), 200))")
        == "#BN1-fair"
    )
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_nothing_is_wider_than_a_phone(page, browser):
    browser.set_window_size(500, 900)
    browser.get(f"{page.as_uri()}#GC2")
    wide, room = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= room
