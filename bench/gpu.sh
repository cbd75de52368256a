#!/usr/bin/env bash
# What there is to know of the GPU path, in under eight minutes: first whether it is right, then how fast. It needs a GPU,
# and a Python with PyTorch and this package's dependencies (PYTHON=... names another than `python`); Lightning and timm,
# if they are to be measured (`pip install -e ".[bench]"`); and CIFAR-10, if the time to an accuracy is (`--data FILE`). Each
# step has a budget of time, and is cut with a word where it needs more. It writes results/bench/gpu.json and gpu.md, a
# page. `bench/gpu.sh --dry` does each step on the CPU at a hundredth of its size, to try the script; its numbers mean
# nothing, and it writes them elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" -m bench.gpu "$@"
