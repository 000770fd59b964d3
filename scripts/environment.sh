# Sourced by the other scripts: `ensure_environment EXTRAS` makes .venv, or brings it up to date with setup.py.
ensure_environment() {
    python=${PYTHON:-python3}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
        echo "newsbeam needs Python 3.10 or later; $python is $("$python" -V 2>&1). Set PYTHON to a newer one." >&2
        exit 1
    }
    wanted="$1 $(cksum <setup.py)"
    if [ ! -x .venv/bin/python ]; then
        echo "Making the virtual environment .venv (once; a minute or two)" >&2
        "$python" -m venv .venv
    fi
    if ! grep -qsxF "$wanted" .venv/newsbeam-*; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${1:+[$1]}" >&2
        echo "$wanted" >".venv/newsbeam-${1:-base}"
    fi
}
