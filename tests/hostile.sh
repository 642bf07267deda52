#!/usr/bin/env bash
# Run a command where everything that can be set is set, with the settings of a Keras of 2017:
#     bash tests/hostile.sh .venv/bin/python -m pytest
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
echo '{"backend": "theano", "image_data_format": "channels_first"}' > "$home/keras.json"
echo "raise ImportError('not this one')" > "$home/offline_mnist.py"
export HOME=$home USERPROFILE=$home KERAS_HOME=$home PYTHONPATH=$home
export PYTHONWARNINGS=error PYTHONOPTIMIZE=2 PYTHONIOENCODING=ascii LANG=C LC_ALL=C COLUMNS=40
export KERAS_MAX_EPOCHS=1 KERAS_MAX_STEPS_PER_EPOCH=1 MPLBACKEND=TkAgg FORCE_COLOR=1
export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0 TF_USE_LEGACY_KERAS=1 OMP_NUM_THREADS=1
export TF_NUM_INTRAOP_THREADS=1 XLA_FLAGS=--xla_force_host_platform_device_count=3
export JAX_ENABLE_X64=1 JAX_PLATFORMS=cpu PYTEST_ADDOPTS=--capture=sys
"$@"
