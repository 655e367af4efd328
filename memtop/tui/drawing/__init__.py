"""How lines are drawn, whatever they show: cached lines, scrolling, cell text, wrapped sentences, bars."""
