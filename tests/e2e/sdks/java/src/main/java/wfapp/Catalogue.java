package wfapp;

import io.dapr.workflows.client.DaprWorkflowClient;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs every case with a deadline and reports how it went. */
final class Catalogue {
  /** How long one case may take; a healthy one needs far less. */
  static final int CASE_TIMEOUT_SECONDS = 20;

  private final Map<String, Case> cases = new LinkedHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final App app;

  /** One case: it throws if something is not as it must be. */
  interface Case {
    void run(App app) throws Exception;
  }

  Catalogue(DaprWorkflowClient client) {
    this.app = new App(client);
    ShapeCases.addTo(cases);
    EventCases.addTo(cases);
    LifeCases.addTo(cases);
    IdentityCases.addTo(cases);
  }

  /** Runs the named cases, or all if none is named. */
  void run(List<String> names) throws InterruptedException {
    if (!names.isEmpty()) {
      cases.keySet().retainAll(names);
    }
    for (Map.Entry<String, Case> each : cases.entrySet()) {
      Output.report(each.getKey(), problemOf(each.getValue()));
    }
    threads.shutdownNow();
  }

  private Throwable problemOf(Case each) throws InterruptedException {
    Future<?> running = threads.submit(() -> {
      each.run(app);
      return null;
    });
    try {
      running.get(CASE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return null;
    } catch (ExecutionException problem) {
      return problem.getCause();
    } catch (TimeoutException problem) {
      running.cancel(true);
      return new TimeoutException("not done after " + CASE_TIMEOUT_SECONDS + " s");
    }
  }
}
