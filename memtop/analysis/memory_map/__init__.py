"""What an address space is made of: regions and their kinds, what changed, what is shared, what a reading costs."""
