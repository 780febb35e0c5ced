// What reaches a workflow from outside while it runs.

import { newId } from "./catalogue.js";
import { Status } from "./checks.js";
import { gateNamed } from "./workflows.js";

export const eventCases = {
  async "race-event"(app) {
    const id = await app.start("race", 30);
    await app.client.raiseEvent(id, "answer", "yes");
    await app.expectEnd(id, '"event: yes"');
  },

  "race-timer": (app) => app.expect("race", 0.2, '"timer"'),

  async "event-other-case"(app) {
    const id = await app.start("waitForGo", "input");
    await app.client.raiseEvent(id, "gO", { a: 1 });
    await app.expectEnd(id, '{"a":1}');
  },

  async "event-without-payload"(app) {
    const id = await app.start("waitForGo", "input");
    await app.client.raiseEvent(id, "Go");
    await app.expectEnd(id, undefined);
  },

  async "event-buffered"(app) {
    const id = await app.start("collect", "input");
    await raiseBehindGate(app, id, id, ["one", "two", "three"]);
    await app.expectEnd(id, '["one","two","three"]');
  },

  async "events-in-order"(app) {
    const numbers = Array.from({ length: 50 }, (_, i) => i + 1);
    const id = await app.start("listen", numbers.length);
    for (const number of numbers) {
      await app.client.raiseEvent(id, "number", number);
    }
    await app.expectEnd(id, JSON.stringify(numbers));
  },

  async "continue-as-new"(app) {
    const gateName = newId("gate");
    const id = await app.start("accumulate", { gateName, items: [] });
    await raiseBehindGate(app, id, gateName, ["one", "two", "three"]);
    await app.client.raiseEvent(id, "item", "last");
    await app.expectEnd(id, '"one,two,three,last"');
  },

  async "suspend-event-resume"(app) {
    const id = await app.start("waitForGo", "input");
    await app.client.suspendWorkflow(id);
    await app.status(id, Status.SUSPENDED);
    await app.client.raiseEvent(id, "Go", "late");
    await app.status(id, Status.SUSPENDED);
    await app.client.resumeWorkflow(id);
    await app.expectEnd(id, '"late"');
  },

  // A timer that is due while the workflow is suspended ends the wait only after the resume.
  async "suspend-timer-resume"(app) {
    const id = await app.start("nap", 0.3);
    await app.client.suspendWorkflow(id);
    // A longer nap of another workflow ends later than the suspended one would have.
    await app.expect("nap", 0.6, '"slept"');
    await app.status(id, Status.SUSPENDED);
    await app.client.resumeWorkflow(id);
    await app.expectEnd(id, '"slept"');
  },
};

// Raises events while the workflow is in an activity, so that it waits for none of them.
async function raiseBehindGate(app, id, gateName, items) {
  await gateNamed(gateName).entered;
  for (const item of items) {
    await app.client.raiseEvent(id, "item", item);
  }
  gateNamed(gateName).open();
}
