"""The report: what is in it, that nothing in a line becomes part of the page, and the page in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.alert_lines import armed, at, connect, folded, lookup, refused, tmp
from harness.browser import Browser
from harness.logs_insights import evaluate_text
from shielded_function_emulator.languages.parts import Unavailable
from shielded_function_monitoring import reporting
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.reporting import Report, html, previous_from_json, report_to_json, to_html
from unit.monitoring.learned import read

pytestmark = pytest.mark.promise("cli.logs")

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "' onmouseover='document.title=1",
    "\u202egnp.exe",
    "\x1b[31mred\x07",
    "<!--",
    "a|b\n# c",
    "http://evil.example/",
    "&lt;",
    "{{7*7}}",
)
LOG = [
    armed(at(18)),
    armed(at(20)),
    lookup("api.stripe.com", at(20)),
    *[connect("api.stripe.com", time=at(20), caller="libssl.so")] * 40,
    connect("api.stripe.com", ip="198.51.100.8", time=at(21), mode="block"),
    tmp("/tmp/cache.json", at(23), function="refund"),
    folded("read_write_tmp", 18, at(23), function="refund"),
    refused("no such mode", at(23), function="refund"),
]


def report_of(log: list[str], previous: Report | None = None, expected: Iterable[str] = ()) -> Report:
    head = Report("2026-11-24T13:37:00Z", sources=("lines.jsonl",))
    before = previous_from_json(json.loads(json.dumps(report_to_json(previous)))) if previous else None
    return reporting.build(head, read(log), evaluate_text(queries.timeline().render(), log), expected, before)


def hostile_log() -> list[str]:
    log = list(LOG)
    for text in HOSTILE:
        log += [
            connect(text, function=text, region=text, caller=text, allow=text, through=(text, text)),
            tmp(f"/tmp/{text}", function=text),
            refused(text, function=text),
        ]
    return log


def test_what_is_in_it() -> None:
    report = report_of(LOG, expected=["checkout", "silent"])
    assert "62violations of 5 kinds" in Page(to_html(report)).text
    assert [
        (each.severity, each.function, each.policy, each.target, each.evidence.count) for each in report.groups
    ] == [
        ("critical", "refund", "start", "refused: no such mode", 1),
        ("critical", "checkout", "outbound_connectivity", "api.stripe.com:443", 1),
        ("warning", "checkout", "outbound_connectivity", "api.stripe.com:443", 40),
        ("warning", "checkout", "outbound_connectivity", "api.stripe.com", 1),
        ("warning", "refund", "read_write_tmp", "(counted, not written)", 18),
        ("warning", "refund", "read_write_tmp", "/tmp/cache.json", 1),
    ]
    assert (report.groups[2].evidence.callers, report.groups[2].is_new) == (("libssl.so",), False)
    assert (report.since, report.until) == (at(18)[:16], at(23)[:16]), "the lines' own, where none was asked for"
    assert {(each.function, each.state, each.armed, each.folded) for each in report.coverage} == {
        ("checkout", "armed", 2, 0),
        ("refund", "refused", 0, 18),
        ("silent", "not seen", 0, 0),
    }
    assert report.coverage[0].state == "refused", "the worst comes first"
    assert [(each.begun[:10], each.count) for each in report.periods if each.policy == "outbound_connectivity"] == [
        ("2026-11-20", 41), ("2026-11-21", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("is_whole", "word"), [(True, "Note"), (False, "Not whole")])
def test_the_page_agrees_with_the_json(is_whole: bool, word: str) -> None:
    """A forged line leaves nothing out; and a function that armed did, though another of its starts failed."""
    forged = tmp("/tmp/x").replace('"count":1', '"count":-9')
    report = replace(report_of([*LOG, refused("no such mode", at(23)), forged]), whole=is_whole)
    page = Page(to_html(report))
    assert report_to_json(report)["whole"] == is_whole
    assert f"{word}: 1 lines say they are the shield's and do not follow its schema" in page.text
    assert "1 of 2functions armed" in page.text, "checkout armed, and its last start was refused"


def test_did_it_come_with_the_deployment() -> None:
    """The versions from the first time to the last, and the line of code, whatever the order of the lines."""
    log = [
        connect("a.example", time=at(22), version="10", through=("urllib3", "app")),
        connect("a.example", time=at(20), version="9", caller="_socket.so"),
        connect("b.example", time=at(22), version="10"),
    ]
    for lines in (log, log[::-1]):
        a, b = sorted(report_of(lines).groups, key=lambda each: each.target)
        assert (a.versions, a.evidence.place, a.evidence.first) == ("9 to 10", "/var/task/urllib3/code.py:73", at(20))
        assert (b.versions, b.evidence.place) == ("10", "")
        assert report_of(lines).coverage[0].version == "10"
    page = Page(to_html(report_of(log)))
    assert "9 to 10" in page.text
    assert "/var/task/urllib3/code.py:73" in page.text


def test_totals_agree() -> None:
    """The head, the list, the timeline and the functions say the same number."""
    log = [*hostile_log(), folded("outbound_connectivity", 7), tmp("/tmp/(counted, not written)")]
    report = report_of(log)
    violations = sum(each.evidence.count for each in report.groups)
    assert violations == sum(each.count for each in report.periods)
    page = Page(to_html(report))
    assert f"{violations}violations of {len(report.groups) - 2} kinds" in page.text
    said = f"{violations} violations in all. Of these, {18 + 7} were counted and not written"
    assert said in page.text


def test_the_packages_of_a_row_are_chains() -> None:
    log = [
        *[connect("api.stripe.com", caller="_socket.so", through=("urllib3", "requests", "app"))] * 3,
        *[connect("api.stripe.com", caller="_socket.so", through=("urllib3", "requests", "leftpad", "app"))] * 2,
    ]
    report = report_of(log)
    assert [each.evidence.chains for each in report.groups] == [
        ["app > requests > urllib3", "app > leftpad > requests > urllib3"]
    ]
    assert "app > requests > urllib3" in Page(to_html(report)).text


def test_what_is_new_since_the_last() -> None:
    report = report_of(LOG, report_of(LOG[:4]))
    assert [(each.function, each.policy, each.target) for each in report.groups if each.is_new] == [
        ("refund", "start", "refused: no such mode"),
        ("refund", "read_write_tmp", "/tmp/cache.json"),
    ], "what was not written is no target"
    assert not any(each.is_new for each in report_of(LOG, report).groups)
    assert ">new<" in to_html(report)
    assert "2new since" in Page(to_html(report)).text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "did not write it"),
        ({"format": "shielded-function report", "version": 9}, "its version is 9"),
        ({"format": "shielded-function report", "version": 1}, "not whole"),
        ({**report_to_json(report_of(LOG)), "groups": [{}]}, "not whole"),
    ],
)
def test_what_is_no_report(value: object, said: str) -> None:
    with pytest.raises(reporting.ReportError, match=said):
        previous_from_json(value)


def test_times_as_insights_may_write_them() -> None:
    rows = [{"period": "1795392000000", "policy": "start", "violations": "1.0"}, {"policy": "start"}]
    report = reporting.build(Report("now"), read([]), rows, (), None)
    assert [(each.begun, each.count) for each in report.periods] == [("2026-11-23 00:00:00.000", 1)]


class Page(HTMLParser):
    """What a parser makes of a page: its tags with their attributes, and the text outside of style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "script"):
            self.text += data


