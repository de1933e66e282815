"""How sure a figure is: intervals, paired comparison, and how many more rows would tell."""
