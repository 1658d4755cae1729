#!/usr/bin/env bash
# Runs Ringfence for action.yml: compares with the base where there is one, else audits. All
# it is given comes by environment. Its own exit code says nothing: Ringfence's is the output
# `exit-code`, with which the action ends after the reports are out.
set -euo pipefail

output() { echo "$1=$2" >>"$GITHUB_OUTPUT"; }

# Nothing could be judged.
stop() {
  echo "::error title=Ringfence::$1"
  echo "**Ringfence judged nothing:** $1" >>"$GITHUB_STEP_SUMMARY"
  output exit-code 2
  exit 0
}

# lines TEXT: its lines that are not empty, as the array `list`.
lines() {
  local line
  list=()
  while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [ -n "$line" ]; then
      list+=("$line")
    fi
  done <<<"$1"
}

have() { git cat-file -e "$1^{commit}" 2>/dev/null; }

# A checkout usually holds one commit: the base is fetched alone, and nothing around it.
fetch() {
  if have "$1"; then
    return 0
  fi
  local depth=()
  if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    depth=(--depth=1)
  fi
  git fetch --quiet --no-tags ${depth[@]+"${depth[@]}"} origin "$1" && have "$1"
}

missing="the base revision is not in the clone and cannot be fetched; give actions/checkout fetch-depth: 2, or 0 if you name a base yourself"

# Sets `base`; to nothing if there is nothing to compare with.
find_base() {
  base=$INPUT_BASE
  if [ -n "$base" ]; then
    case $base in
      -* | *:*) stop "the input base is not a revision" ;;
    esac
    if [[ $base =~ ^[0-9a-f]{40}([0-9a-f]{24})?$ ]]; then
      fetch "$base" || stop "$missing"
    fi
    have "$base" || stop "$missing"
    return 0
  fi
  case $GITHUB_EVENT_NAME in
    pull_request)
      if [ "$(git rev-parse HEAD)" = "$GITHUB_SHA" ]; then
        # The service merged the change into the base, which is the first parent. A shallow
        # clone hides parents from everything but the commit itself.
        base=$(git cat-file commit HEAD | awk '/^$/ { exit } $1 == "parent" { print $2; exit }')
        [ -n "$base" ] || stop "the checked out commit has no parent to compare with"
        fetch "$base" || stop "$missing"
      else
        fetch "$EVENT_BASE" || stop "$missing"
        base=$(git merge-base "$EVENT_BASE" HEAD) \
          || stop "where the branch left its base is not in the clone; give actions/checkout no ref, or fetch-depth: 0"
      fi
      ;;
    merge_group)
      base=$EVENT_BASE
      fetch "$base" || stop "$missing"
      ;;
    pull_request_target | workflow_run | issue_comment)
      stop "on $GITHUB_EVENT_NAME it is not the change that is checked out; use pull_request, or name the base"
      ;;
    *) base='' ;;
  esac
}

# An empty array counts as unset for the Bash of macOS: hence ${list[@]+…}.
lines "$INPUT_PATHS"
paths=(${list[@]+"${list[@]}"})
lines "$INPUT_POLICY"
policies=(${list[@]+"${list[@]}"})
lines "$INPUT_ARGS"
extra=(${list[@]+"${list[@]}"})
find_base

reports=$(mktemp -d "$RUNNER_TEMP/ringfence.XXXXXX")
options=(--color never)
for format in json sarif markdown github; do
  options+=(--report "$format=$reports/report.$format")
done
for policy in ${policies[@]+"${policies[@]}"}; do
  options+=("--policy=$policy")
done
if [ -n "$INPUT_FAIL_ON" ]; then
  options+=("--fail-on=$INPUT_FAIL_ON")
fi

if [ -n "$base" ]; then
  if [ "${#paths[@]}" -gt 1 ]; then
    stop "a comparison takes one path; name several as inventory in ringfence.yaml"
  fi
  folder=''
  if [ "${#paths[@]}" -eq 1 ]; then
    folder=:$(git rev-parse --show-prefix)${paths[0]}
  fi
  if [ "$INPUT_FAIL_ON_WIDENING" = true ]; then
    options+=(--fail-on-widening)
  fi
  # What is committed, not what lies in the folder: no link leads out of a revision.
  call=(diff "${options[@]}" ${extra[@]+"${extra[@]}"} -- "git:$base$folder" "git:HEAD$folder")
else
  if [ -n "$INPUT_BASELINE" ]; then
    options+=("--baseline=$INPUT_BASELINE")
  fi
  call=(audit "${options[@]}" ${extra[@]+"${extra[@]}"} -- ${paths[@]+"${paths[@]}"})
fi

# A name in a change may look like a command to the runner: none is obeyed meanwhile.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
code=0
"$RINGFENCE" "${call[@]}" 2>&1 || code=$?
echo
echo "::$token::"

output exit-code "$code"
if [ -f "$reports/report.github" ]; then
  cat "$reports/report.github"
fi
if [ -f "$reports/report.sarif" ]; then
  output sarif "$reports/report.sarif"
fi
if [ -f "$reports/report.markdown" ]; then
  output markdown "$reports/report.markdown"
  # A summary may have 1 MiB.
  head -c 1000000 "$reports/report.markdown" >>"$GITHUB_STEP_SUMMARY"
else
  echo "**Ringfence judged nothing** (exit code $code). The log says why." >>"$GITHUB_STEP_SUMMARY"
fi
if [ -f "$reports/report.json" ]; then
  # The summary is the last object of the result, on its one line.
  summary=$(sed -n 's/.*"summary":{\([^{}]*\)}.*/\1/p' "$reports/report.json")
  # sum KEY…: what the summary counts under these keys.
  sum() {
    tr ',' '\n' <<<"$summary" | tr -d '"' | awk -F : -v keys=" $* " 'index(keys, " " $1 " ") { n += $2 } END { print n + 0 }'
  }
  if [ -n "$base" ]; then
    output findings "$(sum added grown)"
    changes=$(sum added grown fixed reach_added reach_removed widening assertion both narrowing neutral)
    if [ "$code" -eq 0 ] && [ "$changes" -eq 0 ] && grep -q '"untrusted":\[\]' "$reports/report.json"; then
      output nothing true
    fi
  else
    output findings "$(sum critical high medium low info)"
  fi
fi
