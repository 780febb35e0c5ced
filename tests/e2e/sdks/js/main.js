// A worker and a client of the Dapr Workflow API in one process, written with the released
// JavaScript SDK alone. It runs a catalogue of cases against the server that DAPR_GRPC_ENDPOINT
// or DAPR_GRPC_PORT names, prints one line of JSON for each, and ends with {"done":true}.
//
//     node main.js catalogue [CASE ...]    all cases, or those that are named
//     node main.js long                    one workflow that the outside lets go on

import dapr from "@dapr/dapr";

import { runCatalogue } from "./catalogue.js";
import { runLong } from "./long.js";
import { say } from "./output.js";
import { activities, workflows } from "./workflows.js";

const modes = { catalogue: runCatalogue, long: runLong };

async function main(mode, cases) {
  const run = modes[mode];
  if (run === undefined) {
    throw new Error(`unknown mode ${mode}: catalogue or long`);
  }
  const worker = new dapr.WorkflowRuntime();
  for (const workflow of workflows) {
    worker.registerWorkflow(workflow);
  }
  for (const activity of activities) {
    worker.registerActivity(activity);
  }
  await worker.start();
  const client = new dapr.DaprWorkflowClient();
  await run(client, cases);
  await client.stop();
  await worker.stop();
  say({ done: true });
}

// Streams and timers of the SDK may outlive what was asked of them.
main(process.argv[2], process.argv.slice(3)).then(
  () => process.exit(0),
  (problem) => {
    console.error(problem);
    process.exit(1);
  },
);
