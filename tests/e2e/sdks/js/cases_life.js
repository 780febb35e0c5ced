// The beginning and the end of an instance.

import { refused, same, Status, expectStatus } from "./checks.js";

export const lifeCases = {
  async "wait-for-start"(app) {
    const id = await app.start("waiting", "input");
    expectStatus(await app.client.waitForWorkflowStart(id), Status.RUNNING);
    await app.client.raiseEvent(id, "finish", "done");
    await app.expectEnd(id, '"done"');
  },

  async "scheduled-start"(app) {
    const due = new Date(Date.now() + 1000);
    const id = await app.start("hello", "later", due);
    await app.status(id, Status.PENDING);
    await app.expectEnd(id, '"Hello, later!"');
    same("it ran at its time", Date.now() >= due.getTime(), true);
  },

  async "terminate-with-output"(app) {
    await app.terminate(await app.start("waiting", "input"));
  },

  async "terminate-suspended"(app) {
    const id = await app.start("waiting", "input");
    await app.client.suspendWorkflow(id);
    await app.terminate(id);
  },

  // This SDK cannot ask for the children to be terminated too.
  async "terminate-parent-only"(app) {
    const id = await app.start("parentOfWaiting", "input");
    const child = `${id}-child`;
    await app.become(child, Status.RUNNING);
    await app.terminate(id);
    await app.status(child, Status.RUNNING);
    await app.client.raiseEvent(child, "finish", "alone");
    await app.expectEnd(child, '"alone"');
  },

  async purge(app) {
    const id = await app.start("hello", "gone");
    await app.finish(id, Status.COMPLETED);
    same("purged", await app.client.purgeWorkflow(id), true);
    await app.missing(id);
  },

  async "purge-running-refused"(app) {
    const id = await app.start("waiting", "input");
    const call = () => app.client.purgeWorkflow(id);
    await refused(call, "orchestration has not yet completed");
    await app.terminate(id);
  },

  async "finished-is-left-alone"(app) {
    const id = await app.start("hello", "Ada");
    await app.finish(id, Status.COMPLETED);
    await app.client.raiseEvent(id, "late", "event");
    await app.client.suspendWorkflow(id);
    await app.client.resumeWorkflow(id);
    await app.client.terminateWorkflow(id, "stopped");
    await app.expectEnd(id, '"Hello, Ada!"');
  },
};
