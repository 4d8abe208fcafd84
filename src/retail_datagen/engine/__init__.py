"""Jobs: plan ahead, render on one process or many, remember, go on after any interruption."""
