"""Writes the files that an article shows: each is a line with its name, bold and in code, and a fenced block below it."""

import pathlib
import re
import sys

FILE = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> None:
    article, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = FILE.findall(article.read_text(encoding="utf-8"))
    if not found:
        sys.exit(f"There is no file in {article}.")
    for name, text in found:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            sys.exit(f"{name} would not be in {folder}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{name}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    main()
