#!/usr/bin/env bash
# Writes the results that README quotes: the main command's summary and its picture.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet run -c Release --project src/MLNetLinearize.Cli -- explain samples/models/fashion-cnn.onnx \
  samples/data/fashion-mnist/t10k-1000-images-idx3-ubyte.gz \
  --labels samples/data/fashion-mnist/t10k-1000-labels-idx1-ubyte.gz \
  --class-names samples/data/fashion-mnist/labels.txt --scale 1/255 \
  --picture samples/results/fashion.png --quiet > samples/results/fashion.txt
