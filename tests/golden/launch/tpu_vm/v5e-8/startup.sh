#!/usr/bin/env bash
# shellcheck disable=SC2016  # names stand as they are, dollar signs too
# Runs as root on every host of a slice at every start: the worker's share of the sweep sizes: ?new? ??touch x? ?n? ?1.
set -uo pipefail
exec 9>/run/semgjax.lock
flock --nonblock 9 || exit 0
worker="$(curl --silent --fail --header 'Metadata-Flavor: Google' \
  http://metadata.google.internal/computeMetadata/v1/instance/attributes/semgjax-worker)" || exit 1
export SEMGJAX_PLACE="worker $worker"
bucket=lab-data
mount=/mnt/bucket
sweep='/mnt/bucket/sweeps/it'"'"'s my sweep'
data='/mnt/bucket/sessions $1'
package=gs://lab-data/semgjax-0.1.0-py3-none-any.whl

if ! command -v gcsfuse >/dev/null; then
  repository="https://packages.cloud.google.com/apt"
  curl --silent --fail "$repository/doc/apt-key.gpg" >/usr/share/keyrings/google-cloud.asc || exit 1
  echo "deb [signed-by=/usr/share/keyrings/google-cloud.asc] $repository gcsfuse-$(lsb_release -cs) main" \
    >/etc/apt/sources.list.d/gcsfuse.list
  apt-get update --quiet && apt-get install --quiet --yes gcsfuse || exit 1
fi
mkdir -p "$mount"
mountpoint --quiet "$mount" || gcsfuse --implicit-dirs "$bucket" "$mount" || exit 1

if [ ! -x /opt/semgjax/bin/semgjax ]; then
  apt-get update --quiet && apt-get install --quiet --yes python3-venv || exit 1
  case "$package" in
    gs://*.whl)
      gcloud storage cp "$package" /tmp/ || exit 1
      package="/tmp/$(basename "$package")"
      ;;
  esac
  python3 -m venv /opt/semgjax && /opt/semgjax/bin/pip install --quiet "$package" 'jax[tpu]' || exit 1
fi
# A killed process leaves it behind, and the next would find no chips.
rm -f /tmp/libtpu_lockfile

# One trial per chip; 75 means that the machine was asked to stop, and is about to.
/opt/semgjax/bin/semgjax sweep run "$sweep" --data "$data" --share "$worker/2" --chips 0,1,2,3,4,5,6,7 --cores 1 --retries 2
echo "worker $worker: exit code $?"
