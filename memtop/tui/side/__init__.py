"""The side panel beside the chart: findings and explanations as sentences, and VIRT as a bar."""
