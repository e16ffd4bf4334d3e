#!/usr/bin/env bash
# Writes the results that README quotes and shows: the main command's summary and picture, and pictures of reports.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet run -c Release --project src/MLNetLinearize.Cli -- explain samples/models/fashion-cnn.onnx \
  samples/data/fashion-mnist/t10k-1000-images-idx3-ubyte.gz \
  --labels samples/data/fashion-mnist/t10k-1000-labels-idx1-ubyte.gz \
  --class-names samples/data/fashion-mnist/labels.txt --scale 1/255 \
  --picture samples/results/fashion.png --quiet > samples/results/fashion.txt

# The HTML reports of photographs and of a table, and what they look like; a Chromium takes the pictures.
explain() { dotnet run -c Release --project src/MLNetLinearize.Cli -- explain "$@" --quiet > /dev/null; }
look() {
  "${MLNETLINEARIZE_BROWSER:-chromium}" --headless --no-sandbox --hide-scrollbars --virtual-time-budget=5000 "${@:4}" \
    --window-size="$3" --screenshot="$PWD/samples/results/$2" "file://$PWD/samples/output/$1" 2> /dev/null
}
explain samples/models/fashion-cnn.onnx samples/data/fashion-mnist/t10k-1000-images-idx3-ubyte.gz \
  --labels samples/data/fashion-mnist/t10k-1000-labels-idx1-ubyte.gz \
  --class-names samples/data/fashion-mnist/labels.txt --scale 1/255 --report samples/output/fashion.html
explain samples/models/breast-cancer-mlp.onnx samples/data/breast-cancer/breast-cancer.csv \
  --label-column diagnosis --class-names samples/data/breast-cancer/labels.txt --report samples/output/breast-cancer.html
look 'fashion.html#row=239' report-fashion.png 1440,2080
look breast-cancer.html report-breast-cancer.png 1440,2060 --blink-settings=preferredColorScheme=0
