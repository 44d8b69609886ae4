#!/bin/sh
# reload-on-rotation.sh COMMAND...: runs COMMAND each time kubelet has replaced the certificate or the bundle. For programs
# that read files only when they are told to. Kubelet renames the link `..data` beside the files, and hours are left then, so
# looking every few seconds is soon enough. Where COMMAND fails it is run again.
set -u

places() {
  readlink "$(dirname "$SIGNET_SVID_BUNDLE")/..data"
  readlink "$(dirname "$SIGNET_TRUST_BUNDLE")/..data"
}

seen=$(places)
while sleep "${RELOAD_SECONDS:-5}"; do
  now=$(places)
  if [ "$now" != "$seen" ] && "$@"; then seen=$now; fi
done
