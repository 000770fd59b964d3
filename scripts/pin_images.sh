#!/usr/bin/env bash
# Replaces the tags of images in deploy/ by the digests that they stand for today: the same bytes are pulled ever after.
# Needs Docker with buildx and the network. Part of a release (docs/release.md); Dependabot then offers newer digests.
#
#   scripts/pin_images.sh            pins what is not pinned yet
#   scripts/pin_images.sh --check    only names the images that are not pinned; exit code 1 if there are some
set -euo pipefail
cd "$(dirname "$0")/.."
files=(deploy/Dockerfile deploy/live/Dockerfile deploy/compose.yaml)

# Image names as recipes write them: after `FROM`, `ARG BASE=` and `image:`; not those built here, nor stages.
images() {
    sed -nE 's/^ARG BASE=(.+:.+)$/\1/p; s/^FROM ([a-z].*[:\/][^ ]+).*$/\1/p; s/^ +image: ([^ ]+:[^ ]+).*$/\1/p' "${files[@]}" |
        grep -v -e '^newsbeam:' -e '\$' | sort -u
}

unpinned=0
while read -r image; do
    case $image in *@sha256:*) continue ;; esac
    unpinned=1
    if [ "${1:-}" = --check ]; then
        echo "$image is not pinned"
        continue
    fi
    digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}')
    sed -i -E "s|([ =])${image//./\\.}( .*)?\$|\1$image@$digest\2|" "${files[@]}"
    echo "$image@$digest"
done < <(images)
[ "${1:-}" != --check ] || exit $unpinned
