// What a case compares, and how it says that something is not so.

import dapr from "@dapr/dapr";

export const Status = dapr.WorkflowRuntimeStatus;

export function same(what, got, want) {
  if (got !== want) {
    throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  }
}

export function expectStatus(state, want) {
  if (state === undefined) {
    throw new Error("there is no such instance");
  }
  same("status", Status[state.runtimeStatus], Status[want]);
}

// Checks that a call fails, with a text in its error, and returns that error.
export async function refused(call, text) {
  let problem;
  try {
    await call();
  } catch (thrown) {
    problem = thrown;
  }
  if (problem === undefined) {
    throw new Error(`the call was accepted, not refused with ${JSON.stringify(text)}`);
  }
  if (!problem.message.includes(text)) {
    throw new Error(`the error ${JSON.stringify(problem.message)} does not speak of ${text}`);
  }
  return problem;
}
