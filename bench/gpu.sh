#!/usr/bin/env bash
# What there is to know of the GPU path, in under eight minutes: first whether it is right, then how fast. It needs a GPU,
# and a Python with PyTorch and this package's dependencies (PYTHON=... names another than `python`), and nothing else. It
# writes results/bench/gpu-.../ with a page. `bench/gpu.sh --dry` does each step on the CPU at a hundredth of its size, to
# try the script; its numbers mean nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" -m bench.gpu "$@"
