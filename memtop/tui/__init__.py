"""The screen: a Textual application that draws frames and asks for the next."""
