#!/usr/bin/env bash
# A Slurm of one node on this machine, to try the Slurm engine without a cluster (Debian: apt-get install slurm-wlm munge).
#   launch/slurm_one_machine.sh start FOLDER     configuration, state and logs go to FOLDER; then
#   export SLURM_CONF=FOLDER/slurm.conf          is all that sbatch, squeue and scancel need
#   launch/slurm_one_machine.sh stop FOLDER
# It changes nothing outside FOLDER. Processes are not confined (no cgroups), so it runs in a container, too.
set -euo pipefail

if [ "$#" -ne 2 ]; then
  echo "usage: $0 start|stop FOLDER" >&2
  exit 2
fi
command="$1"
mkdir -p "$2"
folder="$(cd "$2" && pwd)"

stop() {
  for name in slurmd slurmctld munged; do
    if [ -s "$folder/$name.pid" ] && kill -0 "$(cat "$folder/$name.pid")" 2>/dev/null; then
      kill "$(cat "$folder/$name.pid")"
    fi
    rm -f "$folder/$name.pid"
  done
}

start() {
  local host user port
  host="$(hostname -s)"
  user="$(id -un)"
  port="${SLURM_ONE_MACHINE_PORT:-16817}"
  mkdir -p "$folder/state" "$folder/spool"
  chmod 700 "$folder"
  head -c 1024 /dev/urandom >"$folder/munge.key"
  chmod 600 "$folder/munge.key"
  cat >"$folder/slurm.conf" <<EOF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,batch_sched_delay=0
KillWait=5
MinJobAge=5
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
  munged --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munged.seed" --force
  export SLURM_CONF="$folder/slurm.conf"
  slurmctld
  slurmd
  for _ in $(seq 100); do
    if sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then
      echo "export SLURM_CONF=$folder/slurm.conf"
      return
    fi
    sleep 0.2
  done
  echo "Slurm did not come up; see $folder/slurmctld.log and $folder/slurmd.log" >&2
  stop
  exit 1
}

case "$command" in
  start) start ;;
  stop) stop ;;
  *)
    echo "usage: $0 start|stop FOLDER" >&2
    exit 2
    ;;
esac
