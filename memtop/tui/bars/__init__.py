"""The first line of the screen and the last one."""
