#!/usr/bin/env bash
# Packs a release: package.sh TAG TARGET PROGRAM FOLDER. The archive holds the program, the
# licences, the README, the changelog, manual pages and completions.
set -euo pipefail
tag=$1 target=$2 program=$3 folder=$4
root=$(cd "$(dirname "$0")/.." && pwd)

name=ringfence-$tag-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder" "$work/$name/completions"
cp "$program" "$root"/LICENSE-* "$root/README.md" "$root/CHANGELOG.md" "$work/$name/"
"$program" man --dir "$work/$name/man" >/dev/null
for shell in bash elvish fish powershell zsh; do
  "$program" completions "$shell" >"$work/$name/completions/ringfence.$shell"
done
tar -czf "$folder/$name.tar.gz" -C "$work" "$name"
echo "$folder/$name.tar.gz"
