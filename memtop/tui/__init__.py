"""The dashboard: a Textual application that draws frames and requests the next one."""
