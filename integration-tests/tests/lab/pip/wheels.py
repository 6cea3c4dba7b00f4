"""Makes a wheelhouse of small packages: wheels.py DIRECTORY."""

import base64
import hashlib
import sys
import zipfile


def wheel(where, name, version, requires=(), extras=()):
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in extras]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    files = {
        f"{name.replace('-', '_')}.py": f"version = '{version}'\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    with zipfile.ZipFile(f"{where}/{stem}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            digest = hashlib.sha256(text.encode()).digest()
            encoded = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            record.append(f"{path},sha256={encoded},{len(text)}")
        record.append(f"{info}/RECORD,,")
        archive.writestr(f"{info}/RECORD", "\n".join(record) + "\n")


where = sys.argv[1]
for version in ["1.0", "1.1", "2.0", "2.1rc1"]:
    wheel(where, "snail", version)
wheel(where, "Shell-House", "1.0", ["snail<2"], [])
wheel(where, "garden", "1.0", ["snail", "slug>=1; extra == 'night'"], ["night"])
wheel(where, "slug", "1.5")
wheel(where, "stuck", "1.0", ["no-such-thing>=3"])
