"""Makes a component: `python -m tollgate_sdk.build included_overage:IncludedOverage -o included-overage.wasm`.

It needs componentize-py (`pip install componentize-py`). The component is a Python interpreter with the plugin in it,
18 MB, and imports nothing but the contract's `log`: whatever WASI the interpreter would use is replaced by traps. With
`--stamp FILE`, a component that was made of the same sources by the same tool is left as it is. Prints which tool it is
built by.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SDK = Path(__file__).resolve().parent
# The exit code when componentize-py is not installed.
NO_TOOL = 3


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="tollgate_sdk.build", description=__doc__.partition("\n")[0])
    parser.add_argument("plugin", metavar="MODULE:CLASS", help="the plugin's class, and the module it is in")
    parser.add_argument("-o", "--output", default="plugin.wasm", help="where the component is written")
    parser.add_argument("--path", default=".", help="the folder that the module is in")
    parser.add_argument("--wit", default=SDK.parent.parent / "wit", help="the folder that pricing.wit is in")
    parser.add_argument("--stamp", help="where it is written what the component was made of")
    options = parser.parse_args(arguments)
    module, colon, name = options.plugin.partition(":")
    if not colon:
        parser.error("name the plugin as MODULE:CLASS")
    return build(module, name, options.path, options.output, options.wit, options.stamp)


def build(module, name, path, output, wit, stamp=None):
    tool = _tool()
    if tool is None:
        print("componentize-py is not installed: pip install componentize-py", file=sys.stderr)
        return NO_TOOL
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    entry = (
        "from tollgate_sdk import pure\npure.guard()\nfrom tollgate_sdk.component import exported\n"
        f"from {module} import {name}\nPlugin = exported({name})\npure.seal()\n"
    )
    digest = _digest(version + entry, (path, SDK, wit))
    if stamp is None or not Path(output).is_file() or not Path(stamp).is_file() or Path(stamp).read_text() != digest:
        failed = _componentize(tool, entry, path, output, wit)
        if failed:
            return failed
        if stamp is not None:
            Path(stamp).write_text(digest)
    print(version)
    return 0


def _componentize(tool, entry, path, output, wit):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tollgate_entry.py").write_text(entry, encoding="utf-8")
        command = [tool, "--quiet", "-d", str(wit), "-w", "pricing", "componentize", "--stub-wasi"]
        for each in (folder, path, str(SDK.parent)):
            command += ["-p", str(each)]
        command += ["tollgate_entry", "-o", str(output)]
        # The order of a set or a dict must not depend on when the component was built.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "RUST_BACKTRACE": "0"}
        ran = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if ran.returncode:
            # Of a plugin that cannot be loaded, what Python says of it, without the tool's own frames.
            told = ran.stderr.rpartition("AssertionError: ")[2].partition("\nCaused by:")[0]
            print(told.replace('"/1/', f'"{path}/').strip(), file=sys.stderr)
        return ran.returncode


def _digest(made_by, folders):
    """Of all that the component is made of and by. What is installed beside componentize-py counts as one with it."""
    digest = hashlib.sha256(made_by.encode())
    for folder in folders:
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _tool():
    for folder in (sysconfig.get_path("scripts"), *os.environ.get("PATH", "").split(os.pathsep)):
        tool = Path(folder, "componentize-py")
        if tool.is_file():
            return str(tool)
    return None


if __name__ == "__main__":
    sys.exit(main())
