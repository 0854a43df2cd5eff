#!/usr/bin/env bash
# Ask for 2 slices v5e-8 and start the sweep on them; run it again to bring back preempted ones.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
resources() { gcloud compute tpus queued-resources "$@" --zone=europe-west4-b; }

for worker in $(seq 0 1); do
  name="semgjax-$worker"
  state="$(resources list --filter="name~/$name\$" --format='value(state.state)')"
  case "$state" in
    SUSPENDED | FAILED) resources delete "$name" --quiet --force ;;
    "") ;;
    *)
      echo "$name: $state"
      continue
      ;;
  esac
  gcloud compute tpus queued-resources create "$name" --node-id="$name" \
    --zone=europe-west4-b --accelerator-type=v5litepod-8 --runtime-version=v2-alpha-tpuv5-lite --spot \
    --metadata="semgjax-worker=$worker" --metadata-from-file="startup-script=$here/startup.sh"
done
