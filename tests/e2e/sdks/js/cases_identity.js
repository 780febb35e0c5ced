// Ids, what is missing, and the other front door.

import dapr from "@dapr/dapr";

import { newId } from "./catalogue.js";
import { refused, same, Status } from "./checks.js";

const alreadyExists = 6;

export const identityCases = {
  async "id-in-use-refused"(app) {
    const id = await app.start("waiting", "input");
    const again = () => app.client.scheduleNewWorkflow("waiting", "input", id);
    const problem = await refused(again, "already exists");
    same("code", problem.code, alreadyExists);
    await app.terminate(id);
  },

  async "finished-id-replaced"(app) {
    const id = await app.start("hello", "first");
    const before = await app.finish(id, Status.COMPLETED);
    await app.client.scheduleNewWorkflow("hello", "second", id);
    const after = await app.expectEnd(id, '"Hello, second!"');
    same("created later", after.createdAt > before.createdAt, true);
  },

  "missing-get": (app) => app.missing(newId("nobody")),

  async "missing-calls-refused"(app) {
    const id = newId("nobody");
    const { client } = app;
    for (const call of [
      () => client.raiseEvent(id, "any", "event"),
      () => client.suspendWorkflow(id),
      () => client.resumeWorkflow(id),
      () => client.terminateWorkflow(id, "stopped"),
      () => client.purgeWorkflow(id),
    ]) {
      await refused(call, "no such instance exists");
    }
  },

  async "without-payloads"(app) {
    const id = await app.start("hello", "Ada");
    const state = await app.client.waitForWorkflowCompletion(id, false);
    same("status", state.runtimeStatus, Status.COMPLETED);
    same("input", state.serializedInput, undefined);
    same("output", state.serializedOutput, undefined);
  },

  // Leads one instance through its life by the SDK's HTTP client of the Dapr API.
  async "dapr-http"(app) {
    const { workflow } = new dapr.DaprClient({
      communicationProtocol: dapr.CommunicationProtocolEnum.HTTP,
    });
    const id = newId("http");
    same("id", await workflow.scheduleNewWorkflow("waitForGo", { in: 1 }, id), id);
    await workflow.pause(id);
    same("status", (await workflow.getWorkflowState(id)).runtimeStatus, "SUSPENDED");
    await workflow.resume(id);
    await workflow.raiseEvent(id, "gO", { out: 2 });
    await app.finish(id, Status.COMPLETED);
    const state = await workflow.getWorkflowState(id);
    same("status", state.runtimeStatus, "COMPLETED");
    same("name", state.workflowName, "waitForGo");
    same("input", state.properties["dapr.workflow.input"], '{"in":1}');
    same("output", state.properties["dapr.workflow.output"], '{"out":2}');
    await workflow.purge(id);
    await refused(() => workflow.getWorkflowState(id), "ERR_INSTANCE_ID_NOT_FOUND");
  },

  async "dapr-http-terminate"(app) {
    const { workflow } = new dapr.DaprClient({
      communicationProtocol: dapr.CommunicationProtocolEnum.HTTP,
    });
    const id = newId("http");
    await workflow.scheduleNewWorkflow("parentOfWaiting", { in: 1 }, id);
    await app.become(`${id}-child`, Status.RUNNING);
    await workflow.terminate(id);
    await app.finish(id, Status.TERMINATED);
    // Unlike the workflow client's, this terminate takes the children along.
    await app.become(`${id}-child`, Status.TERMINATED);
  },
};
