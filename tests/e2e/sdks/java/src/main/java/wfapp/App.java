package wfapp;

import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;

/** What a case needs: the workflow client, and a few steps that many cases take. */
final class App {
  private static final Duration PATIENCE = Duration.ofSeconds(Catalogue.CASE_TIMEOUT_SECONDS);

  final DaprWorkflowClient client;

  App(DaprWorkflowClient client) {
    this.client = client;
  }

  static String newId(String prefix) {
    return prefix + "-" + UUID.randomUUID();
  }

  /** Schedules a workflow under a fresh id. */
  String start(String workflow, Object input) {
    String id = newId(workflow.toLowerCase(Locale.ROOT));
    Check.same("id", client.scheduleNewWorkflow(workflow, input, id), id);
    return id;
  }

  /** Runs a workflow to its end and compares what it returned, as JSON text. */
  void expect(String workflow, Object input, String output) throws Exception {
    expectEnd(start(workflow, input), output);
  }

  WorkflowState expectEnd(String id, String output) throws Exception {
    WorkflowState state = finish(id, WorkflowRuntimeStatus.COMPLETED);
    Check.same("output", state.getSerializedOutput(), output);
    return state;
  }

  WorkflowState finish(String id, WorkflowRuntimeStatus status) throws Exception {
    WorkflowState state = client.waitForWorkflowCompletion(id, PATIENCE, true);
    Check.status(state, status);
    return state;
  }

  void status(String id, WorkflowRuntimeStatus status) {
    Check.status(client.getWorkflowState(id, false), status);
  }

  /** Asks until a workflow exists and has a status, or the case's time is up. */
  void become(String id, WorkflowRuntimeStatus status) throws InterruptedException {
    Instant end = Instant.now().plus(PATIENCE);
    while (true) {
      WorkflowState state = client.getWorkflowState(id, false);
      if (exists(state) && state.getRuntimeStatus() == status) {
        return;
      }
      if (Instant.now().isAfter(end)) {
        Check.status(state, status);
      }
      Thread.sleep(20);
    }
  }

  void missing(String id) {
    Check.that(id + " is missing", !exists(client.getWorkflowState(id, true)));
  }

  /** An instance that does not exist has a state without an id. */
  static boolean exists(WorkflowState state) {
    return state != null && !state.getWorkflowId().isEmpty();
  }

  void terminate(String id) throws Exception {
    client.terminateWorkflow(id, "stopped");
    WorkflowState state = finish(id, WorkflowRuntimeStatus.TERMINATED);
    Check.same("output", state.getSerializedOutput(), "\"stopped\"");
  }
}