def test_nothing_of_a_line_is_markup() -> None:
    page, plain = Page(to_html(report_of(hostile_log()))), Page(to_html(report_of(LOG)))
    kinds = {tag for tag, _ in page.tags}
    assert kinds == {tag for tag, _ in plain.tags}
    assert "img" not in kinds
    names = {name for _, attributes in page.tags for name in attributes}
    assert names == {name for _, attributes in plain.tags for name in attributes}
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert "</script><script>document.title='owned'</script>:443" in page.text
    assert "\\u202egnp.exe" in page.text
    assert "\\x1b[31mred\\x07" in page.text
    assert all(character.isprintable() or character == "\n" for character in to_html(report_of(hostile_log())))


def test_the_page_needs_nothing_else() -> None:
    """But for links to functions in AWS's console, and to no other host, whatever a line names as its region."""
    log = [*LOG, connect("a.example", region="evil.example/?x=eu-west-1"), connect("a.example", function="x/../y")]
    text = to_html(report_of(log))
    link = r'<a href="https://eu-west-1\.console\.aws\.amazon\.com/lambda/[^"]*/functions/(\w+)\?tab=monitoring" rel'
    assert set(re.findall(link, text)) == {"checkout", "refund"}
    text = re.sub(link, "", text)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|url\(|@import|https?://""", text)
    assert "default-src &#39;none&#39;" in text


def test_an_empty_report() -> None:
    report = report_of([])
    text = Page(to_html(report)).text
    assert ("None." in text, "No function." in text) == (True, True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with Browser() as running:
            yield running
    except Unavailable as error:
        pytest.skip(f"no headless Chromium: {error}")


@pytest.fixture(scope="module")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    before = replace(report_of(LOG[:4]), made="2026-11-20T00:00:00Z")
    file.write_text(to_html(report_of(hostile_log(), before)), encoding="utf-8")
    return file


@pytest.fixture
def page(browser: Browser, report_page: Path) -> Browser:
    browser.resize(1280, 900)
    browser.open(report_page)
    return browser


def shown(page: Browser) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('#violations tbody tr')].filter(r => r.offsetParent !== null)"
        ".map(r => r.querySelector('[data-label=target]').textContent)"
    )


