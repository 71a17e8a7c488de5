"""What a program is made of: a list of its packages in CycloneDX, and the texts of their licences."""

import re
import tomllib
import uuid
from pathlib import Path

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


# A line of `cargo tree --prefix depth`.
LINE = re.compile(r"(\d+)(\S+) v(\S+)")


def parts_of(tree, name, target, kinds, *features):
    """The packages that a crate's program is built from on a target, and what each of them needs, by name and version.

    `cargo metadata` knows all this too, but adds what optional features of features might need.
    """
    text = tree.run(
        "cargo", "tree", "--locked", "--package", name, "--target", target, "--edges", kinds, "--prefix", "depth",
        *features, quiet=True,
    )  # fmt: skip
    needs, above = {}, []
    for line in text.splitlines():
        depth, part, version = LINE.match(line).groups()
        key = (part, version)
        needs.setdefault(key, set())
        above[int(depth) :] = [key]
        if len(above) > 1:
            needs[above[-2]].add(key)
    known = {(package["name"], package["version"]): package for package in tree.graph["packages"]}
    return {key: known[key] for key in sorted(needs)}, needs


def cyclonedx(tree, name, target):
    """The list as a document of CycloneDX 1.5."""
    packages, needs = parts_of(tree, name, target, "normal,build")
    root = (name, tree.crates[name]["version"])
    sums = {
        (package["name"], package["version"]): package.get("checksum")
        for package in tomllib.loads(tree.read("Cargo.lock"))["package"]
    }

    def reference(key):
        return f"pkg:cargo/{key[0]}@{key[1]}"

    def component(key, kind):
        package = packages[key]
        said = {"type": kind, "bom-ref": reference(key), "name": package["name"], "version": package["version"]}
        if package["description"]:
            said["description"] = " ".join(package["description"].split())
        said["purl"] = reference(key)
        if package["license"]:
            said["licenses"] = [{"expression": package["license"].replace(" / ", " OR ").replace("/", " OR ")}]
        if sums.get(key):
            said["hashes"] = [{"alg": "SHA-256", "content": sums[key]}]
        return said

    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same sources give the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{name} {tree.commit} {target}')}",
        "version": 1,
        "metadata": {
            "component": component(root, "application"),
            "properties": [
                {"name": "archer:commit", "value": tree.commit},
                {"name": "archer:target", "value": target},
            ],
        },
        "components": [component(key, "library") for key in packages if key != root],
        "dependencies": [{"ref": reference(key), "dependsOn": sorted(map(reference, needs[key]))} for key in packages],
    }


def notices(tree, names, target, *features):
    """The texts of the licences of all that is built into programs; a text that several have stands once."""
    packages, texts = {}, {}
    for name in names:
        packages |= parts_of(tree, name, target, "normal", *features)[0]
    for package in packages.values():
        if package["source"] != REGISTRY:
            continue
        folder = Path(package["manifest_path"]).parent
        label = f"{package['name']} {package['version']} ({package['license'] or 'see its text'})"
        found = [
            path
            # Also of sources by others that a package holds.
            for path in sorted(folder.rglob("*"))
            if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"))
            and path.suffix not in [".rs", ".yml", ".sh"]
            and path.is_file()
        ]
        for path in found:
            text = path.read_text(encoding="utf-8", errors="replace").strip()
            texts.setdefault(text, set()).add(label)
        if not found:
            texts.setdefault("(no text in its package: see the licence that it names)", set()).add(label)
    told = [f"{' and '.join(names)}: built with these packages. Each stands under the licences named beside it."]
    for text, labels in sorted(texts.items(), key=lambda item: sorted(item[1])):
        told.append("\n".join(sorted(labels)) + "\n\n" + text)
    return f"\n\n{'-' * 80}\n\n".join(told) + "\n"
