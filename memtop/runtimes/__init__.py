"""What language runtimes say of themselves: bytes in, values out. Nothing here attaches to a process or reads a file."""
