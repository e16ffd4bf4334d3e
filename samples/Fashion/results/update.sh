#!/usr/bin/env bash
# Redraws the pictures of samples/Fashion/README.md and prints the output that it shows.
set -euo pipefail
cd "$(dirname "$0")/../../.."
dotnet run -c Release --project samples/Fashion -- samples/output/fashion
for picture in photographs shirt-not-coat mistakes; do
  cp "samples/output/fashion/$picture.png" "samples/Fashion/results/$picture.png"
done
