#!/usr/bin/env bash
# Writes the comparison as a comment on the pull request for action.yml, over the one that it
# wrote before. Where the token may not write it says so, and fails nothing.
set -euo pipefail

# A comment may have 65,536 characters. Bytes are counted, which are never fewer.
most=65000

key=$(printf '%s' "$COMMENT_KEY" | cksum | cut -d ' ' -f 1)
export MARKER="<!-- ringfence-action $key -->"
body=$(mktemp "$RUNNER_TEMP/comment.XXXXXX")
cut=$(mktemp "$RUNNER_TEMP/comment.XXXXXX")
trap 'rm -f "$body" "$cut"' EXIT

echo "$MARKER" >"$body"
if [ -z "$REPORT" ]; then
  echo "**Ringfence judged nothing** (exit code ${EXIT_CODE:-unknown}). The log of the run says why." >>"$body"
elif [ "$(wc -c <"$REPORT")" -le "$most" ]; then
  cat "$REPORT" >>"$body"
else
  # Whole lines alone, so that no character is cut in two.
  head -c "$most" "$REPORT" | sed '$d' >"$cut"
  printf '%s\n\n' "**The report is cut here; the summary of the run has all of it.**" >>"$body"
  cat "$cut" >>"$body"
fi

no_comment() {
  echo "::warning title=Ringfence::No comment was written: the token may not, as with a pull request from a fork. The report is in the summary of the run."
  exit 0
}

comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments
# Only what this token's account wrote: anybody can write the marker.
mine='.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(env.MARKER))) | .id'
ids=$(gh api --paginate "$comments?per_page=100" --jq "$mine") || no_comment
id=${ids%%$'\n'*}
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$body" || no_comment
elif [ "$NOTHING" = true ]; then
  echo "The change touches nothing that Ringfence sees: no comment."
else
  gh api --silent --method POST "$comments" --field "body=@$body" || no_comment
fi
