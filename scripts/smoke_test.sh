#!/usr/bin/env bash
# Two months through the whole path, verified, and cleaned up afterwards.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/backlog_bear.sh" --smoke "$@"
