#!/usr/bin/env bash
# Runs the sample, puts what it prints into README.md, and its picture here.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(dotnet run -c "${CONFIGURATION:-Release}" -- results)
awk -v output="$output" '/^<!-- output -->/ { print; print "```\n" output "\n```"; skip = 1 } /^<!-- \/output -->/ { skip = 0 } !skip' README.md > README.new
mv README.new README.md
