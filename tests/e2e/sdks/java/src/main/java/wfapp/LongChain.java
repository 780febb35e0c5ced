package wfapp;

import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.client.WorkflowState;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;

/**
 * Starts a chain of three activities, or finds it started by a process before this one, and sees it
 * through while the outside stops the server and starts it again.
 */
final class LongChain {
  private static final String ID = "long-chain";
  private static final Duration DEADLINE = Duration.ofMinutes(2);

  private LongChain() {
  }

  static void run(DaprWorkflowClient client) {
    try {
      if (!App.exists(client.getWorkflowState(ID, false))) {
        client.scheduleNewWorkflow("SlowChain", "input", ID);
      }
      WorkflowState state = completion(client);
      Check.same("output", state.getSerializedOutput(), "\"first,second,third\"");
      Output.report("long", null);
    } catch (Exception | AssertionError problem) {
      Output.report("long", problem);
    }
  }

  /** Asks until the instance has ended: the server may not be back yet. */
  private static WorkflowState completion(DaprWorkflowClient client) throws Exception {
    Instant end = Instant.now().plus(DEADLINE);
    while (true) {
      try {
        return client.waitForWorkflowCompletion(ID, Duration.between(Instant.now(), end), true);
      } catch (StatusRuntimeException problem) {
        if (Instant.now().isAfter(end)) {
          throw problem;
        }
        Thread.sleep(100);
      }
    }
  }
}
