#!/usr/bin/env bash
# Installs Ringfence for action.yml. A release tag gets that release's binary. A commit or a
# branch gets what its own source builds, so that a pinned commit pins the program as well.
set -euo pipefail

version=$INPUT_VERSION
if [ -z "$version" ] && [[ $ACTION_REF == v[0-9]* ]]; then
  version=v$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)
fi
call=(--to "$RUNNER_TEMP/ringfence-bin")
if [ -n "$version" ]; then
  call+=(--version "$version")
fi
if [ -n "$ACTION_REPOSITORY" ]; then
  home=$GITHUB_SERVER_URL/$ACTION_REPOSITORY
  call+=(--releases "$home/releases/download")
fi
if [ -n "$INPUT_SHA256" ]; then
  call+=(--sha256 "$INPUT_SHA256")
fi
if [ -n "$INPUT_VERSION" ] && [ -n "$ACTION_REPOSITORY" ]; then
  call+=(--git "$home")
else
  call+=(--source "$GITHUB_ACTION_PATH")
fi
program=$(sh "$GITHUB_ACTION_PATH/ci/install.sh" "${call[@]}")
echo "program=$program" >>"$GITHUB_OUTPUT"
