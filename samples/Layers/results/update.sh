#!/usr/bin/env bash
# Redraws the pictures beside this script, and writes what the sample prints into its README.
set -euo pipefail
cd "$(dirname "$0")/../../.."
readme=samples/Layers/README.md
printed=$(mktemp) && trap 'rm -f "$printed"' EXIT
dotnet run -c Release --project samples/Layers -- samples/output > "$printed"
cp samples/output/{digit-28,clothes-0,clothes-25}.png samples/Layers/results/
awk -v printed="$printed" '
  /<!-- output -->/ { print; print "```"; while ((getline line < printed) > 0) text = text line "\n"; sub(/\n+$/, "", text); print text; print "```"; skip = 1; next }
  /<!-- \/output -->/ { skip = 0 }
  !skip' "$readme" > "$printed.md"
mv "$printed.md" "$readme"
