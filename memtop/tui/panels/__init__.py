"""The panels under the chart: regions, sharing, limits, runtime, status, machine."""
