#!/usr/bin/env python3
"""The schemas for editors say what dragoman says: every op of the language is in them, the examples of the pack
reference and the packs of the repository are valid, and what a test of mistakes shows is not.

usage: schemas.py SOURCE_DIR      exits with 77 (skipped) without the modules jsonschema and yaml
"""
import json
import pathlib
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    print("schemas: python3-jsonschema and python3-yaml are not installed")
    sys.exit(77)

from run import blocks

# What editors cannot know: these are mistakes in what names mean, not in how they are written.
BEYOND = {"beside", "losses", "move", "swap", "no-lens", "lens-loop", "lossy-drop", "shadowed", "params-differ",
          "same-endpoint", "bad-path", "bad-number", "endless", "templates"}


class Loader(yaml.SafeLoader):
    """YAML 1.2: no dates, no yes and no."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:int",
                                                                    "tag:yaml.org,2002:float")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def texts(value):
    """Keys of JSON are strings."""
    if isinstance(value, dict):
        return {"null" if k is None else str(k).lower() if isinstance(k, bool) else str(k): texts(v)
                for k, v in value.items()}
    return [texts(v) for v in value] if isinstance(value, list) else value


def load(text):
    return texts(yaml.load(text, Loader=Loader))


def main():
    root = pathlib.Path(sys.argv[1])
    checks, failures = {}, []
    for name in ("api", "change", "example"):
        schema = json.loads((root / f"docs/schema/{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        checks[name] = jsonschema.Draft202012Validator(schema)
    words = re.findall(r'^    X\("(\w+)", ', (root / "rules/reader/op_reader.h").read_text(), re.M)
    known = checks["change"].schema["$defs"]["op"]["anyOf"][1]
    if len(words) < 30 or [one["required"][0] for one in known["oneOf"]] != words:
        failures.append("change.schema.json does not hold the ops of DG_OP_FORM_TABLE, in their order")
    count = 0
    for kind, text in blocks((root / "docs/packs.md").read_text()):
        if kind == "yaml op":
            change = {"change": "c", "between": ["v1", "v2"], "endpoints": {"GET /x": {"response": load(text)}}}
            failures += [f"{e.message}\n{text}" for e in checks["change"].iter_errors(change)]
            count += 1
    for path in sorted([*root.glob("rules/packs/**/*.yaml"), *root.glob("rules/packs/*/examples/*.json"),
                        *root.glob("tests/data/packs/*/**/*.yaml")]):
        wrong = "wrong" in path.parts
        if path.is_dir() or (wrong and path.parent.name != "changes"):
            continue
        case = path.parts[path.parts.index("wrong") + 1] if wrong else None
        if wrong and (case in BEYOND or "/changes/" not in (root / f"tests/data/packs/wrong/{case}/expected.txt").read_text()):
            continue
        try:
            kind = {"changes": "change", "examples": "example"}.get(path.parent.name, "api")
            errors = list(checks[kind].iter_errors(load(path.read_text())))
        except (yaml.YAMLError, ValueError):
            continue
        count += 1
        if wrong and not errors and case in ("conditions", "operands", "says-nothing", "unknown-op", "two-ops", "values"):
            failures.append(f"{path}: the schema finds nothing wrong")
        if not wrong:
            failures += [f"{path}: {e.message}" for e in errors]
    print("\n".join(failures) if failures else f"schemas: {count} documents, {len(words)} ops")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
