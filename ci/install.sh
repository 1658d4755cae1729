#!/bin/sh
# Installs Ringfence: a released binary if there is one for this machine, after its SHA-256
# was checked; else what `cargo install --locked` builds. Prints where the program is.
#
#   --to DIR          where the program goes [default: ~/.local/bin]
#   --version TAG     the release, v1.2.3 say
#   --releases URL    where releases are: URL/TAG/SHA256SUMS and the archives beside it;
#                     https:// or file://
#   --sha256 HEX      what the archive's checksum has to be; then SHA256SUMS is not asked,
#                     and nothing is built
#   --source DIR      else build this source
#   --git URL         else build this repository, at --version if that is given
#   --show-target     print which build this machine needs, and do nothing
set -eu

say() { printf '%s\n' "$*" >&2; }
stop() {
  say "error: $*; nothing was installed"
  exit 1
}

to=${HOME:-}/.local/bin version='' releases='' sha256='' source='' git='' show=''
while [ $# -gt 0 ]; do
  option=$1
  shift
  if [ "$option" = --show-target ]; then
    show=yes
    continue
  fi
  [ $# -gt 0 ] || stop "$option needs a value, or is unknown"
  case $option in
    --to) to=$1 ;;
    --version) version=$1 ;;
    --releases) releases=${1%/} ;;
    --sha256) sha256=$(printf '%s' "$1" | tr 'A-F' 'a-f') ;;
    --source) source=$1 ;;
    --git) git=$1 ;;
    *) stop "there is no option $option" ;;
  esac
  shift
done

# The name of the build for this machine; nothing if there is none.
target() {
  case $(uname -s)/$(uname -m) in
    Linux/x86_64 | Linux/amd64) echo x86_64-unknown-linux-musl ;;
    Linux/aarch64 | Linux/arm64) echo aarch64-unknown-linux-musl ;;
    Darwin/x86_64) echo x86_64-apple-darwin ;;
    Darwin/arm64) echo aarch64-apple-darwin ;;
    MINGW*/x86_64 | MSYS*/x86_64 | CYGWIN*/x86_64) echo x86_64-pc-windows-msvc ;;
  esac
}

# get URL FILE
get() {
  case $1 in
    file://*) cp "${1#file://}" "$2" 2>/dev/null ;;
    https://*)
      curl --fail --silent --location --proto '=https' --tlsv1.2 --retry 3 --output "$2" "$1"
      ;;
    *) stop "releases are fetched from https:// or file:// alone" ;;
  esac
}

checksum() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  else
    stop "there is neither sha256sum nor shasum to check the archive with"
  fi
}

# place FILE: all of it or nothing, even if something interrupts.
place() {
  if ! { mkdir -p "$to" && cp "$1" "$to/.ringfence.$$" && chmod 755 "$to/.ringfence.$$" \
    && mv -f "$to/.ringfence.$$" "$to/$program"; }; then
    stop "$to/$program cannot be written"
  fi
  printf '%s\n' "$to/$program"
}

# 0: installed, 1: there is no such release. What is there and wrong ends the script.
released() {
  archive=ringfence-$version-$target.tar.gz
  if [ -n "$sha256" ]; then
    expected=$sha256
  else
    get "$releases/$version/SHA256SUMS" "$work/sums" || return 1
    expected=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/sums")
    [ -n "$expected" ] || return 1
  fi
  get "$releases/$version/$archive" "$work/archive" || stop "$archive cannot be fetched"
  actual=$(checksum "$work/archive")
  [ "$actual" = "$expected" ] \
    || stop "$archive has the SHA-256 $actual, and $expected was expected"
  tar -xzf "$work/archive" -C "$work" "ringfence-$version-$target/$program" \
    || stop "$archive does not hold the program"
  place "$work/ringfence-$version-$target/$program"
}

# Cargo reads settings from the working folder and above: that must not be the folder of
# whoever is audited.
build() {
  command -v cargo >/dev/null 2>&1 || stop "there is no cargo to build it with"
  if [ -n "$source" ]; then
    cd "$source"
    cargo install --locked --root "$work/root" --path . >&2 || stop "it cannot be built"
  else
    cd "$work"
    set -- --git "$git"
    [ -z "$version" ] || set -- "$@" --tag "$version"
    cargo install --locked --root "$work/root" "$@" ringfence >&2 || stop "it cannot be built"
  fi
  place "$work/root/bin/$program"
}

target=$(target)
if [ -n "$show" ]; then
  [ -n "$target" ] || stop "there is no build for $(uname -s) on $(uname -m)"
  echo "$target"
  exit 0
fi
case $to in
  /* | [A-Za-z]:*) ;;
  *) to=$PWD/$to ;;
esac
case $version in
  *[!A-Za-z0-9.+-]* | -*) stop "a version is a tag like v1.2.3" ;;
esac
case $target in
  *windows*) program=ringfence.exe ;;
  *) program=ringfence ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work" "$to/.ringfence.$$"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$version" ] && [ -n "$releases" ] && [ -n "$target" ]; then
  if released; then
    exit 0
  fi
  say "there is no release $version for $target at $releases"
fi
[ -z "$sha256" ] || stop "a checksum was given, and no release that it could be of"
[ -n "$source$git" ] || stop "there is no source to build it from (--source, --git)"
say "building from source"
build
