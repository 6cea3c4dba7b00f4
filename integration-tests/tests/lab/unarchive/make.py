"""Makes archives: good ones of each kind, and hostile ones."""
import io, os, sys, tarfile, zipfile

os.chdir(sys.argv[1])


def add(tar, name, data=b"", **more):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), 1_600_000_000, 0o644
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def tar(name, kind, fill):
    with tarfile.open(name, kind) as out:
        fill(out)


def app(out):
    # `top` itself is no member.
    add(out, "top/b", b"bb\n")
    add(out, "top/deep", type=tarfile.DIRTYPE, mode=0o755)
    add(out, "top/deep/c", b"c\n")
    add(out, "top/link", type=tarfile.SYMTYPE, linkname="b")
    add(out, "top/hard", type=tarfile.LNKTYPE, linkname="top/b")
    add(out, "top/-x $(touch pwned) \u00fc", b"odd\n")
    add(out, "/absolute/name", b"a\n")


def nested(out):
    add(out, "top/b", b"bb\n")
    add(out, "top/deep", type=tarfile.DIRTYPE, mode=0o755)
    add(out, "top/deep/c", b"c\n")
    add(out, "top/link", type=tarfile.SYMTYPE, linkname="b")
    add(out, "top/-x $(touch pwned) \u00fc", b"odd\n")


for end in ["gz", "bz2", "xz"]:
    tar("app.tar." + end, "w:" + end, nested)
tar("app.tar", "w", app)
tar("flat.tar.gz", "w:gz", lambda out: add(out, "a", b"old"))
with zipfile.ZipFile("app.zip", "w") as out:
    for name, data in [("top/b", "bb\n"), ("top/\u00fc", "odd\n"), ("top/deep/c", "c\n")]:
        out.writestr(name, data)
with zipfile.ZipFile("dots.zip", "w") as out:
    out.writestr("../out", "x")
tar("dots.tar", "w", lambda out: add(out, "../out", b"x"))
tar("hard.tar", "w", lambda out: add(out, "h", type=tarfile.LNKTYPE, linkname="../../../etc/passwd"))
tar("device.tar", "w", lambda out: add(out, "dev", type=tarfile.CHRTYPE, devmajor=1, devminor=3))
tar("fifo.tar", "w", lambda out: add(out, "pipe", type=tarfile.FIFOTYPE))
tar("setuid.tar", "w", lambda out: add(out, "su", b"x", mode=0o4755))
tar("line.tar", "w", lambda out: add(out, "a\nb", b"x"))


def through(out):
    add(out, "t", type=tarfile.SYMTYPE, linkname="/etc")
    add(out, "t/evil", b"x")


tar("through.tar", "w", through)
tar("link.tar", "w", lambda out: add(out, "etc/evil", b"x"))




data = open("app.tar.gz", "rb").read()
open("cut.tar.gz", "wb").write(data[: len(data) // 2])
open("text.tar.gz", "w").write("not an archive\n")
# Sparse, so that a small archive says that it unpacks to 8 TiB.
with open("sparse", "wb") as out:
    out.truncate(8 << 40)
os.system("tar -cSzf bomb.tar.gz sparse && rm sparse")