def page_says(page: Browser) -> str:
    return page.evaluate("document.getElementById('shown').textContent")


def search(page: Browser, text: str) -> None:
    page.evaluate(
        f"(() => {{ const c = document.getElementById('search'); c.value = {json.dumps(text)};"
        "c.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_it_loads_alone_and_runs_nothing_of_a_line(page: Browser) -> None:
    assert page.complaints == []
    assert [url[:5] for url in page.requests] == ["file:"]
    assert page.evaluate("document.title") == "Shield report"
    assert page.evaluate("document.querySelectorAll('img, script[src], link, iframe').length") == 0
    titles = page.evaluate("[...document.querySelectorAll('svg title')].map(t => t.textContent)")
    assert "2026-11-20 00:00 UTC, outbound_connectivity: 51" in titles
    # The 22nd had nothing, and has its place in the timeline.
    places = page.evaluate("[...new Set([...document.querySelectorAll('svg rect')].map(r => r.getAttribute('x')))]")
    first, second, third = sorted(map(float, places))
    assert third - second == pytest.approx(2 * (second - first), rel=0.01)


def test_one_search_over_all_columns(page: Browser) -> None:
    every = shown(page)
    assert len(every) == 6 + 3 * len(HOSTILE)
    search(page, "stripe 443")
    assert shown(page) == ["api.stripe.com:443"] * 2
    search(page, " REFUND ")
    assert sorted(shown(page)) == ["(counted, not written)", "/tmp/cache.json", "refused: no such mode"]
    assert page_says(page) == f"3 of {len(every)} rows, 20 violations"
    search(page, "refund start")
    assert shown(page) == ["refused: no such mode"]
    search(page, "checkout block")
    assert shown(page) == ["api.stripe.com:443"]
    search(page, "critical")
    assert len(shown(page)) == 2 + len(HOSTILE)
    search(page, "new")
    assert len(shown(page)) == 2 + 3 * len(HOSTILE)
    assert "api.stripe.com:443" not in shown(page)
    search(page, "no such row")
    assert page_says(page) == f"0 of {len(every)} rows, 0 violations"
    search(page, "")
    assert shown(page) == every


def test_a_row_leads_to_its_function(page: Browser) -> None:
    targets = "[...document.querySelectorAll('#violations a')].map(a => decodeURIComponent(a.hash.slice(1)))"
    ids = page.evaluate("[...document.querySelectorAll('#functions tbody tr')].map(r => r.id)")
    assert set(page.evaluate(targets)) == set(ids)
    page.evaluate("location.hash = '#function-refund'")
    assert page.evaluate("document.querySelector('tr:target').cells[1].textContent") == "refund eu-west-1 123456789012"


def test_it_can_be_read_on_a_phone(page: Browser) -> None:
    page.resize(360, 740, mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("getComputedStyle(document.querySelector('#violations tbody tr')).display") == "block"
    narrow = "[...document.querySelectorAll('#violations td')].every(c => c.getBoundingClientRect().right <= 361)"
    assert page.evaluate(narrow) is True


def test_many_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert html.MAX_ROWS == 5000
    monkeypatch.setattr(html, "MAX_ROWS", 50)
    text = to_html(report_of([tmp(f"/tmp/{n}") for n in range(60)]))
    assert text.count("data-count=") == 50
    assert "The 50 most severe of 60 rows; --json has all." in text
