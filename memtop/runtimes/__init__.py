"""What language runtimes say of themselves: bytes in, values out. Nothing here attaches to anything or opens a file."""
