#!/usr/bin/env bash
# A sweep on a Ray cluster whose nodes see the same folders. Start the cluster first:
#   on one machine     ray start --head --port=6379
#   on every other     ray start --address=HEAD:6379
# then, on any of them,
#   launch/ray_example.sh PLAN SESSIONS SWEEP
set -euo pipefail
semgjax sweep plan "$1" --data "$2" --out "$3"
semgjax sweep run "$3" --engine ray --address auto --cores 4 --resources GPU=1
semgjax sweep collect "$3"
