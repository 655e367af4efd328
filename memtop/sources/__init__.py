"""Where bytes come from: the live machine, a recording, a program's own metrics over HTTP. Nothing else reads them."""
