"""The header and the footer of the screen."""
