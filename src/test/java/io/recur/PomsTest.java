package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * The benchmarks' poms cannot inherit versions from the library's, which makes a jar. A version in
 * both must be the same.
 */
@Tag(Devices.CPU)
class PomsTest {
  private static List<Element> poms() throws Exception {
    List<Element> poms = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of("jmh"))) {
      List<Path> paths = new ArrayList<>(List.of(Path.of("pom.xml")));
      files
          .filter(file -> file.endsWith("pom.xml") && !file.toString().contains("target"))
          .forEach(paths::add);
      for (Path path : paths) {
        poms.add(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(path.toFile())
                .getDocumentElement());
      }
    }
    assertTrue(poms.size() > 3, "poms=" + poms.size());
    return poms;
  }

  private static String child(Element element, String name) {
    for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node.getNodeName().equals(name)) {
        return node.getTextContent().strip();
      }
    }
    return "";
  }

  private static Map<String, String> properties(Element pom) {
    Map<String, String> properties = new HashMap<>();
    NodeList groups = pom.getElementsByTagName("properties");
    for (int i = 0; i < groups.getLength(); i++) {
      boolean isOfAll = groups.item(i).getParentNode() == pom; // not of a profile
      NodeList own = groups.item(i).getChildNodes();
      for (int k = 0; isOfAll && k < own.getLength(); k++) {
        properties.put(own.item(k).getNodeName(), own.item(k).getTextContent().strip());
      }
    }
    properties.keySet().removeIf(name -> name.startsWith("#"));
    return properties;
  }

  @Test
  void aPropertyThatStandsTwiceIsTheSame() throws Exception {
    Map<String, Set<String>> values = new TreeMap<>();
    for (Element pom : poms()) {
      properties(pom)
          .forEach((name, value) -> values.computeIfAbsent(name, k -> new TreeSet<>()).add(value));
    }
    assertTrue(values.size() > 15, values.toString());
    values.values().removeIf(all -> all.size() == 1);
    assertEquals(Map.of(), values);
  }

  @Test
  void aVersionThatStandsTwiceIsTheSame() throws Exception {
    Map<String, Set<String>> versions = new TreeMap<>();
    for (Element pom : poms()) {
      NodeList artifacts = pom.getElementsByTagName("artifactId");
      for (int i = 0; i < artifacts.getLength(); i++) {
        Element used = (Element) artifacts.item(i).getParentNode();
        String version = child(used, "version");
        if (!version.isEmpty() && !version.contains("${")) {
          String name = child(used, "groupId") + ":" + child(used, "artifactId");
          versions.computeIfAbsent(name, k -> new TreeSet<>()).add(version);
        }
      }
    }
    assertTrue(versions.size() > 10, versions.toString());
    versions.values().removeIf(all -> all.size() == 1);
    assertEquals(Map.of(), versions);
  }
}
