"""The JVM (HotSpot): its flags and counters, its heap and what they mean."""
