#!/usr/bin/env bash
# A sweep on a Slurm cluster: plan where the nodes see the same folders, hand it over, look, collect.
#   launch/slurm_example.sh PLAN SESSIONS SWEEP
set -euo pipefail
semgjax sweep plan "$1" --data "$2" --out "$3" --machine a100 --budget-hours 500
semgjax sweep run "$3" --engine slurm --slots 8 --cores 8 \
  --sbatch="--partition=gpu --gpus-per-task=1 --mem=32G --time=08:00:00"
semgjax sweep status "$3" --live
semgjax sweep collect "$3"
