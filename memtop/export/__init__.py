"""Metrics of groups of processes for Prometheus: an exporter, a file for node_exporter, alert rules and a dashboard.

``metrics`` makes metric families of a frame, ``server`` serves them, ``textfile`` writes them.
"""
