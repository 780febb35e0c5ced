package wfapp;

import io.dapr.workflows.WorkflowActivityContext;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/** The activities of the catalogue. */
final class Activities {
  private static final Map<String, Integer> ATTEMPTS = new ConcurrentHashMap<>();
  private static final Map<String, Gate> GATES = new ConcurrentHashMap<>();

  private Activities() {
  }

  /** Holds an activity until a case opens it, so that a case can act while a workflow is busy. */
  record Gate(CountDownLatch entered, CountDownLatch opened) {
    static Gate named(String name) {
      return GATES.computeIfAbsent(
          name, key -> new Gate(new CountDownLatch(1), new CountDownLatch(1)));
    }
  }

  static void register(WorkflowRuntimeBuilder builder) {
    builder.registerActivity("Greet", context -> "Hello, " + text(context) + "!");
    builder.registerActivity("AddOne", context -> number(context) + 1);
    builder.registerActivity("Square", context -> number(context) * number(context));
    builder.registerActivity("Repeat", context -> text(context));
    builder.registerActivity("Gate", context -> passGate(text(context)));
    builder.registerActivity("FailTwice", context -> failTwice(text(context)));
    builder.registerActivity("Step", context -> step(text(context)));
  }

  /** How often an activity has been tried for a key. */
  static int attempts(String key) {
    return ATTEMPTS.getOrDefault(key, 0);
  }

  private static int countAttempt(String key) {
    return ATTEMPTS.merge(key, 1, Integer::sum);
  }

  private static String passGate(String name) {
    Gate gate = Gate.named(name);
    gate.entered().countDown();
    await(gate.opened());
    return "open";
  }

  private static String failTwice(String key) {
    int attempt = countAttempt(key);
    if (attempt < 3) {
      throw new IllegalStateException("attempt " + attempt + " failed");
    }
    return "third time lucky";
  }

  /**
   * Tells the outside that it runs; the second one waits until the outside lets it end: that is when
   * the file that WFAPP_GO_ON names is there.
   */
  private static String step(String name) {
    Output.say(Map.of("step", name, "attempt", countAttempt(name)));
    if (name.equals("second")) {
      while (!Files.exists(Path.of(System.getenv("WFAPP_GO_ON")))) {
        pause();
      }
    }
    return name;
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static String text(WorkflowActivityContext context) {
    return context.getInput(String.class);
  }

  private static int number(WorkflowActivityContext context) {
    return context.getInput(Integer.class);
  }
}
