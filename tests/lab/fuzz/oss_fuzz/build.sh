#!/bin/bash -eu
# OSS-Fuzz calls it with SRC, OUT, CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE.
cd "$SRC/shielded-function/tests"
python3 -m lab.fuzz.oss_fuzz.build
