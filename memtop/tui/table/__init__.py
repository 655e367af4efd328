"""The process table: its widget, its rows, which columns fit."""
