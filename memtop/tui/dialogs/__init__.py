"""Dialogs over the screen: signal (kill), renice, help, an explanation, the choice of columns; prompts and menus."""
