"""The JVM (HotSpot): its flags, counters and heap, and their analysis."""
