#!/usr/bin/env bash
# Asks the service for the explanation of case.json, draws it, measures the service, and puts the measurement into README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build -c Release -v q --nologo
dotnet bin/Release/net10.0/Service.dll --urls http://127.0.0.1:5099 > /dev/null &
service=$!
trap 'kill $service' EXIT
until curl -sf http://127.0.0.1:5099/health > /dev/null; do sleep 0.5; done
curl -sf -H 'Content-Type: application/json' -d @results/case.json http://127.0.0.1:5099/explanations > results/answer.json
kill $service
trap - EXIT
dotnet bin/Release/net10.0/Service.dll draw results/answer.json results
output=$(dotnet bin/Release/net10.0/Service.dll load 10 results)
awk -v output="$output" '/^<!-- output -->/ { print; print "```\n" output "\n```"; skip = 1 } /^<!-- \/output -->/ { skip = 0 } !skip' README.md > README.new
mv README.new README.md
