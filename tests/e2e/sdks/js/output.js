// Lines of JSON on the standard output, which the SDK's own log shares.

import { writeSync } from "node:fs";

export function say(line) {
  writeSync(1, JSON.stringify(line) + "\n");
}
