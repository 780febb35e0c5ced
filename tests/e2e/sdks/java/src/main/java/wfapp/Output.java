package wfapp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** Lines of JSON on the standard output. */
final class Output {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Output() {
  }

  static void say(Map<String, ?> line) {
    try {
      System.out.println(JSON.writeValueAsString(line));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Prints how a case went; {@code problem} is null if it went well. */
  static void report(String name, Throwable problem) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("case", name);
    line.put("ok", problem == null);
    line.put("detail", problem == null ? "" : problem.toString());
    say(line);
  }
}
