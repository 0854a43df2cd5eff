#!/usr/bin/env bash
# Give the slices back; what the trials saved stays in the bucket.
set -euo pipefail
for worker in $(seq 0 1); do
  gcloud compute tpus queued-resources delete "semgjax-$worker" \
    --zone=europe-west4-b --quiet --force
done
