"""The process table: its widget, its rows, and the columns that fit."""
