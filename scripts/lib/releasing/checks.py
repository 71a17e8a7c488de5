"""What must hold before anything is built. Each check ends in a sentence that says what to do."""

import json
import re
import tomllib

from .tree import Failure, Refusal

VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")

# A name that never resolves (RFC 2606).
PLACEHOLDER = ".invalid/"


def all_of(tree, version):
    """Everything that refuses a release, the cheapest first."""
    version_is_meant(version)
    tree_is_clean(tree)
    versions_agree(tree, version)
    changelog_speaks(tree, version)
    crates_can_be_packaged(tree)
    licences_are_allowed(tree)


def version_is_meant(version):
    if not VERSION.fullmatch(version):
        raise Refusal(f"{version} is no version: say one such as 0.1.0")


def tree_is_clean(tree):
    try:
        changed = tree.run("git", "status", "--porcelain", quiet=True).splitlines()
    except Failure:
        raise Refusal("this is no git checkout: a release is made of a commit") from None
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise Refusal(f"the tree has changes ({changed[0][3:]}{more}): commit or remove them first")


def versions_agree(tree, version):
    workspace = tree.manifest["workspace"]
    told = {"Cargo.toml": workspace["package"]["version"], "pkg/package.json": tree.package["version"]}
    for name, needed in workspace["dependencies"].items():
        if isinstance(needed, dict) and "path" in needed:
            told[f"Cargo.toml, for {name}"] = needed["version"]
    lock = json.loads(tree.read("pkg/package-lock.json"))
    told["pkg/package-lock.json"] = lock["packages"][""]["version"]
    for place, said in told.items():
        if said != version:
            raise Refusal(f"{place} says {said} and not {version}: set the version there, or release {said}")


def changelog_speaks(tree, version):
    if not tree.section(version):
        raise Refusal(f"CHANGELOG.md has no section '## {version}' with text: write what changed in it")


def crates_can_be_packaged(tree):
    shipped = tree.shipped()
    for name in shipped:
        manifest_is_whole(tree, name, shipped)
    for name in shipped:
        package_is_whole(tree, name)


def manifest_is_whole(tree, name, shipped):
    crate = tree.crates[name]
    where = f"the manifest of {name}"
    for key in ["description", "license", "repository", "readme", "keywords", "categories"]:
        if not crate[key]:
            raise Refusal(f"{where} has no {key}: add it")
    for needed in crate["dependencies"]:
        if "path" not in needed:
            continue
        # A dependency of tests without a version is left out of what is published.
        if needed["kind"] == "dev" and needed["req"] == "*":
            continue
        if needed["req"] == "*":
            raise Refusal(f"{where} gives no version of {needed['name']}: add it beside the path")
        if needed["name"] not in shipped:
            raise Refusal(f"{name} is published and needs {needed['name']}, which is not: publish both or none")


def package_is_whole(tree, name):
    files = packaged_files(tree, name)
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"]:
        if licence not in files:
            raise Refusal(f"the package of {name} has no {licence}: name it in `include`")
    for path, needed in embedded_files(tree, name, files):
        if needed not in files:
            raise Refusal(f"{path} of {name} embeds {needed}, which is not in its package: move it into the crate")


def packaged_files(tree, name):
    """The files of a crate's package, as cargo lists them."""
    text = tree.run("cargo", "package", "--list", "--allow-dirty", "--offline", "-p", name, quiet=True)
    return set(text.split())


def embedded_files(tree, name, files):
    """Files that a crate's sources embed, tests aside: who embeds them, and their path in the crate."""
    root = tree.root / tree.crates[name]["manifest_path"]
    for path in sorted(files):
        if not path.endswith(".rs") or path.endswith("tests.rs"):
            continue
        source = root.parent / path
        code = source.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
        for given in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', code):
            needed = (source.parent / given).resolve()
            inside = needed.is_relative_to(root.parent.resolve())
            yield path, str(needed.relative_to(root.parent.resolve())) if inside else given


def licences_are_allowed(tree):
    """Every licence of what any feature on any target is built from is one that deny.toml allows."""
    rules = tomllib.loads(tree.read("deny.toml"))["licenses"]
    exceptions = {rule["crate"]: rule["allow"] for rule in rules.get("exceptions", [])}
    text = tree.run(
        "cargo", "tree", "--locked", "--workspace", "--all-features", "--target", "all", "--prefix", "none",
        "--format", "{p}|{l}", quiet=True,
    )  # fmt: skip
    for line in sorted(set(filter(None, text.splitlines()))):
        package, said = line.split("|")
        name, version = package.split()[:2]
        said = said.removesuffix(" (*)")
        if not said:
            raise Refusal(f"{name} {version} names no licence: read its text, and depend on it only if you may")
        if not allows(said, rules["allow"] + exceptions.get(name, [])):
            raise Refusal(f"{name} {version} is under {said}, which deny.toml does not allow")


def allows(expression, allowed):
    """Whether one may choose allowed licences by an SPDX expression."""
    # Crates of old write a stroke for OR.
    text = expression.replace("/", " OR ").replace(" WITH ", "+WITH+")
    words = re.findall(r"[()]|[^\s()]+", text)
    known = {"(": "(", ")": ")", "OR": "or", "AND": "and"}
    names = {name.replace(" WITH ", "+WITH+") for name in allowed}
    # Nothing but brackets, and, or, True and False is left to evaluate.
    return eval(" ".join(known.get(word) or str(word in names) for word in words), {"__builtins__": {}})


def not_uploadable(tree):
    """Why what is made may not be uploaded yet: sentences."""
    address = tree.manifest["workspace"]["package"]["repository"]
    if PLACEHOLDER in address:
        yield f"Cargo.toml gives {address} as the repository, a placeholder: its owner sets the real address"
        return
    repository = tree.package.get("repository") or ""
    named = repository.get("url", "") if isinstance(repository, dict) else repository
    if address.removesuffix(".git") not in named:
        yield f"pkg/package.json does not name the repository {address}: set the key repository there"
