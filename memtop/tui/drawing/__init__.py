"""Line drawing for all widgets: cached lines, scrolling, cell text, wrapped sentences, bars."""
