package wfapp;

import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.runtime.WorkflowRuntime;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.util.List;
import java.util.Map;

/**
 * A worker and a client of the Dapr Workflow API in one process, written with the released Java SDK
 * alone. It runs a catalogue of cases against the server that DAPR_GRPC_ENDPOINT or DAPR_GRPC_PORT
 * names, prints one line of JSON for each, and ends with {"done":true}.
 */
public final class Main {
  private Main() {
  }

  /**
   * Runs {@code catalogue} with the cases named after it, or all, or {@code long}: one workflow that
   * the outside lets go on.
   */
  public static void main(String[] arguments) throws Exception {
    List<String> words = List.of(arguments);
    String mode = words.get(0);
    WorkflowRuntimeBuilder builder = new WorkflowRuntimeBuilder();
    Workflows.register(builder);
    Activities.register(builder);
    WorkflowRuntime worker = builder.build();
    worker.start(false);
    DaprWorkflowClient client = new DaprWorkflowClient();
    switch (mode) {
      case "catalogue" -> new Catalogue(client).run(words.subList(1, words.size()));
      case "long" -> LongChain.run(client);
      default -> throw new IllegalArgumentException(
          "unknown mode " + mode + ": catalogue or long");
    }
    client.close();
    Output.say(Map.of("done", true));
    // The SDK's worker never leaves its loop, and closing it takes up to a minute.
    System.exit(0);
  }
}
