#!/usr/bin/env bash
# Runs a command as two ranks on two machines, as far as the network is concerned: each in a network namespace of its own,
# with an address of its own, joined by a virtual cable. Needs root. Ends with the larger of the two exit codes.
#   tools/two_namespaces.sh build/dev/bin/rank_program training
#   tools/two_namespaces.sh --cut 3 build/dev/bin/rank_program endless    the cable is cut after 3 seconds
#   tools/two_namespaces.sh --kill 3 build/dev/bin/rank_program endless   rank 1 is killed after 3 seconds
# Both ranks find RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT in their environment.
set -euo pipefail

action= seconds=
if [[ "${1:-}" == "--cut" || "${1:-}" == "--kill" ]]; then
  action=${1#--} seconds=${2:-}
  [[ "$seconds" =~ ^[0-9]+$ ]] || { echo "two_namespaces.sh: $1 needs a number of seconds, got '$seconds'" >&2; exit 2; }
  shift 2
fi
[[ $# -gt 0 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[[ $EUID -eq 0 ]] || { echo "two_namespaces.sh: only root can make network namespaces; you are $(id -un)" >&2; exit 1; }
command -v ip >/dev/null || { echo "two_namespaces.sh: needs the program ip (apt install iproute2)" >&2; exit 1; }

names=("actio-$$-0" "actio-$$-1") pids=()
clean_up() {
  local pid name
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  for name in "${names[@]}"; do ip netns delete "$name" 2>/dev/null || true; done
}
trap clean_up EXIT

for name in "${names[@]}"; do
  ip netns add "$name"
  ip -n "$name" link set lo up
done
ip link add veth0 netns "${names[0]}" type veth peer name veth1 netns "${names[1]}"
for rank in 0 1; do
  ip -n "${names[rank]}" address add "10.77.0.$((rank + 1))/24" dev "veth$rank"
  ip -n "${names[rank]}" link set "veth$rank" up
done

for rank in 0 1; do
  # "ip netns exec" becomes the command, so that the process that is killed is the command.
  RANK=$rank WORLD_SIZE=2 LOCAL_RANK=0 MASTER_ADDR=10.77.0.1 MASTER_PORT=29500 \
    ip netns exec "${names[rank]}" "$@" > >(sed -u "s/^/[$rank] /") 2> >(sed -u "s/^/[$rank] /" >&2) &
  pids+=($!)
done

if [[ -n "$action" ]]; then
  sleep "$seconds"
  begin=$SECONDS
  case $action in
    cut) ip -n "${names[0]}" link set veth0 down ;;
    kill) kill -9 "${pids[1]}" ;;
  esac
fi

worst=0
for rank in 0 1; do
  code=0
  wait "${pids[rank]}" || code=$?
  [[ -n "$action" ]] && echo "rank $rank ended with $code, $((SECONDS - begin)) s after the $action"
  ((code > worst)) && worst=$code
done
exit "$worst"
