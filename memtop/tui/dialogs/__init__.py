"""What opens over the screen: prompts, menus, help, a topic, the choice of columns."""
