# Sourced by the other scripts, from the root of the clone: `ensure_environment EXTRAS` makes .venv, or brings it up to
# date with setup.py and constraints.txt.
ensure_environment() {
    python=${PYTHON:-python3}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
        echo "newsbeam needs Python 3.10 or later; $python is $("$python" -V 2>&1). Set PYTHON to a newer one." >&2
        exit 1
    }
    wanted="$1 $(cat setup.py constraints.txt | cksum)"
    if [ ! -x .venv/bin/python ]; then
        echo "Making the virtual environment .venv (once; a minute or two)" >&2
        "$python" -m venv .venv
    fi
    if ! grep -qsxF "$wanted" .venv/newsbeam-*; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --constraint constraints.txt --editable ".${1:+[$1]}" >&2
        echo "$wanted" >".venv/newsbeam-${1:-base}"
    fi
    lay_out_packages # each time: a new module of pipeline/newsbeam is a new link
}

# Two packages as links to this checkout: `scripts`, so that its programs find each other however they are started, and
# `newsbeam` as setup.py installs it, for mypy, which does not see editable installs.
lay_out_packages() {
    mkdir -p .venv/checkout .venv/typing
    ln -sfn "$PWD/scripts" .venv/checkout/scripts
    rm -rf .venv/typing/newsbeam
    mkdir .venv/typing/newsbeam
    for part in pipeline transforms configs; do ln -s "$PWD/$part" ".venv/typing/newsbeam/$part"; done
    for file in pipeline/newsbeam/*; do ln -s "$PWD/$file" .venv/typing/newsbeam/; done
    echo "$PWD/.venv/checkout" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/newsbeam-scripts.pth"
}
