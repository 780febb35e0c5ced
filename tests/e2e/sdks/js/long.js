// Starts a chain of three activities, or finds it started by a process before this one, and sees it
// through while the outside stops the server and starts it again.

import { setTimeout as sleep } from "node:timers/promises";

import { report } from "./catalogue.js";
import { same } from "./checks.js";

const id = "long-chain";
const deadlineMs = 120_000;

export async function runLong(client) {
  await report("long", async () => {
    if ((await client.getWorkflowState(id, false)) === undefined) {
      await client.scheduleNewWorkflow("slowChain", "input", id);
    }
    const state = await completion(client);
    same("output", state.serializedOutput, '"first,second,third"');
  });
}

// Asks until the instance has ended: the server may not be back yet.
async function completion(client) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await client.waitForWorkflowCompletion(id, true, (end - Date.now()) / 1000);
    } catch (problem) {
      if (Date.now() > end) {
        throw problem;
      }
      await sleep(100);
    }
  }
}
