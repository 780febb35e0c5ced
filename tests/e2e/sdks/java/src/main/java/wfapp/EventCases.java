package wfapp;

import io.dapr.workflows.client.WorkflowRuntimeStatus;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What reaches a workflow from outside while it runs. */
final class EventCases {
  private EventCases() {
  }

  static void addTo(Map<String, Catalogue.Case> cases) {
    cases.put("race-event", EventCases::raceEvent);
    cases.put("race-timer", app -> app.expect("Race", 200, "\"timer\""));
    cases.put("event-other-case", EventCases::eventOtherCase);
    cases.put("event-payload", EventCases::eventPayload);
    cases.put("event-without-payload", EventCases::eventWithoutPayload);
    cases.put("event-buffered", EventCases::eventBuffered);
    cases.put("events-in-order", EventCases::eventsInOrder);
    cases.put("event-timeout", app -> app.expect("Patient", "input", "\"timed out\""));
    cases.put("continue-as-new", EventCases::continueAsNew);
    cases.put("suspend-event-resume", EventCases::suspendEventResume);
    cases.put("suspend-timer-resume", EventCases::suspendTimerResume);
  }

  private static void raceEvent(App app) throws Exception {
    String id = app.start("Race", 30_000);
    app.client.raiseEvent(id, "answer", "yes");
    app.expectEnd(id, "\"event: yes\"");
  }

  /**
   * This release takes an event that came before the wait whatever the case of its name, but wants
   * the exact name for one that comes later.
   */
  private static void eventOtherCase(App app) throws Exception {
    String id = app.start("Collect", "input");
    raiseBehindGate(app, id, id, "iTEM");
    app.expectEnd(id, "[\"one\",\"two\",\"three\"]");
  }

  private static void eventWithoutPayload(App app) throws Exception {
    String id = app.start("WaitForGo", "input");
    app.client.raiseEvent(id, "Go", null);
    app.expectEnd(id, "");
  }

  private static void eventPayload(App app) throws Exception {
    String id = app.start("WaitForGo", "input");
    app.client.raiseEvent(id, "Go", Map.of("a", 1));
    app.expectEnd(id, "{\"a\":1}");
  }

  private static void eventBuffered(App app) throws Exception {
    String id = app.start("Collect", "input");
    raiseBehindGate(app, id, id, "item");
    app.expectEnd(id, "[\"one\",\"two\",\"three\"]");
  }

  private static void eventsInOrder(App app) throws Exception {
    List<Integer> numbers = IntStream.range(0, 50).boxed().toList();
    String id = app.start("Listen", numbers.size());
    for (int number : numbers) {
      app.client.raiseEvent(id, "number", number);
    }
    app.expectEnd(id, numbers.toString().replace(" ", ""));
  }

  /** This release hands over its unread events in no order, so the result is sorted. */
  private static void continueAsNew(App app) throws Exception {
    String gate = App.newId("gate");
    String id = app.start("Accumulate", new Workflows.Accumulated(gate, List.of()));
    raiseBehindGate(app, id, gate, "item");
    app.client.raiseEvent(id, "item", "zero");
    app.expectEnd(id, "\"one,three,two,zero\"");
  }

  /** Raises three events while the workflow is in an activity, so that it waits for none. */
  private static void raiseBehindGate(App app, String id, String gate, String name)
      throws InterruptedException {
    Activities.Gate.named(gate).entered().await();
    for (String item : List.of("one", "two", "three")) {
      app.client.raiseEvent(id, name, item);
    }
    Activities.Gate.named(gate).opened().countDown();
  }

  private static void suspendEventResume(App app) throws Exception {
    String id = app.start("WaitForGo", "input");
    app.client.suspendWorkflow(id, "a look at it first");
    app.status(id, WorkflowRuntimeStatus.SUSPENDED);
    app.client.raiseEvent(id, "Go", "late");
    app.status(id, WorkflowRuntimeStatus.SUSPENDED);
    app.client.resumeWorkflow(id, "looked");
    app.expectEnd(id, "\"late\"");
  }

  /** A timer that is due while the workflow is suspended ends the wait only after the resume. */
  private static void suspendTimerResume(App app) throws Exception {
    String id = app.start("Nap", 300);
    app.client.suspendWorkflow(id, null);
    // A longer nap of another workflow ends later than the suspended one would have.
    app.expect("Nap", 600, "\"slept\"");
    app.status(id, WorkflowRuntimeStatus.SUSPENDED);
    app.client.resumeWorkflow(id, null);
    app.expectEnd(id, "\"slept\"");
  }
}
