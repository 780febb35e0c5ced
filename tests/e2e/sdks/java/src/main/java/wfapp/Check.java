package wfapp;

import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import io.grpc.StatusRuntimeException;
import java.util.Objects;

/** What a case compares, and how it says that something is not so. */
final class Check {
  private Check() {
  }

  static void same(String what, Object got, Object want) {
    if (!Objects.equals(got, want)) {
      throw new AssertionError(what + " is " + got + ", not " + want);
    }
  }

  static void that(String what, boolean holds) {
    if (!holds) {
      throw new AssertionError("it does not hold that " + what);
    }
  }

  static void status(WorkflowState state, WorkflowRuntimeStatus want) {
    same("status of " + state.getWorkflowId(), state.getRuntimeStatus(), want);
  }

  /** Checks that a call is refused with a text, and returns what it was refused with. */
  static StatusRuntimeException refused(Runnable call, String text) {
    try {
      call.run();
    } catch (StatusRuntimeException problem) {
      that(problem.getMessage() + " speaks of " + text, problem.getMessage().contains(text));
      return problem;
    }
    throw new AssertionError("the call was accepted, not refused with " + text);
  }
}
