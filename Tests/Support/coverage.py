#!/usr/bin/env python3
"""Writes Plugins/XMPP/COVERAGE.md from the source notes in the code, or checks with --check that it is up to date.

A source note is "RFC 6120 §4.9" or "XEP-0198 §5" in a comment, also "XEP-0198 §4, §5". Behind it may stand how far the
code goes: "(partial: why)" or "(not: why)". Without, what the section asks of servers that federate is done in full. A
source as a whole is not done in full where one of its sections is not.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "Plugins/XMPP"
TABLE = PLUGIN / "COVERAGE.md"
STATES = ("full", "partial", "not")
NOTE = re.compile(
    r"\b(RFC \d{4}|XEP-\d{4})((?:,? ?(?:–|and)? ?§[\d.]*\d)*)(?: \((partial|not): ([^()]+)\))?"
)
SECTION = re.compile(r"§([\d.]*\d)")
HEAD = """# Coverage

How far the XMPP plugin goes, section by section, for servers that federate. Written by `Tests/Support/coverage.py` from the
source notes in the code: change those, then run it.

| source | section | state | where |
| --- | --- | --- | --- |
"""


def comments(path):
    """The comments of a file, each run of lines as one text, for a note may go on in the next line."""
    run = []
    for line in path.read_text().splitlines():
        code, found, text = line.partition("//")
        if found and "http:" not in code[-6:]:
            run.append(text.strip("/ "))
            if not code.strip():
                continue
        if run:
            yield " ".join(run)
            run = []
    if run:
        yield " ".join(run)


def notes():
    """For each source and section its worst state, the reasons, and the files that name it."""
    found = {}
    for path in sorted(PLUGIN.rglob("*.swift")):
        for text in comments(path):
            for source, sections, state, why in NOTE.findall(text):
                for section in SECTION.findall(sections) or [""]:
                    entry = found.setdefault((source, section), ["full", set(), set()])
                    entry[0] = max(entry[0], state or "full", key=STATES.index)
                    if why:
                        entry[1].add(why.strip())
                    entry[2].add(path.stem)
    for (source, section), (state, _, _) in list(found.items()):
        whole = found.get((source, ""))
        if whole and section and state != "full" and whole[0] == "full":
            whole[0] = "partial"
            whole[1].add("see its sections")
    return found


def order(key):
    source, section = key
    return source, [int(number) for number in section.split(".") if number]


def table():
    rows = []
    for key, (state, reasons, files) in sorted(notes().items(), key=lambda item: order(item[0])):
        named = sorted(files)
        where = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
        told = f"{state}: {'; '.join(sorted(reasons))}" if reasons else state
        rows.append(f"| {key[0]} | {key[1] or 'as a whole'} | {told} | {where} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    text = table()
    if sys.argv[1:] == ["--check"]:
        if not TABLE.exists() or TABLE.read_text() != text:
            sys.exit(f"{TABLE.relative_to(ROOT)} does not fit the code: run Tests/Support/coverage.py")
    elif sys.argv[1:]:
        sys.exit("usage: Tests/Support/coverage.py [--check]")
    else:
        TABLE.write_text(text)
