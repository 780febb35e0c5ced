package wfapp;

import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Ids, and what is missing. */
final class IdentityCases {
  private IdentityCases() {
  }

  static void addTo(Map<String, Catalogue.Case> cases) {
    cases.put("id-in-use-refused", IdentityCases::idInUseRefused);
    cases.put("finished-id-replaced", IdentityCases::finishedIdReplaced);
    cases.put("missing-get", app -> app.missing(App.newId("nobody")));
    cases.put("missing-calls-refused", IdentityCases::missingCallsRefused);
    cases.put("without-payloads", IdentityCases::withoutPayloads);
  }

  private static void idInUseRefused(App app) throws Exception {
    String id = app.start("Waiting", "input");
    StatusRuntimeException problem = Check.refused(
        () -> app.client.scheduleNewWorkflow("Waiting", "input", id), "already exists");
    Check.same("code", problem.getStatus().getCode(), Status.Code.ALREADY_EXISTS);
    app.terminate(id);
  }

  private static void finishedIdReplaced(App app) throws Exception {
    String id = app.start("Hello", "first");
    WorkflowState before = app.finish(id, WorkflowRuntimeStatus.COMPLETED);
    app.client.scheduleNewWorkflow("Hello", "second", id);
    WorkflowState after = app.expectEnd(id, "\"Hello, second!\"");
    Check.that("it was created later", after.getCreatedAt().isAfter(before.getCreatedAt()));
  }

  private static void missingCallsRefused(App app) {
    String id = App.newId("nobody");
    List<Runnable> calls = List.of(
        () -> app.client.raiseEvent(id, "any", "event"),
        () -> app.client.suspendWorkflow(id, null),
        () -> app.client.resumeWorkflow(id, null),
        () -> app.client.terminateWorkflow(id, "stopped"),
        () -> app.client.purgeWorkflow(id));
    for (Runnable call : calls) {
      Check.refused(call, "no such instance exists");
    }
  }

  private static void withoutPayloads(App app) throws Exception {
    String id = app.start("Hello", "Ada");
    WorkflowState state =
        app.client.waitForWorkflowCompletion(id, Duration.ofSeconds(10), false);
    Check.status(state, WorkflowRuntimeStatus.COMPLETED);
    Check.same("input", state.getSerializedInput(), "");
    Check.same("output", state.getSerializedOutput(), "");
  }
}
