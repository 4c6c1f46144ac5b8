#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel
"""report.html in a real browser: what is on the page, what it looks like, that nothing of a stream can act in it."""
import atexit
import functools
import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import drill  # noqa: E402
import browser  # noqa: E402
import streams  # noqa: E402

FOLDER = tempfile.mkdtemp(prefix="dnsdrill-report-")
atexit.register(shutil.rmtree, FOLDER, True)
VERMILION, GREEN = (0xD5, 0x5E, 0x00), (0x00, 0x9E, 0x73)

# Runs in a copy of the page without its content policy: what only a browser knows, as an attribute of <html>.
ASK = """<script>
const seen = {scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth, contrast: []};
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return matchMedia('(prefers-color-scheme:dark)').matches ? [18, 18, 18] : [255, 255, 255]; };
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) { const e = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || ['title', 'desc', 'SCRIPT', 'STYLE'].includes(e.tagName)) continue;
  const s = getComputedStyle(e), ink = light(rgb(e.namespaceURI.endsWith('svg') ? s.fill : s.color).slice(0, 3)), paper = light(ground(e));
  const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
  if (ratio < 4.5) seen.contrast.push(ratio.toFixed(2) + ': ' + walk.currentNode.data.trim().slice(0, 40)); }
const command = document.querySelector('.figures code');
seen.command = command ? command.getBoundingClientRect().bottom : -1;
parent.postMessage(JSON.stringify(seen), '*');
</script>"""
# Chromium's own windows are at least 500 wide; a frame is as narrow as a phone.
FRAME = """<!DOCTYPE html><script>onmessage = event => document.documentElement.setAttribute('data-seen', event.data)</script>
<iframe src="%s" width="%d" height="1000" style="border:0"></iframe>"""


def report(name):
    """The report of a made-up stream; made once."""
    events, page = os.path.join(FOLDER, name + ".ndjson"), os.path.join(FOLDER, name + ".html")
    if not os.path.exists(page):
        with open(events, "w", encoding="utf-8") as out:
            streams.STREAMS[name](out)
        drill.run("report", events, "--html", page)
    return page


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def variant(name, kind, change):
    path = os.path.join(FOLDER, f"{name}-{kind}.html")
    with open(path, "w", encoding="utf-8") as out:
        out.write(change(text_of(report(name))))
    return path


@functools.lru_cache(maxsize=None)
def ask(name, width, *flags):
    asked = variant(name, "asked", lambda text: re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
                    .replace("</body>", ASK + "</body>"))
    frame = os.path.join(FOLDER, f"{name}-{width}-frame.html")
    with open(frame, "w", encoding="utf-8") as out:
        out.write(FRAME % ("file://" + asked, width))
    dom = browser.chromium("--virtual-time-budget=5000", *flags, "--dump-dom", "file://" + frame)
    return json.loads(browser.Page(dom).one("html")["attrs"]["data-seen"])


@functools.lru_cache(maxsize=None)
def page(name):
    return browser.Page(browser.dump_dom(report(name)))


def count_pixels(rows, colour):
    return sum(all(abs(a - b) <= 12 for a, b in zip(pixel, colour)) for row in rows for pixel in row)


@drill.case
def verdict_worst_number_and_command_are_on_the_first_screen():
    dom = page("drop")
    assert dom.one("h1")["text"] == "Provider alpha goes dark"
    assert dom.one("section", "verdict")["text"].split()[0] == "FAIL"
    # The third probe fails over latest: dark for 3/2 of 1150 ms after an instant 2 ms past a due time.
    assert "1.80 s ± 100 ms" in dom.one("div", "worst")["text"], dom.one("div", "worst")["text"]
    seen = ask("drop", 1280)
    assert 0 < seen["command"] < 700, seen["command"]


@drill.case
def every_sample_is_a_mark_that_tells_its_story():
    dom = page("drop")
    titles = [e["text"] for e in dom.all("title") if e["around"][-1] == "path"]
    assert len(titles) == 3 * 350, len(titles)
    assert all(re.match(r"[+−]\d+\.\d{3} s · (ok|wrong|rcode|timeout) · ", title) for title in titles)
    assert len(dom.all("rect", "band")) == 1


@drill.case
def failover_not_reached_is_shown_as_a_lower_bound():
    row = next(e for e in page("matrix").one("table", "matrix")["text"].split("resolver=") if e.startswith("dnsmasq"))
    assert row.count("> 20.0 s") == 2 and "±" not in row, row


