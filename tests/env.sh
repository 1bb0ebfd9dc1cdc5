# SPDX-License-Identifier: Apache-2.0
# Source this: it puts the Node that tests/setup installed, if any, on the PATH.
minnow_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for minnow_bin in "$minnow_root"/build/tools/node_modules/node-linux-*/bin; do
  if [ -d "$minnow_bin" ] && [ "${PATH%%:*}" != "$minnow_bin" ]; then
    PATH=$minnow_bin:$PATH
  fi
done
export PATH
unset minnow_root minnow_bin
