package wfapp;

import io.dapr.durabletask.Task;
import io.dapr.durabletask.TaskCanceledException;
import io.dapr.durabletask.TaskFailedException;
import io.dapr.workflows.Workflow;
import io.dapr.workflows.WorkflowContext;
import io.dapr.workflows.WorkflowTaskOptions;
import io.dapr.workflows.WorkflowTaskRetryPolicy;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/** The workflows of the catalogue. */
final class Workflows {
  private Workflows() {
  }

  /** What {@code Accumulate} carries from one generation to the next. */
  record Accumulated(String gate, List<String> items) {
  }

  static void register(WorkflowRuntimeBuilder builder) {
    add(builder, "Hello", context -> greet(context, context.getInput(String.class)));
    add(builder, "Chain", Workflows::chain);
    add(builder, "FanOut", Workflows::fanOut);
    add(builder, "Race", Workflows::race);
    add(builder, "Nap", Workflows::nap);
    add(builder, "WaitForGo", context -> context.waitForExternalEvent("Go", Object.class).await());
    add(builder, "Collect", Workflows::collect);
    add(builder, "Patient", Workflows::patient);
    add(builder, "Parent", context -> context.callChildWorkflow("Child", 21, Integer.class).await());
    add(builder, "ParentOfMany", Workflows::parentOfMany);
    add(builder, "CatchingParent", Workflows::catchingParent);
    add(builder, "Child", context -> 2 * context.getInput(Integer.class));
    add(builder, "FailingChild", context -> fail("child went wrong"));
    add(builder, "Stubborn", Workflows::stubborn);
    add(builder, "FlakyChild", context -> context.callActivity(
        "FailTwice", context.getInput(String.class), String.class).await());
    add(builder, "ParentOfFlaky", context -> retriedChild(context, null));
    add(builder, "ParentOfNamedFlaky",
        context -> retriedChild(context, context.getInstanceId() + "-child"));
    add(builder, "Listen", Workflows::listen);
    add(builder, "Failing", context -> fail("order 7 is not payable"));
    add(builder, "Accumulate", Workflows::accumulate);
    add(builder, "Waiting",
        context -> context.waitForExternalEvent("finish", String.class).await());
    add(builder, "ParentOfWaiting", context -> context.callChildWorkflow(
        "Waiting", "input", context.getInstanceId() + "-child", String.class).await());
    add(builder, "CallsUnknown", context -> context.callActivity("NoSuchActivity").await());
    add(builder, "Echo", context -> context.callActivity(
        "Repeat", context.getInput(String.class), String.class).await());
    add(builder, "Telling", Workflows::telling);
    add(builder, "Patched", Workflows::patched);
    add(builder, "SlowChain", Workflows::slowChain);
    addVersion(builder, "v1", false);
    addVersion(builder, "v2", true);
  }

  /** Registers a workflow that returns what {@code body} returns. */
  private static void add(
      WorkflowRuntimeBuilder builder, String name, Function<WorkflowContext, Object> body) {
    Workflow workflow = () -> context -> context.complete(body.apply(context));
    builder.registerWorkflow(name, workflow, null, null);
  }

  /** A workflow in two versions, each of which tells after two turns which one it is. */
  private static void addVersion(WorkflowRuntimeBuilder builder, String version, boolean latest) {
    Workflow workflow = () -> context -> {
      greet(context, version);
      context.complete(greet(context, version));
    };
    builder.registerWorkflow("Versioned", workflow, version, latest);
  }

  private static String greet(WorkflowContext context, String name) {
    return context.callActivity("Greet", name, String.class).await();
  }

  private static Object fail(String message) {
    throw new IllegalArgumentException(message);
  }

  private static Object chain(WorkflowContext context) {
    int number = context.getInput(Integer.class);
    for (int i = 0; i < 3; i++) {
      number = context.callActivity("AddOne", number, Integer.class).await();
    }
    return number;
  }

  private static Object fanOut(WorkflowContext context) {
    List<Task<Integer>> tasks = new ArrayList<>();
    for (int i = 1; i <= context.getInput(Integer.class); i++) {
      tasks.add(context.callActivity("Square", i, Integer.class));
    }
    return context.allOf(tasks).await().stream().mapToInt(Integer::intValue).sum();
  }

