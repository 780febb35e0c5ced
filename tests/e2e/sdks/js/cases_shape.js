// The shapes that workflow code can have.

import { same, Status } from "./checks.js";
import { attempts } from "./workflows.js";

export const shapeCases = {
  async hello(app) {
    const id = await app.start("hello", "Ada");
    const state = await app.expectEnd(id, '"Hello, Ada!"');
    same("id", state.instanceId, id);
    same("name", state.name, "hello");
    same("input", state.serializedInput, '"Ada"');
    same("created before updated", state.createdAt <= state.lastUpdatedAt, true);
    same("created just now", Date.now() - state.createdAt.getTime() < 60_000, true);
  },

  chain3: (app) => app.expect("chain", 1, "4"),

  fanout10: (app) => app.expect("fanOut", 10, "385"),

  async timer(app) {
    const began = Date.now();
    await app.expect("nap", 0.4, '"slept"');
    const tookMs = Date.now() - began;
    // The server's clock and this process's are the same, but rounded differently.
    same(`a nap of 400 ms (took ${tookMs})`, tookMs >= 399 && tookMs < 5000, true);
  },

  "child-result": (app) => app.expect("parent", "input", "42"),

  async "child-many"(app) {
    const id = await app.start("parentOfMany", "input");
    await app.expectEnd(id, "[2,4,6,8,10]");
    for (let i = 1; i <= 5; i++) {
      await app.status(`${id}-${i}`, Status.COMPLETED);
    }
  },

  async "child-failure-caught"(app) {
    const id = await app.start("catchingParent", "input");
    const message = `${id}: Sub-orchestration task #1 failed: child went wrong`;
    await app.expectEnd(id, JSON.stringify(`caught: ${message}`));
  },

  async "activity-retry"(app) {
    const id = await app.start("stubborn", "input");
    await app.expectEnd(id, '"third time lucky"');
    same("number of attempts", attempts.get(id), 3);
  },

  async "workflow-failure"(app) {
    const failure = await failureOf(app, "failing");
    same("error message", failure.getErrorMessage(), "order 7 is not payable");
    same("error type", failure.getErrorType(), "RangeError");
    same("has a stack trace", failure.getStackTrace().includes("failing"), true);
  },

  async "unregistered-activity"(app) {
    const failure = await failureOf(app, "callsUnknown");
    same("error type", failure.getErrorType(), "TaskFailedError");
    same("names it", failure.getErrorMessage().includes("noSuchActivity"), true);
  },

  async "unregistered-workflow"(app) {
    const failure = await failureOf(app, "noSuchWorkflow");
    same("error type", failure.getErrorType(), "OrchestratorNotRegisteredError");
    same("names it", failure.getErrorMessage().includes("noSuchWorkflow"), true);
  },

  async "custom-status"(app) {
    const id = await app.start("telling", "input");
    let state = await app.client.waitForWorkflowStart(id);
    while (state.customStatus !== "waiting") {
      state = await app.client.getWorkflowState(id, true);
    }
    await app.client.raiseEvent(id, "finish", "now");
    same("custom status", (await app.expectEnd(id, '"told"')).customStatus, "finished");
  },

  unicode: (app) => app.expect("echo", "naïve ☃ 漢字 😀", '"naïve ☃ 漢字 😀"'),

  async "large-payload"(app) {
    const large = "x".repeat(1 << 20);
    await app.expect("echo", large, JSON.stringify(large));
  },

  "many-50": (app) => many(app, 50),

  // The worker runs 10 items, queues 100 more and drops the rest without a word: only a server
  // that never has more than that outstanding brings all of these to their end.
  "many-200": (app) => many(app, 200),
  "fanout200-slow": (app) => app.expect("slowFanOut", 200, "20100"),
};

async function many(app, number) {
  const people = Array.from({ length: number }, (_, i) => `person ${i}`);
  await Promise.all(people.map((name) => app.expect("hello", name, `"Hello, ${name}!"`)));
}

async function failureOf(app, workflow) {
  const id = await app.start(workflow, "input");
  return (await app.finish(id, Status.FAILED)).workflowFailureDetails;
}
