#!/usr/bin/env python3
"""Every page of docs/ is in the table of contents, no relative link of any document is dead, and the site of the
package's interface has all of its entries.

usage: python3 tests/docs/check.py
"""

import json
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Made by typedoc from the package's comments (scripts/docs), and in no checkout.
INTERFACE = DOCS / "api"
PACKAGE = ROOT / "pkg"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def documents():
    """Every page in the checkout, also one that is not committed yet."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    done = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def prose(path):
    """A page without its code, where brackets mean other things."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^( *)```.*?^ *```$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """What a link can point at within a page: its headings, as git hosts and mdBook name them."""
    found, seen = set(), {}
    text = re.sub(r"^( *)```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for heading in re.findall(r"^#+ +(.+?) *$", text, flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return found


def entries():
    """What is imported from the package, by its name on the site, and the source of each."""
    listed = json.loads((PACKAGE / "typedoc/typedoc.json").read_text())["entryPoints"]
    sources = {(PACKAGE / "typedoc" / name).resolve() for name in listed}
    return {re.search(r"@module (\S+)", source.read_text(encoding="utf-8"))[1]: source for source in sources}


def interface_pages():
    """The pages of the interface: one for each entry, and one for each name that a source of the package exports."""
    modules = [name.replace("/", "_") for name in entries()]
    sources = "".join(source.read_text(encoding="utf-8") for source in sorted((PACKAGE / "src").glob("*.ts")))
    kinds = {"interface": "interfaces", "type": "types", "class": "classes"}
    exported = re.findall(r"^export (interface|type|class) (\w+)", sources, flags=re.M)
    names = {f"{kinds[kind]}/{module}.{name}.html" for kind, name in exported for module in modules}
    return names | {f"modules/{module}.html" for module in modules} | {"index.html"}


def links(path):
    """The relative links of a page."""
    return [link for link in LINK.findall(prose(path)) if not re.match(r"[a-z][a-z0-9+.-]*:|//", link)]


class Documents(unittest.TestCase):
    def test_every_page_is_in_the_table_of_contents_once(self):
        listed = [link for link in links(DOCS / "SUMMARY.md")]
        self.assertEqual(len(listed), len(set(listed)), "a page is listed twice")
        pages = {str(path.relative_to(DOCS)) for path in documents() if path.is_relative_to(DOCS)} - {"SUMMARY.md"}
        self.assertEqual(pages - set(listed), set(), "docs/SUMMARY.md lacks these pages")
        self.assertEqual(set(listed) - pages, set(), "docs/SUMMARY.md lists pages that do not exist")

    def test_no_relative_link_is_dead(self):
        checked = 0
        for page in documents():
            for link in links(page):
                place, _, anchor = link.partition("#")
                target = (page.parent / place).resolve() if place else page
                where = f"{page.relative_to(ROOT)} links to {link}"
                if target.is_relative_to(INTERFACE):
                    self.assertIn(str(target.relative_to(INTERFACE)), interface_pages(), f"{where}, which typedoc does not make")
                    continue
                self.assertTrue(target.exists(), f"{where}, which does not exist")
                if anchor and target.suffix == ".md":
                    self.assertIn(anchor, anchors(target), f"{where}, which has no such heading")
                checked += 1
        self.assertGreater(checked, 50)

    def test_pages_of_the_site_link_to_nothing_outside_of_it(self):
        for page in documents():
            if page.is_relative_to(DOCS):
                for link in links(page):
                    target = (page.parent / link.partition("#")[0]).resolve()
                    self.assertTrue(target.is_relative_to(DOCS), f"{page.relative_to(ROOT)} links to {link}: name the path instead")

    def test_the_interface_has_every_entry_of_the_package(self):
        exports = json.loads((PACKAGE / "package.json").read_text())["exports"]
        typed = {f"archer-web{name[1:]}": part["types"] for name, part in exports.items() if "types" in part}
        lacking = {name for name, types in typed.items() if types != "./dist/asset.d.ts"} - set(entries())
        self.assertEqual(lacking, set(), "pkg/typedoc/typedoc.json lacks these entries")
        told = (DOCS / "package.md").read_text(encoding="utf-8")
        self.assertEqual({name for name in entries() if f"[`{name}`]" not in told}, set(), "docs/package.md lacks these entries")


if __name__ == "__main__":
    unittest.main()
