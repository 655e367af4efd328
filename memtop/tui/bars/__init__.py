"""The lines of the screen: headline, header, filter, timeline, footer."""