  /** Waits for an event or for its input in milliseconds, whichever is first. */
  private static Object race(WorkflowContext context) {
    Task<String> event = context.waitForExternalEvent("answer", String.class);
    Task<Void> timer = context.createTimer(Duration.ofMillis(context.getInput(Integer.class)));
    Task<?> winner = context.anyOf(event, timer).await();
    return winner == event ? "event: " + event.await() : "timer";
  }

  private static Object nap(WorkflowContext context) {
    context.createTimer(Duration.ofMillis(context.getInput(Integer.class))).await();
    return "slept";
  }

  private static Object collect(WorkflowContext context) {
    context.callActivity("Gate", context.getInstanceId(), String.class).await();
    List<String> items = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      items.add(context.waitForExternalEvent("item", String.class).await());
    }
    return items;
  }

  private static Object patient(WorkflowContext context) {
    try {
      context.waitForExternalEvent("never", Duration.ofMillis(200), String.class).await();
    } catch (TaskCanceledException e) {
      return "timed out";
    }
    throw new IllegalStateException("the wait ended without a time-out");
  }

  private static Object parentOfMany(WorkflowContext context) {
    List<Task<Integer>> tasks = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      String id = context.getInstanceId() + "-" + i;
      tasks.add(context.callChildWorkflow("Child", i, id, Integer.class));
    }
    return context.allOf(tasks).await();
  }

  private static Object catchingParent(WorkflowContext context) {
    try {
      context.callChildWorkflow("FailingChild").await();
    } catch (TaskFailedException e) {
      return "caught: " + e.getErrorDetails().getErrorMessage();
    }
    throw new IllegalStateException("the child did not fail");
  }

  /** Leaves the retrying to the SDK's policy. */
  private static Object stubborn(WorkflowContext context) {
    return context.callActivity(
        "FailTwice", context.getInstanceId(), retrying(), String.class).await();
  }

  /** Its child fails as often as the activity in it; with an id it is born under the same again. */
  private static Object retriedChild(WorkflowContext context, String childId) {
    return context.callChildWorkflow(
        "FlakyChild", context.getInstanceId(), childId, retrying(), String.class).await();
  }

  private static WorkflowTaskOptions retrying() {
    return new WorkflowTaskOptions(WorkflowTaskRetryPolicy.newBuilder()
        .setMaxNumberOfAttempts(5)
        .setFirstRetryInterval(Duration.ofMillis(50))
        .build());
  }

  /** Returns what as many events as its input says have carried. */
  private static Object listen(WorkflowContext context) {
    int number = context.getInput(Integer.class);
    List<Integer> heard = new ArrayList<>();
    while (heard.size() < number) {
      heard.add(context.waitForExternalEvent("number", Integer.class).await());
    }
    return heard;
  }

  /** Takes one event in each generation, and carries those it has not read to the next. */
  private static Object accumulate(WorkflowContext context) {
    Accumulated state = context.getInput(Accumulated.class);
    if (state.gate() != null) {
      context.callActivity("Gate", state.gate(), String.class).await();
    }
    String item = context.waitForExternalEvent("item", String.class).await();
    List<String> items = new ArrayList<>(state.items());
    items.add(item);
    if (items.size() < 4) {
      context.continueAsNew(new Accumulated(null, items), true);
    }
    Collections.sort(items);
    return String.join(",", items);
  }

  /** Its status tells how far it is. */
  private static Object telling(WorkflowContext context) {
    context.setCustomStatus("waiting");
    context.waitForExternalEvent("finish", String.class).await();
    context.setCustomStatus("finished");
    return "told";
  }

  /** Asks for two patches in different turns: what was recorded must hold in every later turn. */
  private static Object patched(WorkflowContext context) {
    List<String> seen = new ArrayList<>();
    for (String patch : List.of("first", "second")) {
      String name = context.isPatched(patch) ? "new" : "old";
      seen.add(greet(context, name));
    }
    return seen;
  }

  private static Object slowChain(WorkflowContext context) {
    List<String> steps = new ArrayList<>();
    for (String name : List.of("first", "second", "third")) {
      steps.add(context.callActivity("Step", name, String.class).await());
    }
    return String.join(",", steps);
  }
}