@drill.case
def cases_of_a_matrix_link_to_their_sections():
    dom = page("matrix")
    ids = {e["attrs"]["id"] for e in dom.elements if "id" in e["attrs"]}
    links = [e["attrs"]["href"] for e in dom.all("a")]
    assert len(links) == 6 and all(link[1:] in ids for link in links), links
    assert len(dom.all("svg", "timeline")) == 5


@drill.case
def screen_readers_find_headings_landmarks_and_table_heads():
    for name in ("drop", "matrix", "hostile"):
        dom = page(name)
        levels = [int(e["tag"][1]) for e in dom.elements if re.fullmatch("h[1-6]", e["tag"])]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
        assert len(dom.all("main")) == 1 and dom.one("html")["attrs"]["lang"] == "en"
        assert all(e["attrs"].get("scope") in ("col", "row", "colgroup") for e in dom.all("th"))
        assert len(dom.all("table")) == len(dom.all("caption"))
        ids = [e["attrs"]["id"] for e in dom.elements if "id" in e["attrs"]]
        assert len(ids) == len(set(ids))
        for e in dom.elements:
            for wanted in (e["attrs"].get("aria-labelledby") or "").split():
                assert wanted in ids, wanted


@drill.case
def page_never_scrolls_sideways_on_a_phone():
    for name in ("drop", "matrix", "dense", "hostile"):
        seen = ask(name, 390)
        assert seen["client"] in range(370, 391), seen["client"]
        assert seen["scroll"] <= seen["client"], (name, seen["scroll"], seen["client"])


@drill.case
def all_text_stands_out_from_its_ground_in_light_and_dark():
    for flags in ((), ("--force-dark-mode",)):
        for name in ("matrix", "hostile"):
            assert ask(name, 1280, *flags)["contrast"] == [], (name, flags, ask(name, 1280, *flags)["contrast"][:5])


@drill.case
def light_and_dark_look_as_they_should():
    light = browser.screenshot(report("drop"), 1280, 1100)
    assert light[0][0] == (255, 255, 255)
    assert count_pixels(light, VERMILION) > 200 and count_pixels(light, GREEN) > 1000
    dark = browser.screenshot(report("drop"), 1280, 1100, "--force-dark-mode")
    assert max(dark[0][0]) < 40, dark[0][0]
    assert count_pixels(dark, (255, 0x7A, 0x1A)) > 200 and count_pixels(dark, (0x1F, 0xBF, 0x90)) > 1000


@drill.case
def marks_keep_their_colours_where_style_sheets_are_forbidden():
    bare = variant("drop", "bare", lambda text: re.sub(r"(?s)<style>.*?</style>", "", text))
    rows = browser.screenshot(bare, 1280, 1100)
    assert count_pixels(rows, VERMILION) > 200 and count_pixels(rows, GREEN) > 1000


@drill.case
def nothing_of_a_hostile_stream_becomes_an_element():
    dom = page("hostile")
    assert not dom.all("script") and not dom.all("img")
    assert dom.all("title")[0]["text"].startswith("ERROR: <script>"), dom.all("title")[0]["text"]
    assert not [e for e in dom.elements if any(key.startswith("on") for key in e["attrs"])]
    assert "\u202e" not in text_of(report("hostile")) and "\x07" not in text_of(report("hostile"))


@drill.case
def two_hundred_thousand_samples_make_a_small_page_that_says_what_it_left_out():
    assert os.path.getsize(report("dense")) < 5 * 2**20
    caption = page("dense").one("figcaption")["text"]
    most = int(re.search(r"stands for up to (\d+) samples", caption).group(1))
    titles = [e["text"] for e in page("dense").all("title")]
    counts = [int(m.group(1)) for m in (re.search(r" · (\d+) samples: ", title) for title in titles) if m]
    assert sum(counts) == 200000 and max(counts) == most, (sum(counts), max(counts), most)
    assert "events.ndjson" in caption


def main():
    if not browser.PROGRAM:
        for k, function in enumerate(drill.cases):
            drill.cases[k] = skipped(function)
    drill.main()


def skipped(function):
    def skip():
        raise drill.Skip("chromium is not installed")
    skip.__name__ = function.__name__
    return skip


main()
