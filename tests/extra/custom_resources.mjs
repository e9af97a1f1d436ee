// What is wrong with manifests of the Prometheus operator, a list on standard input, by its models.
// Prints one line for each fault; none for none.

import { text } from "node:stream/consumers";

import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";

const models = { PrometheusRule, ServiceMonitor };

for (const manifest of JSON.parse(await text(process.stdin))) {
  const Model = models[manifest.kind];
  try {
    new Model(manifest).validate();
  } catch (error) {
    console.log(`${manifest.kind}: ${error.message}`);
  }
}
