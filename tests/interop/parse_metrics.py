"""Reads a file of metrics with Prometheus' own parser for OpenMetrics, and prints the types of the families."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as file:
    families = list(text_string_to_metric_families(file.read()))
print(json.dumps({family.name: family.type for family in families}))
