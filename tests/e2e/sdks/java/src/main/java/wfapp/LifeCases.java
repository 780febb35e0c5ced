package wfapp;

import io.dapr.workflows.client.NewWorkflowOptions;
import io.dapr.workflows.client.WorkflowRuntimeStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** The beginning and the end of an instance. */
final class LifeCases {
  private LifeCases() {
  }

  static void addTo(Map<String, Catalogue.Case> cases) {
    cases.put("wait-for-start", LifeCases::waitForStart);
    cases.put("scheduled-start", LifeCases::scheduledStart);
    cases.put("terminate-with-output", app -> app.terminate(app.start("Waiting", "input")));
    cases.put("terminate-suspended", LifeCases::terminateSuspended);
    cases.put("terminate-parent-only", LifeCases::terminateParentOnly);
    cases.put("purge", LifeCases::purge);
    cases.put("purge-running-refused", LifeCases::purgeRunningRefused);
    cases.put("finished-is-left-alone", LifeCases::finishedIsLeftAlone);
  }

  private static void waitForStart(App app) throws Exception {
    String id = app.start("Waiting", "input");
    Check.status(
        app.client.waitForWorkflowStart(id, Duration.ofSeconds(10), false),
        WorkflowRuntimeStatus.RUNNING);
    app.client.raiseEvent(id, "finish", "done");
    app.expectEnd(id, "\"done\"");
  }

  private static void scheduledStart(App app) throws Exception {
    Instant due = Instant.now().plusSeconds(1);
    String id = App.newId("scheduled");
    app.client.scheduleNewWorkflow("Hello",
        new NewWorkflowOptions().setInstanceId(id).setInput("later").setStartTime(due));
    app.status(id, WorkflowRuntimeStatus.PENDING);
    app.expectEnd(id, "\"Hello, later!\"");
    Check.that("it did not run before its time", !Instant.now().isBefore(due));
  }

  private static void terminateSuspended(App app) throws Exception {
    String id = app.start("Waiting", "input");
    app.client.suspendWorkflow(id, null);
    app.terminate(id);
  }

  /** This SDK cannot ask for the children to be terminated too. */
  private static void terminateParentOnly(App app) throws Exception {
    String id = app.start("ParentOfWaiting", "input");
    String child = id + "-child";
    app.become(child, WorkflowRuntimeStatus.RUNNING);
    app.terminate(id);
    app.status(child, WorkflowRuntimeStatus.RUNNING);
    app.client.raiseEvent(child, "finish", "alone");
    app.expectEnd(child, "\"alone\"");
  }

  private static void purge(App app) throws Exception {
    String id = app.start("Hello", "gone");
    app.finish(id, WorkflowRuntimeStatus.COMPLETED);
    Check.that("it was purged", app.client.purgeWorkflow(id));
    app.missing(id);
  }

  private static void purgeRunningRefused(App app) throws Exception {
    String id = app.start("Waiting", "input");
    Check.refused(
        () -> app.client.purgeWorkflow(id), "orchestration has not yet completed");
    app.terminate(id);
  }

  private static void finishedIsLeftAlone(App app) throws Exception {
    String id = app.start("Hello", "Ada");
    app.finish(id, WorkflowRuntimeStatus.COMPLETED);
    app.client.raiseEvent(id, "late", "event");
    app.client.suspendWorkflow(id, null);
    app.client.resumeWorkflow(id, null);
    app.client.terminateWorkflow(id, "stopped");
    app.expectEnd(id, "\"Hello, Ada!\"");
  }
}
