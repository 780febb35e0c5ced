// Runs every case with a deadline and reports how it went.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { eventCases } from "./cases_event.js";
import { identityCases } from "./cases_identity.js";
import { lifeCases } from "./cases_life.js";
import { shapeCases } from "./cases_shape.js";
import { expectStatus, same, Status } from "./checks.js";
import { say } from "./output.js";

// How long one case may take; a healthy one needs far less.
const caseTimeoutMs = 20_000;

// Runs the named cases, or all if none is named.
export async function runCatalogue(client, names) {
  const app = new App(client);
  for (const cases of [shapeCases, eventCases, lifeCases, identityCases]) {
    for (const [name, run] of Object.entries(cases)) {
      if (names.length === 0 || names.includes(name)) {
        await report(name, () => withinDeadline(run(app)));
      }
    }
  }
}

export async function report(name, run) {
  try {
    await run();
    say({ case: name, ok: true, detail: "" });
  } catch (problem) {
    say({ case: name, ok: false, detail: String(problem?.stack ?? problem) });
  }
}

async function withinDeadline(promise) {
  const cancel = new AbortController();
  const deadline = sleep(caseTimeoutMs, undefined, { signal: cancel.signal }).then(() => {
    throw new Error(`not done after ${caseTimeoutMs} ms`);
  });
  // After a case has ended in time, nobody cares that its deadline was called off.
  deadline.catch(() => {});
  try {
    await Promise.race([promise, deadline]);
  } finally {
    cancel.abort();
  }
}

export function newId(prefix) {
  return `${prefix}-${randomUUID()}`;
}

// What a case needs: the workflow client, and a few steps that many cases take.
export class App {
  constructor(client) {
    this.client = client;
  }

  async start(workflow, input, startAt) {
    const id = newId(workflow.toLowerCase());
    same("id", await this.client.scheduleNewWorkflow(workflow, input, id, startAt), id);
    return id;
  }

  // Runs a workflow to its end and compares what it returned, as JSON text.
  async expect(workflow, input, output) {
    await this.expectEnd(await this.start(workflow, input), output);
  }

  async expectEnd(id, output) {
    const state = await this.finish(id, Status.COMPLETED);
    same("output", state.serializedOutput, output);
    return state;
  }

  async finish(id, status) {
    const state = await this.client.waitForWorkflowCompletion(id, true, caseTimeoutMs / 1000);
    expectStatus(state, status);
    return state;
  }

  async status(id, status) {
    expectStatus(await this.client.getWorkflowState(id, false), status);
  }

  // Asks until a workflow has a status, or the case's time is up.
  async become(id, status) {
    const end = Date.now() + caseTimeoutMs;
    for (;;) {
      const state = await this.client.getWorkflowState(id, false);
      if (state?.runtimeStatus === status) {
        return;
      }
      if (Date.now() > end) {
        expectStatus(state, status);
      }
      await sleep(20);
    }
  }

  async missing(id) {
    same("state", await this.client.getWorkflowState(id, true), undefined);
  }

  async terminate(id) {
    await this.client.terminateWorkflow(id, "stopped");
    const state = await this.finish(id, Status.TERMINATED);
    same("output", state.serializedOutput, '"stopped"');
  }
}
