#!/usr/bin/env bash
# Prints the path of Beam's Prism, of the version of the installed apache-beam; builds it once with Go's own client.
# Usage: prism=$(scripts/engines/prism.sh)      PRISM=PATH uses one that is there. PYTHON: that of newsbeam.
set -euo pipefail

if [ -n "${PRISM:-}" ]; then
  echo "$PRISM"
  exit
fi
version=$("${PYTHON:-python3}" -c 'import importlib.metadata as m; print(m.version("apache-beam"))')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/newsbeam/prism-$version
if [ ! -x "$cache/prism" ]; then
  command -v go >/dev/null || { echo "Prism needs Go (or PRISM=PATH of a built one)" >&2; exit 3; }
  GOBIN="$cache" go install "github.com/apache/beam/sdks/v2/go/cmd/prism@v$version" >&2
fi
echo "$cache/prism"
