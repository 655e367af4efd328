"""One instant of chosen processes: what is to be read, the walk over a source, and the sample that comes of it."""
