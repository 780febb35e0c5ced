package wfapp;

import io.dapr.config.Properties;
import io.dapr.durabletask.DurableTaskClient;
import io.dapr.durabletask.DurableTaskGrpcClientBuilder;
import io.dapr.durabletask.OrchestrationMetadata;
import io.dapr.utils.NetworkUtils;
import io.dapr.workflows.client.WorkflowFailureDetails;
import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The shapes that workflow code can have. */
final class ShapeCases {
  private ShapeCases() {
  }

  static void addTo(Map<String, Catalogue.Case> cases) {
    cases.put("hello", ShapeCases::hello);
    cases.put("chain3", app -> app.expect("Chain", 1, "4"));
    cases.put("fanout10", app -> app.expect("FanOut", 10, "385"));
    cases.put("timer", ShapeCases::timer);
    cases.put("child-result", app -> app.expect("Parent", "input", "42"));
    cases.put("child-many", ShapeCases::childMany);
    cases.put("child-failure-caught",
        app -> app.expect("CatchingParent", "input", "\"caught: child went wrong\""));
    cases.put("activity-retry", app -> retried(app, "Stubborn"));
    cases.put("child-retry", app -> retried(app, "ParentOfFlaky"));
    cases.put("child-retry-same-id", app -> retried(app, "ParentOfNamedFlaky"));
    cases.put("workflow-failure", ShapeCases::workflowFailure);
    cases.put("unregistered-activity", ShapeCases::unregisteredActivity);
    cases.put("unregistered-workflow", ShapeCases::unregisteredWorkflow);
    cases.put("custom-status", ShapeCases::customStatus);
    cases.put("patched", app -> app.expect(
        "Patched", "input", "[\"Hello, new!\",\"Hello, new!\"]"));
    cases.put("latest-version", app -> app.expect("Versioned", "input", "\"Hello, v2!\""));
    cases.put("unicode", app -> app.expect(
        "Echo", "naïve ☃ 漢字 😀", "\"naïve ☃ 漢字 😀\""));
    cases.put("large-payload", ShapeCases::largePayload);
    cases.put("many-50", ShapeCases::many);
  }

  private static void hello(App app) throws Exception {
    String id = app.start("Hello", "Ada");
    WorkflowState state = app.expectEnd(id, "\"Hello, Ada!\"");
    Check.same("id", state.getWorkflowId(), id);
    Check.same("name", state.getName(), "Hello");
    Check.same("input", state.getSerializedInput(), "\"Ada\"");
    Check.that("it was created before it was updated",
        !state.getCreatedAt().isAfter(state.getLastUpdatedAt()));
    Check.that("it was created just now",
        state.getCreatedAt().isAfter(Instant.now().minusSeconds(60)));
  }

  private static void timer(App app) throws Exception {
    Instant began = Instant.now();
    app.expect("Nap", 400, "\"slept\"");
    long tookMillis = Duration.between(began, Instant.now()).toMillis();
    Check.that("a nap of 400 ms took about that (" + tookMillis + ")",
        tookMillis >= 400 && tookMillis < 5000);
  }

  private static void childMany(App app) throws Exception {
    String id = app.start("ParentOfMany", "input");
    app.expectEnd(id, "[0,2,4,6,8]");
    for (int i = 0; i < 5; i++) {
      app.status(id + "-" + i, WorkflowRuntimeStatus.COMPLETED);
    }
  }

  private static void retried(App app, String workflow) throws Exception {
    String id = app.start(workflow, "input");
    app.expectEnd(id, "\"third time lucky\"");
    Check.same("number of attempts", Activities.attempts(id), 3);
  }

  private static WorkflowFailureDetails failure(App app, String workflow) throws Exception {
    String id = app.start(workflow, "input");
    return app.finish(id, WorkflowRuntimeStatus.FAILED).getFailureDetails();
  }

  private static void workflowFailure(App app) throws Exception {
    WorkflowFailureDetails failure = failure(app, "Failing");
    Check.same("error message", failure.getErrorMessage(), "order 7 is not payable");
    Check.same("error type", failure.getErrorType(), "java.lang.IllegalArgumentException");
    Check.that("there is a stack trace", failure.getStackTrace().contains("wfapp.Workflows"));
  }

  private static void unregisteredActivity(App app) throws Exception {
    WorkflowFailureDetails failure = failure(app, "CallsUnknown");
    Check.same("error type", failure.getErrorType(), "io.dapr.durabletask.TaskFailedException");
    Check.that(failure.getErrorMessage() + " names the activity",
        failure.getErrorMessage().contains("NoSuchActivity"));
  }

  private static void unregisteredWorkflow(App app) throws Exception {
    WorkflowFailureDetails failure = failure(app, "NoSuchWorkflow");
    Check.same("error type", failure.getErrorType(), "java.lang.IllegalStateException");
    Check.that(failure.getErrorMessage() + " names the workflow",
        failure.getErrorMessage().contains("NoSuchWorkflow"));
  }

  /** The workflow client leaves the custom status out; the client beneath it has it. */
  private static void customStatus(App app) throws Exception {
    ManagedChannel channel = NetworkUtils.buildGrpcManagedChannel(new Properties());
    try (DurableTaskClient client =
        new DurableTaskGrpcClientBuilder().grpcChannel(channel).build()) {
      String id = app.start("Telling", "input");
      while (!"waiting".equals(customStatus(client, id))) {
        Thread.sleep(20);
      }
      app.client.raiseEvent(id, "finish", "now");
      app.expectEnd(id, "\"told\"");
      Check.same("custom status", customStatus(client, id), "finished");
    } finally {
      channel.shutdownNow();
    }
  }

  private static String customStatus(DurableTaskClient client, String id) {
    OrchestrationMetadata state = client.getInstanceMetadata(id, true);
    return state.isCustomStatusFetched() ? state.readCustomStatusAs(String.class) : null;
  }

  private static void largePayload(App app) throws Exception {
    String large = "x".repeat(1 << 20);
    app.expect("Echo", large, "\"" + large + "\"");
  }

  private static void many(App app) throws Exception {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      ids.add(app.start("Hello", "person " + i));
    }
    for (int i = 0; i < 50; i++) {
      app.expectEnd(ids.get(i), "\"Hello, person " + i + "!\"");
    }
  }
}
