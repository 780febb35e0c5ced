// The workflows and activities of the catalogue. The SDK names each after its function. It leaves
// out an input that is false for JavaScript (0, "", null), so no case relies on one.

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { say } from "./output.js";

export async function greet(_ctx, name) {
  return `Hello, ${name}!`;
}

export async function addOne(_ctx, number) {
  return number + 1;
}

export async function square(_ctx, number) {
  return number * number;
}

export async function repeat(_ctx, text) {
  return text;
}

// Takes long enough that many of them pile up in the worker.
export async function rest(_ctx, number) {
  await sleep(20);
  return number;
}

const gates = new Map();

// A gate holds an activity until a case opens it, so that a case can act while a workflow is busy.
export function gateNamed(name) {
  if (!gates.has(name)) {
    const made = {};
    made.entered = new Promise((resolve) => (made.enter = resolve));
    made.opened = new Promise((resolve) => (made.open = resolve));
    gates.set(name, made);
  }
  return gates.get(name);
}

export async function gate(_ctx, name) {
  gateNamed(name).enter();
  await gateNamed(name).opened;
  return "open";
}

export const attempts = new Map();

function countAttempt(key) {
  attempts.set(key, (attempts.get(key) ?? 0) + 1);
  return attempts.get(key);
}

export async function failTwice(_ctx, key) {
  const attempt = countAttempt(key);
  if (attempt < 3) {
    throw new Error(`attempt ${attempt} failed`);
  }
  return "third time lucky";
}

// Tells the outside that it runs; the second one waits until the outside lets it end: that is when
// the file that WFAPP_GO_ON names is there.
export async function step(_ctx, name) {
  say({ step: name, attempt: countAttempt(name) });
  if (name === "second") {
    while (!existsSync(process.env.WFAPP_GO_ON)) {
      await sleep(20);
    }
  }
  return name;
}

export async function* hello(ctx, name) {
  return yield ctx.callActivity(greet, name);
}

export async function* chain(ctx, number) {
  for (let i = 0; i < 3; i++) {
    number = yield ctx.callActivity(addOne, number);
  }
  return number;
}

export async function* fanOut(ctx, width) {
  const tasks = [];
  for (let i = 1; i <= width; i++) {
    tasks.push(ctx.callActivity(square, i));
  }
  const squares = yield ctx.whenAll(tasks);
  return squares.reduce((sum, each) => sum + each, 0);
}

// Adds up the numbers 1 to its input, each by way of a slow activity of its own.
export async function* slowFanOut(ctx, width) {
  const tasks = Array.from({ length: width }, (_, i) => ctx.callActivity(rest, i + 1));
  const numbers = yield ctx.whenAll(tasks);
  return numbers.reduce((sum, each) => sum + each, 0);
}

// Waits for an event or for its input in seconds, whichever is first.
export async function* race(ctx, seconds) {
  const event = ctx.waitForExternalEvent("answer");
  const timer = ctx.createTimer(seconds);
  const winner = yield ctx.whenAny([event, timer]);
  return winner === event ? `event: ${event.getResult()}` : "timer";
}

export async function* nap(ctx, seconds) {
  yield ctx.createTimer(seconds);
  return "slept";
}

export async function* waitForGo(ctx) {
  return yield ctx.waitForExternalEvent("Go");
}

export async function* collect(ctx) {
  yield ctx.callActivity(gate, ctx.getWorkflowInstanceId());
  const items = [];
  for (let i = 0; i < 3; i++) {
    items.push(yield ctx.waitForExternalEvent("item"));
  }
  return items;
}

// Returns what as many events as its input says have carried.
export async function* listen(ctx, number) {
  const heard = [];
  while (heard.length < number) {
    heard.push(yield ctx.waitForExternalEvent("number"));
  }
  return heard;
}

// Its child's id is the SDK's own choice.
export async function* parent(ctx) {
  return yield ctx.callChildWorkflow(child, 21);
}

export async function* parentOfMany(ctx) {
  const tasks = [];
  for (let i = 1; i <= 5; i++) {
    tasks.push(ctx.callChildWorkflow(child, i, `${ctx.getWorkflowInstanceId()}-${i}`));
  }
  return yield ctx.whenAll(tasks);
}

export async function* catchingParent(ctx) {
  try {
    yield ctx.callChildWorkflow(failingChild, "input");
  } catch (problem) {
    return `caught: ${problem.message}`;
  }
  throw new Error("the child did not fail");
}

// A workflow that yields nothing is still a workflow.
export async function* child(_ctx, number) {
  return 2 * number;
}

export async function* failingChild() {
  throw new Error("child went wrong");
}

// The SDK has no retry policy; the loop with a durable pause is what its users write.
export async function* stubborn(ctx) {
  for (let attempt = 1; ; attempt++) {
    try {
      return yield ctx.callActivity(failTwice, ctx.getWorkflowInstanceId());
    } catch (problem) {
      if (attempt === 5) {
        throw problem;
      }
    }
    yield ctx.createTimer(0.05);
  }
}

export async function* failing() {
  throw new RangeError("order 7 is not payable");
}

// Takes one event in each generation, and carries those it has not read to the next.
export async function* accumulate(ctx, { gateName, items }) {
  if (gateName) {
    yield ctx.callActivity(gate, gateName);
  }
  const item = yield ctx.waitForExternalEvent("item");
  const all = [...items, item];
  if (item === "last") {
    return all.join(",");
  }
  ctx.continueAsNew({ items: all }, true);
}

// Waits for ever, unless told to finish.
export async function* waiting(ctx) {
  return yield ctx.waitForExternalEvent("finish");
}

export async function* parentOfWaiting(ctx) {
  return yield ctx.callChildWorkflow(waiting, "input", `${ctx.getWorkflowInstanceId()}-child`);
}

export async function* callsUnknown(ctx) {
  return yield ctx.callActivity("noSuchActivity", "input");
}

export async function* echo(ctx, text) {
  return yield ctx.callActivity(repeat, text);
}

// Its status tells how far it is.
export async function* telling(ctx) {
  ctx.setCustomStatus("waiting");
  yield ctx.waitForExternalEvent("finish");
  ctx.setCustomStatus("finished");
  return "told";
}

export async function* slowChain(ctx) {
  const steps = [];
  for (const name of ["first", "second", "third"]) {
    steps.push(yield ctx.callActivity(step, name));
  }
  return steps.join(",");
}

export const activities = [greet, addOne, square, repeat, rest, gate, failTwice, step];

export const workflows = [
  hello, chain, fanOut, slowFanOut, listen, race, nap, waitForGo, collect, parent, parentOfMany,
  catchingParent, child, failingChild, stubborn, failing, accumulate, waiting, parentOfWaiting,
  callsUnknown, echo, telling, slowChain,
];
