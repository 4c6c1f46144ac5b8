# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium: the DOM it makes of a page, and what it looks like."""
import html.parser
import os
import shutil
import struct
import subprocess
import tempfile
import zlib

PROGRAM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1"]


def chromium(*arguments, timeout=60):
    with tempfile.TemporaryDirectory(prefix="dnsdrill-browser-") as folder:
        done = subprocess.run([PROGRAM, *FLAGS, "--user-data-dir=" + folder, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    if done.returncode:
        raise AssertionError(f"chromium ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode(errors="replace")


def dump_dom(path):
    return chromium("--dump-dom", "file://" + os.path.abspath(path))


def screenshot(path, width, height, *flags):
    """Rows of pixels, each (red, green, blue)."""
    with tempfile.TemporaryDirectory(prefix="dnsdrill-shot-") as folder:
        picture = os.path.join(folder, "shot.png")
        chromium(f"--window-size={width},{height}", "--screenshot=" + picture, *flags, "file://" + os.path.abspath(path))
        with open(picture, "rb") as file:
            return read_png(file.read())


def read_png(data):
    """8 bits, RGB or RGBA, not interlaced: what Chromium writes."""
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    assert depth == 8 and kind in (2, 6) and not interlace, (depth, kind, interlace)
    at, packed = 8, b""
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    return unfilter(zlib.decompress(packed), width, height, 3 if kind == 2 else 4)


def unfilter(raw, width, height, channels):
    size, rows, above = width * channels, [], bytes(width * channels)
    for y in range(height):
        how, line = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
        for x in range(size) if how else ():
            left = line[x - channels] if x >= channels else 0
            corner = above[x - channels] if x >= channels else 0
            line[x] = (line[x] + predict(how, left, above[x], corner)) & 255
        above = bytes(line)
        rows.append([tuple(line[x:x + 3]) for x in range(0, size, channels)])
    return rows


def predict(how, left, up, corner):
    if how == 1:
        return left
    if how == 2:
        return up
    if how == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]


class Page(html.parser.HTMLParser):
    """The elements of a page in order: tag, attributes, text inside, and the tags around."""

    VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attrs": dict(attrs), "text": "", "around": [e["tag"] for e in self.open]}
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        while self.open:
            if self.open.pop()["tag"] == tag:
                break

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, cls=None):
        return [e for e in self.elements if e["tag"] == tag and (cls is None or cls in (e["attrs"].get("class") or "").split())]

    def one(self, tag, cls=None):
        found = self.all(tag, cls)
        assert len(found) == 1, f"{len(found)} of <{tag} class={cls}>"
        return found[0]
